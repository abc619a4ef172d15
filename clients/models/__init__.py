"""Clients and their secrets, APIs and their scopes, registration and trust."""

from clients.models.apis import Access, Api, Scope, SignInBy
from clients.models.clients import ACCESS_TOKEN_LIFETIME, Client, new_client_id
from clients.models.hooks import HookFailure, TokenHook
from clients.models.registration import (
    DocumentHost,
    InitialAccessToken,
    OpenRegistration,
    RegistrationAccessToken,
    SelfRegistration,
    SoftwareIssuer,
)
from clients.models.requests import UNDECIDED, PermissionRequest, RequestState, WorkspaceRequest
from clients.models.roles import ApiClaim, ApiRole, GroupRole, RoleGrant
from clients.models.secrets import MAX_LIVE_SECRETS, ClientSecret
from clients.models.trust import TrustedIssuer, TrustRule
from clients.models.workloads import Workload

__all__ = [
    "ACCESS_TOKEN_LIFETIME",
    "MAX_LIVE_SECRETS",
    "UNDECIDED",
    "Access",
    "Api",
    "ApiClaim",
    "ApiRole",
    "Client",
    "ClientSecret",
    "DocumentHost",
    "GroupRole",
    "HookFailure",
    "InitialAccessToken",
    "OpenRegistration",
    "PermissionRequest",
    "RegistrationAccessToken",
    "RequestState",
    "RoleGrant",
    "Scope",
    "SelfRegistration",
    "SignInBy",
    "SoftwareIssuer",
    "TokenHook",
    "TrustRule",
    "TrustedIssuer",
    "Workload",
    "WorkspaceRequest",
    "new_client_id",
]
