"""The operators' pages about APIs, consumers and clients.

Consumers are here, not in their own room, because their page shows what they may use and which clients they have.
"""

from clients.admin import apis, clients, registration, trust
from portal.operators import consumers

__all__ = ["apis", "clients", "consumers", "registration", "trust"]
