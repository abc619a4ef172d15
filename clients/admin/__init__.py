"""The operators' pages about APIs and clients."""

from clients.admin import apis, clients, registration, trust

__all__ = ["apis", "clients", "registration", "trust"]
