"""The apps that a person has allowed or is signed in to, and where they are signed in: what their own page shows."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from allauth.usersessions.models import UserSession
from django.db.models import Max, Min
from django.db.models.functions import Greatest

from authority.models import Consent, LoginSession, TokenFamily
from clients.models import Client
from consumers.models import User
from core import clock

MOST = 200  # of either that are shown


@dataclass(frozen=True, slots=True)
class App:
    client: Client
    since: datetime
    last_used_at: datetime
    consent: Consent | None = None  # none where operators have the client need none
    scopes: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which the person is signed in: here, or by the provider's own login."""

    id: object
    user_agent: str
    since: datetime
    ip: str | None
    is_here: bool
    is_login: bool


def of(user: User) -> list[App]:
    """Return the person's apps, the one used last first."""
    used = _used(user)
    mine = Consent.objects.filter(user=user).select_related("client__consumer")[:MOST]
    apps = [
        App(
            consent.client,
            since=consent.given_at,
            last_used_at=max(consent.last_used_at, used.pop(consent.client_id, (None, consent.last_used_at, []))[1]),
            consent=consent,
            scopes=consent.scopes,
            resources=consent.resources,
        )
        for consent in mine
    ]
    others = Client.objects.filter(pk__in=used).select_related("consumer")
    apps += [App(client, used[client.pk][0], used[client.pk][1], scopes=used[client.pk][2]) for client in others]
    return sorted(apps, key=lambda app: app.last_used_at, reverse=True)


def clients_of(user: User) -> Any:
    """Return the keys of the clients that the person is signed in to."""
    return TokenFamily.objects.signed_in().filter(user=user).values_list("client", flat=True)


def _used(user: User) -> dict[Any, tuple[datetime, datetime, list[str]]]:
    """Return since when and how lately the person uses each client that they are signed in to, and its scopes."""
    mine = TokenFamily.objects.signed_in().filter(user=user)
    grouped = mine.values("client").annotate(since=Min("began_at"), last=Max(Greatest("began_at", "rotated_at")))
    scopes: dict[Any, list[str]] = {}
    for client, granted in mine.values_list("client", "scopes")[:MOST]:
        scopes[client] = list(dict.fromkeys([*scopes.get(client, []), *granted]))
    return {each["client"]: (each["since"], each["last"], scopes.get(each["client"], [])) for each in grouped}


def sessions_of(user: User, session_key: str | None, login: LoginSession | None) -> list[Session]:
    """Return where the person is signed in, this browser first."""
    here = [
        Session(each.pk, each.user_agent, each.created_at, each.ip, each.session_key == session_key, is_login=False)
        for each in UserSession.objects.filter(user=user).order_by("-created_at")[:MOST]
        if each.exists()
    ]
    at_login = [
        Session(each.pk, each.user_agent, each.authenticated_at, each.ip, each == login, is_login=True)
        for each in LoginSession.objects.filter(user=user, expires_at__gt=clock.now()).order_by("-created_at")[:MOST]
    ]
    return sorted(here + at_login, key=lambda session: (not session.is_here, -session.since.timestamp()))
