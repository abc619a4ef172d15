"""The management API's view of consumers, their people and what was done."""
