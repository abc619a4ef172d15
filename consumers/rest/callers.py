"""Who calls the management API, by the token in the Authorization header, and how far they reach.

A session cookie opens nothing here, so no page of another site can make a browser call it.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import ceil
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from consumers.actions.personal_tokens import PREFIX, find_token
from consumers.audit import Actor, origin
from consumers.models import Consumer, ConsumerQuerySet, Role, User
from core import throttling
from core.client_ip import caller_ip
from core.rest.errors import InvalidToken, MissingToken, TooManyRequests
from core.tally import Tally

MAX_TOKEN = 16 * 1024
PER_TOKEN = 100  # requests in a window, in each process
WINDOW = 10.0  # seconds, from the first request on

_of_tokens: Tally[str] = Tally(WINDOW)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whoever sent the request: a person by a token of theirs, or a client for itself."""

    actor: Actor
    scopes: frozenset[str]
    user: User | None = None  # a client that calls for itself has none
    consumer_id: UUID | None = None  # the only consumer that the token reaches

    def is_operator(self, permission: str) -> bool:
        """Say whether the person may do this to every consumer, as in the operators' admin."""
        return self.user is not None and self.user.is_staff and self.user.has_perm(permission)

    def consumers(self, permission: str, role: Role) -> ConsumerQuerySet:
        """Return the consumers for which the caller may do this, as an operator or in this role."""
        found = Consumer.objects.all()
        if not self.is_operator(permission):
            found = found.active()
            if self.user is not None:
                roles = [Role.MANAGER] if role == Role.MANAGER else list(Role)
                found = found.filter(memberships__user=self.user, memberships__role__in=roles)
        return found if self.consumer_id is None else found.filter(pk=self.consumer_id)


Reader = Callable[[str, HttpRequest], Caller | None]


def authenticate(request: HttpRequest) -> tuple[Caller, str]:
    """Return the caller, and a name for their token that tells nothing about it.

    Raises InvalidToken (RFC 6750 section 3), and TooManyRequests.
    """
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise MissingToken("Send a token in the Authorization header: “Bearer cdp_…”.")
    key = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    with throttling.guess(caller_ip(request), key, InvalidToken, TooManyRequests):
        caller = None
        if len(token) <= MAX_TOKEN and token.isascii():
            caller = next(filter(None, (reader(token, request) for reader in _readers())), None)
        if caller is None:
            raise InvalidToken("This token is unknown, has ended or is for another API. Make a new one in the portal.")
    if _of_tokens.add(key) > PER_TOKEN:
        raise TooManyRequests(ceil(_of_tokens.wait(key, PER_TOKEN)))
    return caller, key


@cache
def _readers() -> tuple[Reader, ...]:
    """Return what knows tokens: this room its own kind, and the rooms above theirs."""
    return tuple(import_string(path) for path in settings.MANAGEMENT_TOKEN_READERS)


def personal(token: str, request: HttpRequest) -> Caller | None:
    """Return the person behind a personal access token, or None."""
    if not token.startswith(PREFIX):
        return None
    found = find_token(token)
    if found is None:
        return None
    where = origin(request)
    found.note_use(where["ip"])
    actor = Actor(
        kind="operator" if found.user.is_staff else "person",
        id=str(found.user.pk),
        label=f"{found.user} (token “{found.name}”)",
        user=found.user,
        **where,
    )
    return Caller(actor=actor, scopes=frozenset(found.scopes), user=found.user, consumer_id=found.consumer_id)
