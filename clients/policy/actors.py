"""What takes more than the right to change clients: holding their secrets, and deciding who can be the client.

Every action asks, so the rules hold at every door: pages, the operators' admin, the management API and registration.
"""

from collections.abc import Collection, Iterable

from clients.metadata import ClientMetadata
from clients.models import Client
from clients.vocabulary import CREDENTIAL_MEMBERS, SECRET_METHODS, TRUST_MEMBERS, OperatorRight
from consumers.audit import Actor
from consumers.models import Consumer, Role
from consumers.scopes import PREFIX
from core.rest.errors import AccessDenied, InsufficientScope

SCOPE = "secrets:rotate"


def register(actor: Actor, consumer: Consumer, metadata: ClientMetadata) -> None:
    """Require what registering a client takes: a manager, or an operator who may also let somebody be the client."""
    within_scopes(actor, metadata.scope)
    holds_secrets = metadata.token_endpoint_auth_method in SECRET_METHODS
    _require_right(actor, consumer, OperatorRight.HANDLE_SECRETS if holds_secrets else OperatorRight.DECIDE_TRUST)


def let_register(actor: Actor, consumer: Consumer, scopes: Iterable[str]) -> None:
    """Require the right to let clients with these scopes register themselves."""
    within_scopes(actor, scopes)
    _require_right(actor, consumer, OperatorRight.DECIDE_TRUST)


def handle_secrets(actor: Actor, client: Client) -> None:
    """Require the right to create secrets that the actor reads. Raises AccessDenied, and InsufficientScope."""
    within_scopes(actor, client.scopes)
    _require_scope(actor, "Secrets")
    _require_right(actor, client.consumer, OperatorRight.HANDLE_SECRETS)


def decide_trust(actor: Actor, client: Client) -> None:
    """Require the right to decide by what a client authenticates. Raises AccessDenied, and InsufficientScope."""
    within_scopes(actor, client.scopes)
    _require_scope(actor, "Keys, redirect URIs, the authentication method and trust rules")
    _require_right(actor, client.consumer, OperatorRight.DECIDE_TRUST)


def create_test_tokens(actor: Actor, consumer: Consumer) -> None:
    """Require a manager, or an operator who handles secrets. Raises AccessDenied."""
    _require_right(actor, consumer, OperatorRight.HANDLE_SECRETS)


def change(actor: Actor, client: Client, changed: Collection[str]) -> None:
    """Require what a change of these members of the client's metadata takes; the client has them already."""
    within_scopes(actor, client.scopes)
    if CREDENTIAL_MEMBERS & set(changed):
        decide_trust(actor, client)
    elif TRUST_MEMBERS & set(changed):
        _require_right(actor, client.consumer, OperatorRight.DECIDE_TRUST)


def within_scopes(actor: Actor, scopes: Iterable[str]) -> None:
    """Require that a token has every scope of the management API that a client or token it makes or changes has.

    Else it could give itself through the client what its own scopes withhold (RFC 6749 section 3.3).
    """
    if actor.scopes is None:
        return
    beyond = {value.removeprefix(PREFIX) for value in scopes if value.startswith(PREFIX)} - actor.scopes
    if beyond:
        raise InsufficientScope(
            f"This would let a client do what your token may not: {', '.join(sorted(beyond))}. "
            "Use a token that has those scopes."
        )


def _require_scope(actor: Actor, what: str) -> None:
    if actor.scopes is not None and SCOPE not in actor.scopes:
        raise InsufficientScope(f"{what} need the scope {SCOPE}, which this token lacks. Create one that has it.")


def _require_right(actor: Actor, consumer: Consumer, right: OperatorRight) -> None:
    """Require that a person is a manager of the consumer, or an operator with this right."""
    user = actor.user
    if user is None or consumer.memberships.filter(user=user, role=Role.MANAGER).exists():
        return
    if not (user.is_staff and user.has_perm(f"clients.{right}")):
        raise AccessDenied(f"This needs a manager of {consumer}, or an operator with the right “{right.label}”.")
