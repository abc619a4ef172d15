"""Requests that the provider's own server answers: the challenge that the browser carries there, and the verifier back.

The challenge says which request is meant, and proves nothing: only the server, by the management API, answers it. The
verifier proves that it was answered; it works once, in the browser that the challenge was made for, and for the
authorization request that it was made of.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from oauthlib.oauth2.rfc6749.errors import AccessDeniedError

from authority.authorization import quotas
from authority.models import Challenge, LoginSession
from authority.protocol import redirect_uris
from authority.protocol.errors import OAuth2Error
from clients.models import Api, Client
from core import clock, credentials
from core.credentials import token_digest
from core.encryption import fernet

LIFETIME = timedelta(minutes=30)
# Whoever opens an app's sign-in makes one, and many are left open: a client may have more of them than of requests that
# it makes itself, and an office more in a minute. Those of somebody who is signed in are not counted by network.
MAX_OPEN, PER_NETWORK = 50_000, 300
LOOKED_AT, BATCH = 16, 500  # one in so many looks whether there are too many, and deletes as many
CHALLENGE, VERIFIER = "cdch_", "cdcv_"  # for secret scanners
Kind = Challenge.Kind
# The verifier of each kind, which the browser brings back.
VERIFIERS = {Kind.LOGIN: "login_verifier", Kind.CONSENT: "consent_verifier", Kind.LOGOUT: "logout_verifier"}


class RejectedError(OAuth2Error):
    """The provider's own server said no, in its own words."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered: the members of its acceptance."""

    digest: str
    request: Mapping[str, Any]
    session: LoginSession | None
    members: Mapping[str, Any]


def create(
    kind: Challenge.Kind,
    *,
    api: Api,
    client: Client | None,
    browser: str,
    session: LoginSession | None,
    request: Mapping[str, Any],
    ip: str | None,
) -> str:
    """Save what is asked; return the challenge. `browser` is the key in its cookie. Raises TooManyRequestsError."""
    if client is not None:
        if session is None:
            quotas.count_by_network(f"{kind} challenge", client, ip, PER_NETWORK)
        _make_room(kind, client)
    challenge = credentials.generate(CHALLENGE)
    Challenge.objects.create(
        digest=token_digest(challenge),
        kind=kind,
        client=client,
        api=api,
        browser=token_digest(browser),
        session=session,
        encrypted_request=_seal(request),
        expires_at=clock.now() + LIFETIME,
    )
    return challenge


def _make_room(kind: Challenge.Kind, client: Client) -> None:
    """Delete the oldest of too many that are open, looked at now and then.

    To refuse the newest instead would let whoever opens many shut everybody out.
    """
    if secrets.randbelow(LOOKED_AT) == 0:
        open_now = Challenge.objects.filter(client=client, kind=kind, answered_at=None).order_by("-expires_at")
        oldest = list(open_now.values_list("pk", flat=True)[MAX_OPEN : MAX_OPEN + BATCH])
        Challenge.objects.filter(pk__in=oldest).delete()


def withdraw(kind: Challenge.Kind, session: LoginSession) -> None:
    """Delete what is asked about the session and nobody has answered."""
    Challenge.objects.filter(kind=kind, session=session, answered_at=None).delete()


def find(kind: Challenge.Kind, challenge: str) -> Challenge | None:
    """Return the challenge that is open or was answered, or None."""
    live = Challenge.objects.select_related("client__consumer", "api", "session__user")
    return live.filter(digest=token_digest(challenge), kind=kind, expires_at__gt=clock.now()).first()


def request_of(row: Challenge) -> dict[str, Any]:
    return _open(row.encrypted_request)


def answer(row: Challenge, **members: Any) -> str | None:
    """Save the answer, once; return the verifier, or None where it was answered before."""
    verifier = credentials.generate(VERIFIER)
    open_now = Challenge.objects.filter(pk=row.pk, answered_at=None, expires_at__gt=clock.now())
    saved = open_now.update(encrypted_answer=_seal(members), verifier=token_digest(verifier), answered_at=clock.now())
    return verifier if saved else None


def return_url(row: Challenge, verifier: str) -> str:
    """Return where the browser goes on, with the verifier."""
    return redirect_uris.with_parameters(request_of(row)["return_url"], [(VERIFIERS[Kind(row.kind)], verifier)])


def url_with(address: str, kind: Challenge.Kind, challenge: str) -> str:
    """Return the login's address with the challenge, beside a query that it may have."""
    return redirect_uris.with_parameters(address, [(f"{kind.value}_challenge", challenge)])


def take(kind: Challenge.Kind, verifier: str, *, browser: str, path: str) -> Answer:
    """Return the answer of the verifier, which is used up by it. Raises AccessDeniedError and RejectedError.

    `path` is where the browser is now, with the query that the challenge was made for.
    """
    row = (
        Challenge.objects.select_related("session__user", "api")
        .filter(verifier=token_digest(verifier), kind=kind, used_at=None, expires_at__gt=clock.now())
        .first()
    )
    if row is None or not browser or row.browser != token_digest(browser):
        raise AccessDeniedError("The answer of the login is unknown, was used before, or is of another browser.")
    request = request_of(row)
    if urlsplit(request["return_url"])[2:4] != urlsplit(path)[2:4]:
        raise AccessDeniedError("The answer of the login is of another request.")
    if not Challenge.objects.filter(pk=row.pk, used_at=None).update(used_at=clock.now()):
        raise AccessDeniedError("The answer of the login was used before.")
    members = _open(row.encrypted_answer)
    if "error" in members:
        raise RejectedError(members["error"], members["error_description"])
    return Answer(row.digest, request, row.session, members)


def taken(kind: Challenge.Kind, digest: str) -> dict[str, Any] | None:
    """Return the members of an answer that a browser has brought back, or None."""
    row = Challenge.objects.filter(digest=digest, kind=kind, expires_at__gt=clock.now()).exclude(used_at=None).first()
    return _open(row.encrypted_answer) if row is not None else None


def _seal(members: Mapping[str, Any]) -> bytes:
    return fernet().encrypt(json.dumps(members).encode())


def _open(sealed: Any) -> dict[str, Any]:
    opened: dict[str, Any] = json.loads(fernet().decrypt(bytes(sealed)))
    return opened
