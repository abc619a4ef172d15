"""Sign-ins of people at clients: for the claims of ID tokens, and for back-channel logout."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils import timezone

from authority.authorization.request import AuthorizationRequest
from authority.models import LoginSession, SignIn, TokenFamily
from authority.people import browser_authentication, subject
from authority.people.browser_authentication import Authentication
from authority.people.subject import Person
from authority.tokens import codes
from clients.models import Client
from consumers.models import User
from core.credentials import token_digest
from core.limits import longest
from core.sweeps import delete_in_batches


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in in a browser: here, or by the provider's own login."""

    user: User
    now: Authentication
    login: LoginSession | None = None
    # What the login said for this request: claims for tokens, and what the consent that follows is told.
    claims: dict[str, Any] | None = None
    context: Any = None
    login_challenge: str = ""


def record(
    request: HttpRequest, auth_request: AuthorizationRequest, person: SignedIn, claims: dict[str, Any] | None
) -> SignIn:
    """Record that the person signs in at the client, as they are authenticated in this browser.

    `claims` are what the provider's own login says of them in tokens.
    """
    login = person.login
    return SignIn.objects.create(
        client=auth_request.client,
        user=person.user,
        sid=str(login.pk) if login is not None else browser_authentication.sid(request),
        session=login.digest if login is not None else token_digest(request.session.session_key or ""),
        as_member=subject.is_member(person.user, auth_request.client),
        authenticated_at=person.now.authenticated_at,
        methods=list(person.now.methods),
        acr=person.now.acr,
        claims=claims,
        user_agent=request.headers.get("User-Agent", "")[: longest(SignIn, "user_agent")],
    )


def record_on_device(client: Client, person: User, now: Authentication, program: str) -> SignIn:
    """Record that the person signs in on a device; this sign-in has no browser session, and outlives this one."""
    return SignIn.objects.create(
        client=client,
        user=person,
        as_member=subject.is_member(person, client),
        authenticated_at=now.authenticated_at,
        methods=list(now.methods),
        user_agent=program,
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
