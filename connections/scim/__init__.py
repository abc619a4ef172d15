"""SCIM 2.0 (RFC 7643, RFC 7644): a directory keeps a consumer's people. Loaded where it is asked for."""
