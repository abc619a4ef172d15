"""Test tokens: tokens that managers create by hand, for APIs whose operator allows it, marked by `token_use`."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authority import client_directory
from authority.events import AuthorityEvent
from authority.keys import signing_keys
from authority.models import RevokedToken, TestToken
from authority.tokens import access_tokens, api_claims
from clients.actions import locks
from clients.models import Access, Api, ApiRole, Client, Scope
from clients.policy import actors, every, plain_text
from clients.policy.roles import MAX_ROLES
from clients.vocabulary import GrantType
from consumers import audit
from consumers.audit import Actor
from consumers.models import User
from consumers.policy import MAX_CLAIMS, RESERVED_CLAIMS, json_object
from core import clock
from core.errors import Conflict, Refusal
from core.jose import jws
from core.limits import longest as longest_text
from core.sweeps import delete_in_batches
from core.text import name_of

TOKEN_USE = "test"
MIN_LIFETIME = 60  # seconds
MAX_LIVE = 20  # of one client
MAX_REASON = longest_text(TestToken, "reason")
MAX_USER_ID = longest_text(TestToken, "user_id")
GRANT_TYPES = (GrantType.CLIENT_CREDENTIALS, GrantType.AUTHORIZATION_CODE)


@dataclass(frozen=True)
class TestTokenRequest:
    """A request for a test token. Without an audience it is for the APIs of its scopes."""

    scopes: tuple[str, ...]
    expires_in: int  # seconds
    reason: str
    grant_type: str = GrantType.CLIENT_CREDENTIALS
    audience: tuple[str, ...] = ()
    user_id: str = ""
    roles: tuple[str, ...] = ()
    claims: dict[str, Any] = field(default_factory=dict)


def available_scopes(client: Client) -> list[Scope]:
    """Return the scopes that the client is granted, of APIs that allow test tokens."""
    return list(client.granted_scopes().filter(api__allows_test_tokens=True, api__is_production=False))


def max_lifetime(client: Client, scopes: Iterable[Scope]) -> int:
    """Return a test token's maximum lifetime in seconds: what the consumer and the strictest API allow."""
    most: int = client.consumer.test_token_lifetime
    scopes = list(scopes)
    ends = Access.objects.filter(consumer=client.consumer_id, scope__in=scopes).exclude(expires_at=None)
    left = [int(end.timestamp() - clock.seconds()) for end in ends.values_list("expires_at", flat=True) if end]
    return max(0, min([most, *(scope.api.access_token_lifetime for scope in scopes), *left]))


def defined_roles(audiences: Iterable[str]) -> list[str]:
    """Return the roles that these APIs define; any may be typed where there are none."""
    return list(ApiRole.objects.filter(api__identifier__in=audiences).order_by("id").values_list("value", flat=True))


def allowed_claims(client: Client, audiences: Sequence[str]) -> list[str]:
    """Return the claims that may be typed: those that the operator allows, and what the API reads of a person."""
    entry = client_directory.find(client.client_id)
    of_api = api_claims.typed_claims(entry, audiences) if entry is not None else []
    return list(dict.fromkeys([*client.consumer.test_token_claims, *of_api]))


@transaction.atomic
def create(*, client: Client, requested: TestTokenRequest, actor: Actor) -> tuple[TestToken, str]:
    """Create a test token; its text is readable only in this return value. Raises Refusal, Conflict."""
    client = locks.lock_client(client)
    actors.create_test_tokens(actor, client.consumer)
    locks.lock_active_consumer(client.consumer)
    if client.is_disabled:
        raise Conflict("This client is disabled. Enable it first.")
    scopes = _check(client, requested, actor)
    if client.test_tokens.live().count() >= MAX_LIVE:
        raise Conflict(f"The client has {MAX_LIVE} active test tokens already. Revoke one that is not needed.")
    content = _claims(client, requested, scopes)
    algorithms = {scope.api.signing_algorithm for scope in scopes}
    algorithm = algorithms.pop() if len(algorithms) == 1 else signing_keys.DEFAULT_ALGORITHM
    signer = signing_keys.signer(algorithm, seconds=requested.expires_in)
    row = TestToken.objects.create(
        jti=content["jti"],
        client=client,
        grant_type=requested.grant_type,
        scopes=list(requested.scopes),
        audience=_as_list(content["aud"]),
        user_id=requested.user_id,
        reason=requested.reason,
        created_by=actor.user,
        created_by_label=actor.label,
        expires_at=datetime.fromtimestamp(content["exp"], UTC),
    )
    detail = {"reason": row.reason, "jti": row.jti, "expires_at": row.expires_at.isoformat(), "scope": row.scopes}
    audit.record(AuthorityEvent.TEST_TOKEN_CREATED, actor=actor, consumer=client.consumer, target=client, detail=detail)
    return row, jws.encode(content, signer, typ=access_tokens.TYPE)


def _claims(client: Client, requested: TestTokenRequest, scopes: list[Scope]) -> dict[str, Any]:
    """Return the claims: those of an access token, and `token_use`."""
    nanoseconds = clock.nanoseconds()
    now = nanoseconds // 1_000_000_000
    audiences = _audiences(requested, scopes)
    content = access_tokens.configured_claims(client.consumer.claims | client.claims)
    entry = client_directory.find(client.client_id)
    if entry is not None:
        user_id, roles = requested.user_id, requested.roles
        api_claims.add_to_test_token(content, entry, audiences, user_id=user_id, roles=roles)
    content |= requested.claims
    if requested.roles:
        content["roles"] = list(requested.roles)
    return content | {
        "iss": settings.ISSUER,
        "sub": requested.user_id or client.client_id,
        "aud": audiences[0] if len(audiences) == 1 else list(audiences),
        "client_id": client.client_id,
        "scope": " ".join(requested.scopes),
        "iat": now,
        "exp": now + requested.expires_in,
        "jti": access_tokens.new_jti(nanoseconds),
        "consumer_id": str(client.consumer_id),
        "token_use": TOKEN_USE,
    }


def _audiences(requested: TestTokenRequest, scopes: Iterable[Scope]) -> tuple[str, ...]:
    return requested.audience or tuple(dict.fromkeys(scope.api.identifier for scope in scopes))


@transaction.atomic
def revoke(*, token: TestToken, actor: Actor) -> None:
    """Revoke the token; APIs that introspect refuse it from now on. Raises Conflict when it has ended already."""
    _, made = RevokedToken.objects.get_or_create(jti=token.jti, defaults={"expires_at": token.expires_at})
    if not made or token.is_expired:
        raise Conflict("This test token has already expired or been revoked.")
    audit.record(
        AuthorityEvent.TEST_TOKEN_REVOKED,
        actor=actor,
        consumer=token.client.consumer,
        target=token.client,
        detail={"reason": token.reason, "jti": token.jti},
    )


def still_allowed(content: dict[str, Any]) -> bool:
    """Return whether every API of the token's audience still allows test tokens."""
    audiences = _as_list(content["aud"])
    allowing = Api.objects.filter(identifier__in=audiences, allows_test_tokens=True, is_production=False)
    return allowing.count() == len(set(audiences))


def delete_expired() -> None:
    """Delete test tokens that expired as many days ago as the setting says; the audit record stays."""
    oldest = timezone.now() - timedelta(days=settings.RETENTION_DAYS["TEST_TOKEN"])
    delete_in_batches(TestToken.objects.filter(expires_at__lt=oldest), "expires_at")


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


# -- Policy -----------------------------------------------------------------------------------------------------------


def _check(client: Client, requested: TestTokenRequest, actor: Actor) -> list[Scope]:
    """Return the token's scopes. Raises the first refusal, with the others."""
    scopes = {scope.value: scope for scope in available_scopes(client)}
    chosen = [scopes[value] for value in requested.scopes if value in scopes]
    audiences = _audiences(requested, chosen)
    every(
        [
            partial(_check_scopes, requested, scopes),
            partial(_check_audience, requested, scopes.values()),
            partial(_check_lifetime, requested, max_lifetime(client, chosen)),
            partial(_check_person, requested, actor),
            partial(_check_roles, requested, audiences),
            partial(_check_claims, requested, allowed_claims(client, audiences)),
            partial(_check_reason, requested),
        ]
    )
    return chosen


def _check_scopes(requested: TestTokenRequest, scopes: dict[str, Scope]) -> None:
    if not scopes:
        raise Refusal("None of the APIs that this client may use allows test tokens. Ask the operator.", field="scope")
    if not requested.scopes:
        raise Refusal("Choose at least one permission.", field="scope")
    if unknown := [value for value in requested.scopes if value not in scopes]:
        raise Refusal(f"“{unknown[0][:100]}” cannot be in a test token of this client.", field="scope")
    if len(set(requested.scopes)) != len(requested.scopes):
        raise Refusal("Name each permission once.", field="scope")


def _check_audience(requested: TestTokenRequest, offered_scopes: Iterable[Scope]) -> None:
    """Allow any of the client's APIs that allow test tokens, also to test how another API refuses it."""
    allowed = {scope.api.identifier for scope in offered_scopes}
    if foreign := [value for value in requested.audience if value not in allowed]:
        raise Refusal(
            f"“{foreign[0][:200]}” is not an API that test tokens of this client may be for.", field="audience"
        )
    if len(set(requested.audience)) != len(requested.audience):
        raise Refusal("Name each API once.", field="audience")


def _check_lifetime(requested: TestTokenRequest, most: int) -> None:
    if most < MIN_LIFETIME:
        raise Refusal("This workspace may not create test tokens. Ask the operator.", field="expires_in")
    if not MIN_LIFETIME <= requested.expires_in <= most:
        raise Refusal(f"Choose between {MIN_LIFETIME} and {most:,} seconds.", field="expires_in")


def _check_person(requested: TestTokenRequest, actor: Actor) -> None:
    """Require a user ID where a person takes part, and never another account's or a client's (RFC 9068 section 5)."""
    if requested.grant_type not in GRANT_TYPES:
        raise Refusal(f"Choose {' or '.join(GRANT_TYPES)}.", field="grant_type")
    if requested.grant_type == GrantType.CLIENT_CREDENTIALS:
        if requested.user_id:
            raise Refusal("client_credentials has no user. Leave the user ID empty.", field="user_id")
        return
    if not requested.user_id:
        raise Refusal("Enter the user ID that the API gets as “sub”.", field="user_id")
    if len(requested.user_id) > MAX_USER_ID:
        raise Refusal(f"Shorten the user ID to {MAX_USER_ID} characters.", field="user_id")
    plain_text(requested.user_id, "user_id", "the user ID")
    if blank := next((each for each in requested.user_id if each == " " or not each.isprintable()), None):
        raise Refusal(f"Remove {name_of(blank)} from the user ID: it holds no spaces.", field="user_id")
    if requested.user_id.lower().startswith("cl_") or Client.objects.filter(client_id=requested.user_id).exists():
        raise Refusal("This is the form of a client ID. Choose another user ID.", field="user_id")
    try:
        account = uuid.UUID(requested.user_id)
    except ValueError:
        return
    own = actor.user is not None and actor.user.pk == account
    if not own and User.objects.filter(pk=account).exists():
        raise Refusal("This is somebody's account. Use your own, or an invented user ID.", field="user_id")


def _check_roles(requested: TestTokenRequest, audiences: Sequence[str]) -> None:
    """Require roles that can be in a token, and are the APIs' own where these define some."""
    if len(requested.roles) > MAX_ROLES:
        raise Refusal(f"Name at most {MAX_ROLES} roles.", field="roles")
    for role in requested.roles:
        if not role or len(role) > 100:
            raise Refusal("Shorten each role to 100 characters.", field="roles")
        plain_text(role, "roles", "the roles")
    known = set(defined_roles(audiences))
    if known and (foreign := sorted(set(requested.roles) - known)):
        names = ", ".join(sorted(known))
        raise Refusal(f"“{foreign[0]}” is no role of the APIs that it is for. They have: {names}.", field="roles")


def _check_claims(requested: TestTokenRequest, allowed: list[str]) -> None:
    json_object(requested.claims, "claims", MAX_CLAIMS)
    if taken := sorted(RESERVED_CLAIMS & requested.claims.keys()):
        raise Refusal(f"Remove {', '.join(taken)}: the portal sets what these say itself.", field="claims")
    if "roles" in requested.claims:
        raise Refusal("Put the roles into their own field.", field="claims")
    if foreign := sorted(set(requested.claims) - set(allowed)):
        names = ", ".join(allowed) or "none"
        raise Refusal(
            f"“{foreign[0][:100]}” is no claim that this workspace may set. Allowed: {names}.", field="claims"
        )


def _check_reason(requested: TestTokenRequest) -> None:
    if not requested.reason.strip():
        raise Refusal("Say what it is for. It is shown to your colleagues and the operator.", field="reason")
    if len(requested.reason) > MAX_REASON:
        raise Refusal(f"Shorten the reason to {MAX_REASON} characters.", field="reason")
    plain_text(requested.reason, "reason", "the reason")
