"""The grammar of the command line: `clientdesk <verb> <noun>`."""

from collections.abc import Callable
from typing import Any

import typer

VERBS = {
    "list": "List clients, their people, secrets, tokens, consumers, members, connections, APIs, activity and usage.",
    "get": "Show a client, a secret, a token, a consumer, a member, an invitation, a connection, or open registration.",
    "create": "Create a client, a secret, a token, a consumer, an invitation, a connection or a portal link.",
    "update": "Change a client, a secret, a consumer, its access, a member, or a connection.",
    "verify": "Verify a domain of a connection.",
    "patch": "Change members of a client by JSON Patch.",
    "rotate": "Replace a secret, or the token of a directory.",
    "enable": "Enable clients, or open registration.",
    "disable": "Disable clients, or open registration.",
    "suspend": "Suspend a consumer.",
    "resume": "Resume a consumer.",
    "revoke": "Revoke secrets, tokens, invitations and consents, and end sign-ins of people.",
    "delete": "Delete clients, consumers, members and connections.",
    "resend": "Send an invitation again.",
    "import": "Import clients from other systems.",
    "export": "Write clients or the activity to a file.",
    "approve": "Approve requests for workspaces and permissions.",
    "decline": "Decline requests for workspaces and permissions.",
    "ask": "Ask back before deciding about a request.",
    "answer": "Answer what was asked back about a request.",
    "withdraw": "Withdraw a request.",
    "perform": "Get a token by one of the OAuth 2.0 grants, as a client does.",
    "introspect": "Show whether a token is valid, and what it is.",
}
# Each noun in singular and plural: a command takes both, and the help shows the one that it was added by.
_NOUNS = {
    "access": "access",
    "access-token": "access-tokens",
    "activity": "activity",
    "api": "apis",
    "client": "clients",
    "connection": "connections",
    "consent": "consents",
    "consumer": "consumers",
    "directory": "directories",
    "directory-group": "directory-groups",
    "directory-user": "directory-users",
    "domain": "domains",
    "group-role": "group-roles",
    "identity-token": "identity-tokens",
    "initial-access-token": "initial-access-tokens",
    "invitation": "invitations",
    "joining-rule": "joining-rules",
    "lifespan": "lifespans",
    "login-session": "login-sessions",
    "member": "members",
    "permission-request": "permission-requests",
    "person": "people",
    "portal-link": "portal-links",
    "preset": "presets",
    "registration": "registration",
    "registration-access-token": "registration-access-tokens",
    "role": "roles",
    "role-grant": "role-grants",
    "secret": "secrets",
    "test-token": "test-tokens",
    "token": "tokens",
    "usage": "usage",
    "workspace-request": "workspace-requests",
}
_ORYS_NOUNS = {"client": ("oauth2-client", "oauth2-clients")}


class Verbs:
    """The groups of commands, one for each verb."""

    def __init__(self) -> None:
        self.groups = {verb: typer.Typer(no_args_is_help=True, help=text) for verb, text in VERBS.items()}

    def add(self, verb: str, noun: str, function: Callable[..., Any], *, hidden: bool = False) -> None:
        """Add a command under its noun; the other number of the noun, and Ory's word for it, are taken unlisted."""
        singular = next(one for one, many in _NOUNS.items() if noun in (one, many))
        for spelling in {singular, _NOUNS[singular], *_ORYS_NOUNS.get(singular, ())}:
            self.groups[verb].command(spelling, hidden=hidden or spelling != noun)(function)

    def add_grant(self, name: str, function: Callable[..., Any]) -> None:
        """Add a grant to `perform`, by its name in RFC 6749 or RFC 8628."""
        self.groups["perform"].command(name)(function)
