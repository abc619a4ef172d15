"""Tries of the second step: browsers that an account has signed in from have their own.

allauth counts tries by account, so that whoever knows a password could spend those of its owner.
"""

from allauth.account.adapter import get_adapter
from allauth.core import context, ratelimit
from allauth.mfa.base import forms

from consumers.accounts import known_browsers
from consumers.models import User
from core.rate_limits import Budget

_tries = Budget("second-steps", (5, 300))


def take_try(user: User) -> None:
    """Take one of a known browser's own tries, before which no stranger's counts. Raises ValidationError."""
    request = context.request
    if not known_browsers.is_known(request, user):
        return
    if _tries.spend(str(user.pk)):
        raise get_adapter().validation_error("too_many_login_attempts")
    ratelimit.clear(request, action="login_failed", key=f"mfa-auth-user-{user.pk}")


class AuthenticateForm(forms.AuthenticateForm):
    def clean_code(self) -> str:
        take_try(self.user)
        return str(super().clean_code())


class ReauthenticateForm(forms.ReauthenticateForm):
    def clean_code(self) -> str:
        take_try(self.user)
        return str(super().clean_code())
