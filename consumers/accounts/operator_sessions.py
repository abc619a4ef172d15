"""Browser sessions of operators: shorter than those of others, and with a second factor that was used in them.

docs/decisions/0032-second-factors-and-codes.md says why.
"""

from datetime import UTC, datetime, timedelta

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest
from django.utils import timezone

from consumers.models import User

WRITE_INTERVAL = timedelta(minutes=1)  # in which the new end of a session is written once


def used_second_factor(request: HttpRequest, user: User) -> bool:
    """Say whether the person has used a passkey, an authenticator app or a recovery code in this session."""
    return any(record["method"] == "mfa" for record in get_authentication_records(request, user))


def extend(request: HttpRequest, user: User) -> bool:
    """Let the session end after a while without requests, and some hours after the sign-in at the latest.

    Django's own expiry does the rest. Returns False, and ends the session, when it should have ended already: such as
    one whose sign-in is unknown or is older than the person's rights.
    """
    records = get_authentication_records(request, user)
    now = timezone.now()
    signed_in_at = datetime.fromtimestamp(records[0]["at"], UTC) if records else datetime.min.replace(tzinfo=UTC)
    end = min(
        now + timedelta(seconds=settings.OPERATOR_SESSION_IDLE),
        signed_in_at + timedelta(seconds=settings.OPERATOR_SESSION_MAX),
    )
    if end <= now:
        logout(request)
        return False
    if abs(request.session.get_expiry_date() - end) > WRITE_INTERVAL:
        request.session.set_expiry(end)
    return True
