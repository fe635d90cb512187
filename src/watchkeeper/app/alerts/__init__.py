"""Rules over metrics, and what a firing one leads to."""
