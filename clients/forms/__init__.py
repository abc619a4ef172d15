"""What people type about clients. The rules are in policy.py and actions.py; forms only read and repeat."""
