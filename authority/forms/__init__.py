"""Forms about tokens."""
