"""The operators' pages of connections and directories."""

from connections.admin import connections, directories

__all__ = ["connections", "directories"]
