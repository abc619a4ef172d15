"""Authentication of the management API by bearer token (RFC 6750), and what a caller may reach.

A session cookie opens nothing here, so no page of another site can make a browser call it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from django.http import HttpRequest

from consumers.actions.personal_tokens import PREFIX, find_token, record_use
from consumers.audit import Actor, request_origin
from consumers.models import Consumer, ConsumerQuerySet, PersonalToken, Role, User
from core import throttling
from core.client_ip import caller_ip
from core.credentials import token_digest
from core.rest.errors import InvalidToken, MissingToken, TooManyRequests
from core.throttling import FixedWindow

MAX_TOKEN = 16 * 1024
PER_TOKEN = 100  # requests in a window, in each process
WINDOW = 10.0  # seconds, from the first request on

_requests: FixedWindow[str] = FixedWindow(WINDOW)


@dataclass(frozen=True, kw_only=True)
class ApiCaller:
    """Whoever sent the request: a person by a token of theirs, or a client for itself."""

    actor: Actor
    scopes: frozenset[str]
    user: User | None = None  # a client that calls for itself has none
    consumer_id: UUID | None = None  # the only consumer that the token reaches
    personal_token: PersonalToken | None = None

    def is_operator(self, permission: str) -> bool:
        """Say whether the person may do this to every consumer, as in the operators' admin."""
        return self.user is not None and self.user.has_operator_rights and self.user.has_perm(permission)

    def consumers(self, permission: str, role: Role) -> ConsumerQuerySet:
        """Return the consumers for which the caller may do this, as an operator or in this role."""
        found = Consumer.objects.all()
        if not self.is_operator(permission):
            found = found.active()
            if self.user is not None:
                roles = [Role.MANAGER] if role == Role.MANAGER else list(Role)
                found = found.filter(memberships__user=self.user, memberships__role__in=roles)
        return found if self.consumer_id is None else found.filter(pk=self.consumer_id)


type TokenReader = Callable[[str, HttpRequest], ApiCaller | None]

_token_readers: list[TokenReader] = []


def register_token_reader(reader: TokenReader) -> None:
    """Add a function that returns the caller behind a token of its kind, or None; each room adds its own."""
    _token_readers.append(reader)


def authenticate(request: HttpRequest, *, most: int | None = None) -> tuple[ApiCaller, str]:
    """Return the caller, and a name for their token that tells nothing about it.

    It may send `most` requests in WINDOW, PER_TOKEN where it is None. Raises InvalidToken (RFC 6750 section 3), and
    TooManyRequests.
    """
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise MissingToken("Send a token in the Authorization header: “Bearer cdp_…”.")
    key = token_digest(token)
    with throttling.throttle(caller_ip(request), key, InvalidToken, TooManyRequests):
        caller = None
        if len(token) <= MAX_TOKEN and token.isascii():
            caller = next(filter(None, (reader(token, request) for reader in _token_readers)), None)
        if caller is None:
            raise InvalidToken(
                "This token is unknown, has expired or is for another API. Create a new one in the portal."
            )
    most = PER_TOKEN if most is None else most
    if _requests.add(key) > most:
        raise TooManyRequests(ceil(_requests.retry_after(key, most)))
    return caller, key


def read_personal_token(token: str, request: HttpRequest) -> ApiCaller | None:
    """Return the person behind a personal access token, or None."""
    if not token.startswith(PREFIX):
        return None
    found = find_token(token)
    if found is None:
        return None
    where = request_origin(request)
    record_use(found, where["ip"])
    actor = Actor(
        kind="operator" if found.user.is_staff else "person",
        id=str(found.user.pk),
        label=f"{found.user} (token “{found.name}”)",
        user=found.user,
        scopes=frozenset(found.scopes),
        **where,
    )
    return ApiCaller(
        actor=actor,
        scopes=frozenset(found.scopes),
        user=found.user,
        consumer_id=found.consumer_id,
        personal_token=found,
    )
