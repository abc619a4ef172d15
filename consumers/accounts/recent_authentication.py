"""What counts as a recent authentication (consumers/sensitive_operations.py) besides signing in.

Where a second factor is held it must be that factor, so that neither the mailbox nor the password alone removes it.
"""

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from consumers.models import User


def forget_reauthentication(request: HttpRequest, user: User) -> None:
    """Let no reauthentication of this session count any more, such as one from before there was a second factor."""
    for record in get_authentication_records(request, user):
        record.pop("reauthenticated", None)
    request.session.modified = True


def record_new_factor(request: HttpRequest, user: User, authenticator: Authenticator, **signal: Any) -> None:
    """Count the setting up of a second factor as its first use: it takes a code of it, or a touch."""
    if authenticator.type in User.SECOND_FACTORS:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type, reauthenticated=True)
