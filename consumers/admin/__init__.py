"""The operators' pages about people, the audit record and mail. Consumers themselves are in portal/operators."""

from consumers.admin import activity, mail, people

__all__ = ["activity", "mail", "people"]
