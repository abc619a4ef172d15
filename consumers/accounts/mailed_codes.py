"""Budgets of mailed codes: so many that nobody used, for each account, from whatever address they are asked for.

Browsers that have signed in to the account before have a budget of their own, so that a stranger does not spend it. An
address without an account has one too, so that the answers are the same and nobody's mailbox is filled.
docs/decisions/0032-second-factors-and-codes.md has the arithmetic.
"""

from datetime import timedelta
from math import ceil
from typing import Any

from allauth.account import signals
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from django.http import HttpRequest
from django.shortcuts import render
from django.utils import timezone

from consumers.accounts import known_browsers
from consumers.models import User
from core.rate_limits import Budget

HOUR, DAY = 3600, 24 * 3600
PER_HOUR, PER_DAY = 5, 10
_unused = Budget("mailed-codes", (PER_HOUR, HOUR), (PER_DAY, DAY))


def spend(request: HttpRequest, email: str) -> None:
    """Count one more code to the address. Raises ImmediateHttpResponse with a page when there are none left."""
    wait = _unused.spend(_key(request, email))
    if not wait:
        return
    # allauth has replaced the last code already, which still works: forget that.
    request.session = type(request.session)(request.session.session_key)
    context = {"email": email, "again_at": timezone.now() + timedelta(seconds=wait)}
    response = render(request, "account/codes_spent.html", context, status=429)
    response.headers["Retry-After"] = str(ceil(wait))
    raise ImmediateHttpResponse(response)


def refund(request: HttpRequest, email: str) -> None:
    """Count the last code to the address no more, since somebody has used it."""
    _unused.refund(_key(request, email))


def _key(request: HttpRequest, email: str) -> str:
    """Name the budget: of the account, for strangers or known browsers, or of the address."""
    if (user := User.objects.of_address(email).first()) is not None:
        return f"{'known' if known_browsers.is_known(request, user) else 'account'}:{user.pk}"
    return _address_key(email)


def _address_key(email: str) -> str:
    """Name the budget of an address without account; a tag (“+x”) leads to the same mailbox."""
    local, _, domain = email.casefold().rpartition("@")
    return f"address:{local.partition('+')[0]}@{domain}"


def connect_signals() -> None:
    """Hear of each code that is used: at sign-in and reauthentication, for a password, and for an address."""
    signals.authentication_step_completed.connect(_authenticated)
    signals.password_reset.connect(_password_reset)
    signals.email_confirmed.connect(_email_confirmed)


def _authenticated(request: HttpRequest, method: str, user: User, email: str = "", **signal: Any) -> None:
    if method == "code":
        refund(request, email or user.email)


def _password_reset(request: HttpRequest, user: User, **signal: Any) -> None:
    refund(request, user.email)


def _email_confirmed(request: HttpRequest, email_address: EmailAddress, **signal: Any) -> None:
    _unused.refund(_address_key(email_address.email))  # of when it was not the account's yet
