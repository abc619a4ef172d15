"""The operators' pages about people, what was done, and mail. Consumers themselves stand in clients/admin."""

from consumers.admin import activity, mail, people

__all__ = ["activity", "mail", "people"]
