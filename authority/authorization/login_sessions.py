"""Sessions of the provider's own login in browsers: a cookie of their own, apart from the portal's session.

So whoever the provider signs in is never signed in to the portal by it, and nobody's work there is lost. A session that
is not remembered serves the one request that it began in.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from authority.authorization import backchannel_logout
from authority.authorization.flow_state import LIFETIME
from authority.models import Challenge, LoginSession
from authority.people.browser_authentication import Authentication
from clients.models import Api
from consumers.actions.people import person_signed_out
from consumers.audit import Actor, request_origin
from consumers.models import User
from core import clock, credentials
from core.client_ip import caller_ip
from core.credentials import token_digest
from core.limits import longest
from core.sweeps import delete_in_batches

PREFIX = "cdls_"  # for secret scanners


@dataclass(frozen=True, kw_only=True)
class LoginAnswer:
    """Who the provider's login has signed in. `remember_for` is in seconds, 0 for as long as the browser is open."""

    subject: str
    remember: bool = False
    remember_for: int = 0
    extend_session_lifespan: bool = False
    acr: str = ""
    amr: tuple[str, ...] = ()
    identity_provider_session_id: str = ""
    authenticated_at: datetime


# -- The browser ------------------------------------------------------------------------------------------------------


def browser_key(request: HttpRequest) -> str:
    """Return what the browser's cookie says, "" where it has none that could be ours."""
    key = request.COOKIES.get(settings.LOGIN_COOKIE_NAME, "")
    return key if credentials.is_well_formed(key, PREFIX) else ""


def new_key() -> str:
    return credentials.generate(PREFIX)


def set_cookie(response: HttpResponse, key: str, *, max_age: int | None = None) -> None:
    """Send the key to the browser, which keeps it for so many seconds, or until it is closed.

    Lax, since the browser comes back from the provider's login, which is another site.
    """
    response.set_cookie(
        settings.LOGIN_COOKIE_NAME,
        key,
        max_age=max_age,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def forget_cookie(response: HttpResponse) -> None:
    response.delete_cookie(settings.LOGIN_COOKIE_NAME, samesite="Lax")


# -- Sessions ---------------------------------------------------------------------------------------------------------


def current(request: HttpRequest) -> LoginSession | None:
    """Return the session of the browser, remembered or not, or None."""
    key = browser_key(request)
    if not key:
        return None
    live = LoginSession.objects.select_related("user", "api").filter(expires_at__gt=clock.now(), user__is_active=True)
    return live.filter(digest=token_digest(key)).first()


def authentication_of(session: LoginSession) -> Authentication:
    """Return how and when the person has authenticated, as the login said."""
    return Authentication(session.user.subject, session.authenticated_at.timestamp(), tuple(session.amr), session.acr)


def actor_of(request: HttpRequest, user: User) -> Actor:
    """Return the person whom the login signed in, for what they do here."""
    return Actor(kind="person", id=str(user.pk), label=str(user), user=user, **request_origin(request))


def person_of(subject: str) -> User:
    """Return the person of that subject, made at their first sign-in."""
    found = User.objects.filter(login_subject=subject).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return User.objects.create_end_user(login_subject=subject)
    except IntegrityError:  # their first two sign-ins at once
        return User.objects.get(login_subject=subject)


@transaction.atomic
def begin(
    request: HttpRequest,
    *,
    user: User,
    api: Api,
    answer: LoginAnswer,
    named: UUID,
) -> tuple[LoginSession, str]:
    """Begin a session of the person in this browser; return it with its new key.

    One of theirs goes on under another key, so that clients know it by the same `sid`; another person's ends. A new one
    gets the name that the login was told, unless it was that of the other person's, which clients may know.
    """
    before, key = current(request), new_key()
    old, new = token_digest(browser_key(request)), token_digest(key)
    if before is not None and before.user_id == user.pk:
        session = before
        backchannel_logout.move_sign_ins(old, new)
    elif before is not None:
        session = LoginSession(user=user) if named == before.pk else LoginSession(pk=named, user=user)
        end(before)
    else:
        session = LoginSession(pk=named, user=user)
    session.digest, session.api = new, api
    session.authenticated_at = answer.authenticated_at
    session.acr, session.amr = answer.acr, list(answer.amr)
    session.identity_provider_session_id = answer.identity_provider_session_id
    session.is_remembered, session.expires_at = answer.remember, clock.now() + lifetime_of(answer)
    session.ip = caller_ip(request)
    session.user_agent = request.headers.get("User-Agent", "")[: longest(LoginSession, "user_agent")]
    session.save()
    # What was asked in another tab is answered in the same browser still.
    Challenge.objects.filter(browser=old, used_at=None).update(browser=new)
    return session, key


def is_live(session: LoginSession) -> bool:
    """Say whether the session has not ended, and keep it from ending until the transaction does."""
    return LoginSession.objects.select_for_update(of=("self",)).filter(pk=session.pk).exists()


@transaction.atomic
def keep(session: LoginSession, *, answer: LoginAnswer) -> None:
    """Go on with a session in which the login was skipped; it lasts longer where the login says so."""
    session.acr, session.amr = answer.acr or session.acr, list(answer.amr) or session.amr
    if answer.extend_session_lifespan:
        session.expires_at = clock.now() + lifetime_of(answer)
    session.save(update_fields=["acr", "amr", "expires_at"])


def lifetime_of(answer: LoginAnswer) -> timedelta:
    if not answer.remember:
        return timedelta(seconds=LIFETIME)
    return timedelta(seconds=answer.remember_for or settings.SESSION_COOKIE_AGE)


@transaction.atomic
def end(session: LoginSession) -> None:
    """End the session, and what clients have from it, as a sign-out here does."""
    session.delete()  # first: what is being issued from it has its row locked, and is then found below
    backchannel_logout.end_sign_ins(session.digest)


@receiver(person_signed_out)
def end_sessions(person: User, keep: str | None, **kwargs: Any) -> None:
    for session in LoginSession.objects.filter(user=person):
        if str(session.pk) != keep:
            end(session)


def delete_expired() -> None:
    """Delete sessions and challenges that are over."""
    now = clock.now()
    delete_in_batches(LoginSession.objects.filter(expires_at__lt=now), "expires_at")
    delete_in_batches(Challenge.objects.filter(expires_at__lt=now), "expires_at")
