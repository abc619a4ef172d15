"""What consumers register: clients and their secrets, and the APIs and scopes they may ask for."""

from clients.models.apis import Access, Api, Scope
from clients.models.clients import ACCESS_TOKEN_LIFETIME, Client, new_client_id
from clients.models.secrets import MAX_LIVE_SECRETS, ClientSecret
from clients.models.workloads import Workload

__all__ = [
    "ACCESS_TOKEN_LIFETIME",
    "MAX_LIVE_SECRETS",
    "Access",
    "Api",
    "Client",
    "ClientSecret",
    "Scope",
    "Workload",
    "new_client_id",
]
