"""Sign-ins of people at clients: for the claims of ID tokens, and for back-channel logout."""

from collections.abc import Collection
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils import timezone

from authority.authorization.request import AuthorizationRequest
from authority.models import SignIn, TokenFamily
from authority.people import browser_authentication, subject
from authority.people.browser_authentication import Authentication
from authority.people.subject import Person
from authority.tokens import codes
from clients.models import Client
from consumers.models import User
from core.credentials import token_digest
from core.sweeps import delete_in_batches


def record(request: HttpRequest, auth_request: AuthorizationRequest, person: User) -> SignIn:
    """Record that the person signs in at the client, as they are authenticated in this browser."""
    now = browser_authentication.current_authentication(request)
    assert now is not None
    sid = browser_authentication.sid(request)
    return SignIn.objects.create(
        client=auth_request.client,
        user=person,
        sid=sid,
        session=token_digest(request.session.session_key or ""),
        as_member=subject.is_member(person, auth_request.client),
        authenticated_at=now.authenticated_at,
        methods=list(now.methods),
    )


def record_on_device(client: Client, person: User, now: Authentication) -> SignIn:
    """Record that the person signs in on a device; this sign-in has no browser session, and outlives this one."""
    return SignIn.objects.create(
        client=client,
        user=person,
        as_member=subject.is_member(person, client),
        authenticated_at=now.authenticated_at,
        methods=list(now.methods),
    )


def is_over(person: Person, scopes: Collection[str]) -> bool:
    """Return whether the person has signed out of the browser session since, or left the client's consumer.

    Tokens that would have ended then must not be issued afterwards. Those with offline_access may be, as in
    authority/authorization/backchannel_logout.py.
    """
    sign_in = person.sign_in
    if sign_in is None:
        return False
    if sign_in.sid and not sign_in.session and codes.ends_with_session(scopes):
        return True
    return bool(sign_in.as_member) and not person.is_member


def delete_expired() -> None:
    """Delete those of a month ago without a token family."""
    old = SignIn.objects.filter(created_at__lt=timezone.now() - timedelta(days=30))
    delete_in_batches(old, "created_at", ended=Q(~Exists(TokenFamily.objects.filter(pk=OuterRef("pk")))))
