"""Real adapters that hold everything in memory, for tests and dry runs."""
