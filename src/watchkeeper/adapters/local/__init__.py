"""What one machine provides."""
