"""What is on record: schemas, model versions, baselines, candidates, executions, and words on them."""
