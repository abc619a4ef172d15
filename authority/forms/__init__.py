"""What people type about tokens."""
