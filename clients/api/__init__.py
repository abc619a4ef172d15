"""The management API's view of what consumers register."""
