"""The operators' pages of connections."""

from connections.admin import connections

__all__ = ["connections"]
