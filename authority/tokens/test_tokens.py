"""Test tokens: real tokens that people make by hand, for APIs whose operator allows it, and that say what they are."""

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authority.keys import signing_keys
from authority.models import RevokedToken, TrialToken
from authority.tokens import access_tokens
from clients.actions import locks
from clients.models import Api, Client, Scope
from clients.policy import every, plain_text
from clients.vocabulary import GrantType
from consumers import audit
from consumers.audit import Actor, EventName
from consumers.models import User
from consumers.policy import MAX_CLAIMS, RESERVED_CLAIMS, json_object
from core.errors import Conflict, Refusal
from core.jose import jws

TOKEN_USE = "test"
SHORTEST = 60  # seconds
MAX_LIVE = 20  # of one client
MAX_REASON = 200
MAX_ROLES = 20
KEPT = timedelta(days=30)
SHAPES = (GrantType.CLIENT_CREDENTIALS, GrantType.AUTHORIZATION_CODE)


@dataclass(frozen=True)
class Wanted:
    """What a test token shall say. Without an audience it is for the APIs of its scopes."""

    scopes: tuple[str, ...]
    expires_in: int  # seconds
    reason: str
    grant_type: str = GrantType.CLIENT_CREDENTIALS
    audience: tuple[str, ...] = ()
    user_id: str = ""
    roles: tuple[str, ...] = ()
    claims: dict[str, Any] = field(default_factory=dict)


def offered(client: Client) -> list[Scope]:
    """Return the scopes that the client may have now, of APIs that allow test tokens."""
    return list(client.granted_scopes().filter(api__allows_test_tokens=True, api__is_production=False))


def longest(client: Client, scopes: Iterable[Scope]) -> int:
    """Return how many seconds a test token may live: what the consumer and the strictest API allow."""
    most: int = client.consumer.test_token_lifetime
    return min([most, *(scope.api.access_token_lifetime for scope in scopes)])


@transaction.atomic
def make(*, client: Client, wanted: Wanted, actor: Actor) -> tuple[TrialToken, str]:
    """Make a test token; its text is readable only in this return value. Raises Refusal, Conflict."""
    client = locks.lock(client)
    locks.require_active(client.consumer)
    if client.is_disabled:
        raise Conflict("This client is disabled. Enable it first.")
    scopes = _check(client, wanted, actor)
    if client.trial_tokens.live().count() >= MAX_LIVE:
        raise Conflict(f"The client has {MAX_LIVE} test tokens that work already. Revoke one that is not needed.")
    content = _claims(client, wanted, scopes)
    algorithms = {scope.api.signing_algorithm for scope in scopes}
    algorithm = algorithms.pop() if len(algorithms) == 1 else signing_keys.DEFAULT_ALGORITHM
    signer = signing_keys.signer(algorithm, seconds=wanted.expires_in)
    row = TrialToken.objects.create(
        jti=content["jti"],
        client=client,
        grant_type=wanted.grant_type,
        scopes=list(wanted.scopes),
        audience=_as_list(content["aud"]),
        user_id=wanted.user_id,
        reason=wanted.reason,
        created_by=actor.user,
        created_by_label=actor.label,
        expires_at=datetime.fromtimestamp(content["exp"], UTC),
    )
    detail = {"reason": row.reason, "jti": row.jti, "ends_at": row.expires_at.isoformat(), "scope": row.scopes}
    audit.record(EventName.TEST_TOKEN_MADE, actor=actor, consumer=client.consumer, target=client, detail=detail)
    return row, jws.encode(content, signer, typ=access_tokens.TYPE)


def _claims(client: Client, wanted: Wanted, scopes: list[Scope]) -> dict[str, Any]:
    """Return what the token says: like a real one, and that it is none."""
    now = int(time.time())
    audiences = wanted.audience or tuple(dict.fromkeys(scope.api.identifier for scope in scopes))
    content = access_tokens.extra_claims(client.consumer.claims | client.claims) | wanted.claims
    if wanted.roles:
        content["roles"] = list(wanted.roles)
    return content | {
        "iss": settings.ISSUER,
        "sub": wanted.user_id or client.client_id,
        "aud": audiences[0] if len(audiences) == 1 else list(audiences),
        "client_id": client.client_id,
        "scope": " ".join(wanted.scopes),
        "iat": now,
        "exp": now + wanted.expires_in,
        "jti": access_tokens.new_jti(time.time_ns()),
        "consumer_id": str(client.consumer_id),
        "token_use": TOKEN_USE,
    }


@transaction.atomic
def revoke(*, token: TrialToken, actor: Actor) -> None:
    """End the token now, wherever an API asks us. Raises Conflict when it has ended already."""
    _, made = RevokedToken.objects.get_or_create(jti=token.jti, defaults={"expires_at": token.expires_at})
    if not made or token.is_over:
        raise Conflict("This test token has ended already.")
    audit.record(
        EventName.TEST_TOKEN_REVOKED,
        actor=actor,
        consumer=token.client.consumer,
        target=token.client,
        detail={"reason": token.reason, "jti": token.jti},
    )


def holds(content: dict[str, Any]) -> bool:
    """Say whether every API that the test token is for still allows such tokens."""
    audiences = _as_list(content["aud"])
    allowing = Api.objects.filter(identifier__in=audiences, allows_test_tokens=True, is_production=False)
    return allowing.count() == len(set(audiences))


def forget_ended() -> None:
    """Delete test tokens that ended a month ago; the activity still tells of them."""
    TrialToken.objects.filter(expires_at__lt=timezone.now() - KEPT).delete()


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


# -- May it be made? --------------------------------------------------------------------------------------------------


def _check(client: Client, wanted: Wanted, actor: Actor) -> list[Scope]:
    """Return the scopes that the token shall have. Raises the first refusal, with the others."""
    scopes = {scope.value: scope for scope in offered(client)}
    chosen = [scopes[value] for value in wanted.scopes if value in scopes]
    every(
        [
            partial(_check_scopes, wanted, scopes),
            partial(_check_audience, wanted, scopes.values()),
            partial(_check_lifetime, wanted, longest(client, chosen)),
            partial(_check_person, wanted, actor),
            partial(_check_roles, wanted),
            partial(_check_claims, wanted, client.consumer.test_token_claims),
            partial(_check_reason, wanted),
        ]
    )
    return chosen


def _check_scopes(wanted: Wanted, scopes: dict[str, Scope]) -> None:
    if not scopes:
        raise Refusal("None of the APIs that this client may use allows test tokens. Ask the operator.", field="scope")
    if not wanted.scopes:
        raise Refusal("Choose at least one permission.", field="scope")
    if unknown := [value for value in wanted.scopes if value not in scopes]:
        raise Refusal(f"“{unknown[0][:100]}” cannot be in a test token of this client.", field="scope")
    if len(set(wanted.scopes)) != len(wanted.scopes):
        raise Refusal("Name each permission once.", field="scope")


def _check_audience(wanted: Wanted, offered_scopes: Iterable[Scope]) -> None:
    """Let the audience name any of the client's APIs that allow test tokens, also to try how another refuses it."""
    allowed = {scope.api.identifier for scope in offered_scopes}
    if foreign := [value for value in wanted.audience if value not in allowed]:
        raise Refusal(f"“{foreign[0][:200]}” is no API that test tokens of this client may be for.", field="audience")
    if len(set(wanted.audience)) != len(wanted.audience):
        raise Refusal("Name each API once.", field="audience")


def _check_lifetime(wanted: Wanted, most: int) -> None:
    if most < SHORTEST:
        raise Refusal("This workspace may make no test tokens. Ask the operator.", field="expires_in")
    if not SHORTEST <= wanted.expires_in <= most:
        raise Refusal(f"Choose between {SHORTEST} and {most:,} seconds.", field="expires_in")


def _check_person(wanted: Wanted, actor: Actor) -> None:
    """Require a person where one takes part, and never somebody else's account or a client (RFC 9068 section 5)."""
    if wanted.grant_type not in SHAPES:
        raise Refusal(f"Choose {' or '.join(SHAPES)}.", field="grant_type")
    if wanted.grant_type == GrantType.CLIENT_CREDENTIALS:
        if wanted.user_id:
            raise Refusal("No person takes part in client_credentials. Leave the user ID empty.", field="user_id")
        return
    if not wanted.user_id.strip():
        raise Refusal("Enter the user ID that the API shall see as “sub”.", field="user_id")
    if len(wanted.user_id) > 255:
        raise Refusal("Shorten the user ID to 255 characters.", field="user_id")
    plain_text(wanted.user_id, "user_id", "the user ID")
    if wanted.user_id.lower().startswith("cl_") or Client.objects.filter(client_id=wanted.user_id).exists():
        raise Refusal("This is how clients are called. Choose another user ID.", field="user_id")
    try:
        account = uuid.UUID(wanted.user_id)
    except ValueError:
        return
    own = actor.user is not None and actor.user.pk == account
    if not own and User.objects.filter(pk=account).exists():
        raise Refusal("This is somebody's account. Use your own, or a made-up user ID.", field="user_id")


def _check_roles(wanted: Wanted) -> None:
    if len(wanted.roles) > MAX_ROLES:
        raise Refusal(f"Name at most {MAX_ROLES} roles.", field="roles")
    for role in wanted.roles:
        if not role or len(role) > 100:
            raise Refusal("Shorten each role to 100 characters.", field="roles")
        plain_text(role, "roles", "the roles")


def _check_claims(wanted: Wanted, allowed: list[str]) -> None:
    json_object(wanted.claims, "claims", MAX_CLAIMS)
    if taken := sorted(RESERVED_CLAIMS & wanted.claims.keys()):
        raise Refusal(f"Remove {', '.join(taken)}: the portal sets what these say itself.", field="claims")
    if "roles" in wanted.claims:
        raise Refusal("Put the roles into their own field.", field="claims")
    if foreign := sorted(set(wanted.claims) - set(allowed)):
        names = ", ".join(allowed) or "none"
        raise Refusal(
            f"“{foreign[0][:100]}” is no claim that this workspace may set. Allowed: {names}.", field="claims"
        )


def _check_reason(wanted: Wanted) -> None:
    if not wanted.reason.strip():
        raise Refusal("Say what it is for. Your colleagues and the operator read it.", field="reason")
    if len(wanted.reason) > MAX_REASON:
        raise Refusal(f"Shorten the reason to {MAX_REASON} characters.", field="reason")
    plain_text(wanted.reason, "reason", "the reason")
