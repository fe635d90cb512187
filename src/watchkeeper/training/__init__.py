"""The training pipeline: plain step functions with files between them."""
