"""Tries of the second step: browsers that an account has signed in from have their own.

allauth counts tries by account, so that whoever knows a password could spend those of its owner.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.core.internal import ratelimit
from allauth.mfa.base import forms

from consumers.accounts import known_browsers
from consumers.models import User
from core.rate_limits import Budget

_tries = Budget("second-steps", (5, 300))


@contextmanager
def own_try(user: User) -> Iterator[None]:
    """Try with one of a known browser's own tries, before which no stranger's counts. A success gives it back.

    Raises ValidationError when there are none left.
    """
    if not known_browsers.is_known(context.request, user):
        yield
        return
    if _tries.spend(str(user.pk)):
        raise get_adapter().validation_error("too_many_login_attempts")
    _forget_strangers(user)
    yield
    _tries.refund(str(user.pk))


def _forget_strangers(user: User) -> None:
    """Clear what allauth has counted for the account, and not what it has for the network."""
    for rate in str(app_settings.RATE_LIMITS["login_failed"]).split(","):
        if rate.endswith("/key"):
            ratelimit.clear(
                context.request,
                app="allauth.account",
                action="login_failed",
                config={"login_failed": rate},
                key=f"mfa-auth-user-{user.pk}",
            )


class AuthenticateForm(forms.AuthenticateForm):
    def clean_code(self) -> str:
        with own_try(self.user):
            return str(super().clean_code())


class ReauthenticateForm(forms.ReauthenticateForm):
    def clean_code(self) -> str:
        with own_try(self.user):
            return str(super().clean_code())
