"""Models of connections to identity providers."""

from connections.models.connections import (
    ClientAuthentication,
    Connection,
    ConnectionQuerySet,
    Domain,
    DomainQuerySet,
    JoiningRule,
    RuleKind,
    SignInMode,
    Source,
    domain_of,
)
from connections.models.directories import (
    Directory,
    DirectoryGroup,
    DirectoryUser,
    GroupRole,
    ProvisionedAccount,
)
from connections.models.identities import ConnectionSession, Identity

__all__ = [
    "ClientAuthentication",
    "Connection",
    "ConnectionQuerySet",
    "ConnectionSession",
    "Directory",
    "DirectoryGroup",
    "DirectoryUser",
    "Domain",
    "DomainQuerySet",
    "GroupRole",
    "Identity",
    "JoiningRule",
    "ProvisionedAccount",
    "RuleKind",
    "SignInMode",
    "Source",
    "domain_of",
]
