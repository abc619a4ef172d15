"""The admin of APIs, clients, registration and trusted issuers."""

from clients.admin import apis, clients, registration, trust

__all__ = ["apis", "clients", "registration", "trust"]
