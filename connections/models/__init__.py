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
from connections.models.identities import ConnectionSession, Identity

__all__ = [
    "ClientAuthentication",
    "Connection",
    "ConnectionQuerySet",
    "ConnectionSession",
    "Domain",
    "DomainQuerySet",
    "Identity",
    "JoiningRule",
    "RuleKind",
    "SignInMode",
    "Source",
    "domain_of",
]
