"""Effects: one module per port, the same names under each target."""
