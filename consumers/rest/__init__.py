"""The management API's shared parts: callers, look-ups, operations and routes."""
