"""The admin of APIs, roles, clients, registration and trusted issuers."""

from clients.admin import apis, clients, registration, roles, trust

__all__ = ["apis", "clients", "registration", "roles", "trust"]
