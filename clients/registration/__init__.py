"""Dynamic client registration (RFC 7591, RFC 7592), software statements, and client ID metadata documents."""
