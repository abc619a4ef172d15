"""What people see of the tokens: why requests fail, tokens for tests, and what a token says."""
