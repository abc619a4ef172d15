"""How a browser session began at a provider: kept among the records of authentication that allauth has in it."""

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.socialaccount.models import SocialAccount
from django.http import HttpRequest

from connections.models import Connection
from connections.relying_party.claims import Person
from consumers.models import User

METHOD = "socialaccount"


def record(
    request: HttpRequest, connection: Connection, account: SocialAccount, person: Person, *, again: bool = False
) -> None:
    """Record that the person has signed in at the provider; `again` where they were signed in here already."""
    record_authentication(
        request,
        account.user,
        METHOD,
        provider=account.provider,
        uid=account.uid,
        connection=str(connection.pk),
        name=connection.name,
        sid=person.sid,
        authenticated_at=person.authenticated_at,
        amr=list(person.amr),
        reauthenticated=True if again else None,
    )


def forget(request: HttpRequest, user: User) -> None:
    """Forget the sign-ins by connections of this session, such as when the person disconnects one."""
    records = get_authentication_records(request, user)
    records[:] = [each for each in records if each["method"] != METHOD]
    request.session.modified = True


def latest(request: HttpRequest, user: User) -> dict[str, Any] | None:
    """Return the last record of a sign-in by a connection, or None."""
    found = [each for each in get_authentication_records(request, user) if each["method"] == METHOD]
    return found[-1] if found else None
