"""The management API's operations on tokens, and its callers with tokens of ours."""
