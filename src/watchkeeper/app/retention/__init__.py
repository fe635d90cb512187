"""How long records are kept, and what takes them away."""
