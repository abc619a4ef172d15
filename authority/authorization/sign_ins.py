"""Who signed in where, in which browser session, and how: what ID tokens say of it, and whom its end concerns."""

from collections.abc import Collection
from datetime import timedelta

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from authority.authorization.request import Asked
from authority.models import Family, SignIn
from authority.people import browser_authentication, subject
from authority.people.browser_authentication import Authentication
from authority.people.subject import Person
from authority.tokens import codes
from clients.models import Client
from consumers.models import User
from core.digests import digest


def begin(request: HttpRequest, asked: Asked, person: User) -> SignIn:
    """Note that the person signs in at the client, as they are authenticated in this browser."""
    now = browser_authentication.of(request)
    assert now is not None
    sid = browser_authentication.sid(request)
    return SignIn.objects.create(
        client=asked.client,
        user=person,
        sid=sid,
        session=digest(request.session.session_key or ""),
        as_member=subject.is_member(person, asked.client),
        authenticated_at=now.moment,
        methods=list(now.methods),
    )


def on_device(client: Client, person: User, now: Authentication) -> SignIn:
    """Note that the person lets a device sign in as them; it has no browser session, and outlives this one."""
    return SignIn.objects.create(
        client=client,
        user=person,
        as_member=subject.is_member(person, client),
        authenticated_at=now.moment,
        methods=list(now.methods),
    )


def is_over(person: Person, scopes: Collection[str]) -> bool:
    """Say whether the person has left since: signed out of the browser session, or out of the client's consumer.

    What would have ended with either must not begin after it. Whoever may go on while the person is away may also begin
    then, as in authority/authorization/backchannel_logout.py.
    """
    sign_in = person.sign_in
    if sign_in is None:
        return False
    if sign_in.sid and not sign_in.session and codes.ends_with_session(scopes):
        return True
    return bool(sign_in.as_member) and not person.is_member


def ended() -> QuerySet[SignIn]:
    """Return those that no token descends from any more, of sessions that ended by themselves long ago."""
    old = timezone.now() - timedelta(days=30)
    return SignIn.objects.filter(created_at__lt=old).exclude(pk__in=Family.objects.values("pk"))
