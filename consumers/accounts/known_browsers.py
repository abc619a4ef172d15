"""The accounts that a browser has signed in to before, in a signed cookie of its own: the server keeps no list."""

from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from consumers.models import User

COOKIE = settings.SESSION_COOKIE_NAME.replace("session", "known")
SALT = "consumers.accounts.known_browsers"
YEAR = 365 * 24 * 3600
AT_MOST = 8


def _mark(user: User) -> str:
    return sha256(f"{settings.SECRET_KEY}:{user.pk}".encode()).hexdigest()[:20]


def _marks(request: HttpRequest) -> list[str]:
    value = request.get_signed_cookie(COOKIE, default="", salt=SALT, max_age=YEAR)
    return value.split(".") if value else []


def is_known(request: HttpRequest, user: User) -> bool:
    """Say whether the account has signed in from this browser within a year."""
    return _mark(user) in _marks(request)


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    kept = [_mark(user), *_marks(request)][:AT_MOST]
    response.set_signed_cookie(
        COOKIE,
        ".".join(kept),
        salt=SALT,
        max_age=YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
