"""A window of captured rows, judged and recorded."""
