"""One module per format: bytes → batches of typed columns."""
