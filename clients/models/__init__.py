"""What consumers register: clients and their secrets, and the APIs and scopes they may ask for."""

from clients.models.apis import Access, Api, Scope
from clients.models.clients import ACCESS_TOKEN_LIFETIME, Client, new_client_id
from clients.models.registration import (
    DocumentHost,
    InitialToken,
    OpenRegistration,
    RegistrationToken,
    SelfRegistration,
    SoftwareIssuer,
)
from clients.models.secrets import MAX_LIVE_SECRETS, ClientSecret
from clients.models.trust import TrustedIssuer, TrustRule
from clients.models.workloads import Workload

__all__ = [
    "ACCESS_TOKEN_LIFETIME",
    "MAX_LIVE_SECRETS",
    "Access",
    "Api",
    "Client",
    "ClientSecret",
    "DocumentHost",
    "InitialToken",
    "OpenRegistration",
    "RegistrationToken",
    "Scope",
    "SelfRegistration",
    "SoftwareIssuer",
    "TrustRule",
    "TrustedIssuer",
    "Workload",
    "new_client_id",
]
