"""The management API's view of tokens, and of those who call it with tokens of ours."""
