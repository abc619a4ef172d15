"""`clientdesk` in a terminal: the REST API by commands and by screens. HTTP only; it shares no code with the server."""
