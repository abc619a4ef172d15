"""Connections that are kept in a file, CONNECTIONS_FILE, and not on the pages."""
