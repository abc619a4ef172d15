"""Signing out of the provider's own login, by the logout challenge of Ory Hydra.

The session here is not touched by it: whoever the provider signs in was never signed in here.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse

from authority.authorization import challenges, login_sessions
from authority.authorization.challenges import Kind
from authority.endpoints.browser_responses import leave
from authority.endpoints.interaction import public_url
from authority.models import LoginSession
from clients.models import Client
from consumers.models import User
from core.client_ip import caller_ip

OF, LOGIN = "session", "login"  # which session the person's answer is about, in the address of our form


def is_meant(request: HttpRequest, subject: str | None) -> bool:
    """Say whether a logout request, with the subject of its hint, is about the provider's own login."""
    if subject is not None:
        return User.objects.filter(login_subject=subject).exists()
    return not request.user.is_authenticated and login_sessions.current(request) is not None


def lead(
    request: HttpRequest, session: LoginSession, address: str, *, client: Client | None, is_of_client: bool
) -> HttpResponse:
    """Lead the browser to the login's logout address. Raises TooManyRequestsError.

    `address` is that of the request, where the browser comes back; a session has one such request open.
    """
    key = login_sessions.browser_key(request)
    challenges.withdraw(Kind.LOGOUT, session)
    asked: dict[str, Any] = {
        "subject": session.user.subject,
        "sid": str(session.pk),
        "request_url": public_url(address),
        "rp_initiated": is_of_client,
        "return_url": public_url(address),
    }
    challenge = challenges.create(
        Kind.LOGOUT, api=session.api, client=client, browser=key, session=session, request=asked, ip=caller_ip(request)
    )
    return leave(request, challenges.url_with(session.api.logout_url, Kind.LOGOUT, challenge), after_form=False)


def take(request: HttpRequest, verifier: str, address: str) -> LoginSession | None:
    """Return the session that the login lets end. Raises AccessDeniedError."""
    browser = login_sessions.browser_key(request)
    return challenges.take(Kind.LOGOUT, verifier, browser=browser, path=address).session
