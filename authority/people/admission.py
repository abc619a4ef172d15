"""Whether a person may sign in to a client that asks for an API's scopes, as the API says.

It is asked when they sign in, and at each refresh: so what an operator narrows holds from the next refresh on.
"""

from collections.abc import Iterable

from allauth.socialaccount.models import SocialAccount

from authority.client_directory import ClientEntry, Permission
from authority.people.subject import Person
from clients.models import Access, Api, Scope, SignInBy
from connections.models import Connection, ConnectionSession, Identity
from consumers.models import Consumer, Membership, User
from consumers.scopes import AUDIENCE
from core.db.prepared import Statement

CHOSEN, FOR = Api.sign_in_connections.through, Connection.consumers.through
# Of a connection that is for some consumers, people sign in to their clients alone: another customer's provider has no
# word there.
_OF_A_CHOSEN_CONNECTION = f"""
    SELECT 1
    FROM "{SocialAccount._meta.db_table}" AS account
    JOIN "{Identity._meta.db_table}" AS identity ON identity.account_id = account.id
    JOIN "{Connection._meta.db_table}" AS connection ON connection.id = identity.connection_id
    JOIN "{CHOSEN._meta.db_table}" AS chosen ON chosen.connection_id = connection.id
    JOIN "{Api._meta.db_table}" AS api ON api.id = chosen.api_id
    WHERE account.user_id = %s AND api.identifier = %s AND connection.sign_in <> 'off' AND (
        EXISTS (SELECT FROM "{FOR._meta.db_table}" WHERE connection_id = connection.id AND consumer_id = %s)
        OR NOT EXISTS (SELECT FROM "{FOR._meta.db_table}" WHERE connection_id = connection.id)
    )
"""  # noqa: S608  # names of our own tables
OF_A_CHOSEN_CONNECTION = Statement(
    "is the person of a connection that the API lets sign in", f"{_OF_A_CHOSEN_CONNECTION} LIMIT 1"
)
BEGUN_AT_A_CHOSEN_CONNECTION = Statement(
    "did the session begin at a connection that the API lets sign in",
    f"""
    {_OF_A_CHOSEN_CONNECTION} AND EXISTS (
        SELECT FROM "{ConnectionSession._meta.db_table}" AS began
        WHERE began.identity_id = identity.account_id AND began.session_key = %s
    )
    LIMIT 1
    """,  # names of our own tables
)
OF_A_CONSUMER_OF_THE_API = Statement(
    "is the person a member of a consumer that may use the API",
    f"""
    SELECT 1
    FROM "{Membership._meta.db_table}" AS membership
    JOIN "{Consumer._meta.db_table}" AS consumer ON consumer.id = membership.consumer_id
    JOIN "{Access._meta.db_table}" AS access ON access.consumer_id = consumer.id
    JOIN "{Scope._meta.db_table}" AS scope ON scope.id = access.scope_id
    JOIN "{Api._meta.db_table}" AS api ON api.id = scope.api_id
    WHERE membership.user_id = %s AND api.identifier = %s AND consumer.suspended_at IS NULL
        AND (access.expires_at IS NULL OR access.expires_at > now())
    LIMIT 1
    """,  # noqa: S608  # names of our own tables
)


def is_admitted(entry: ClientEntry, permission: Permission, person: Person, *, session_key: str | None = None) -> bool:
    """Say whether the person may sign in to the client for this permission. Members cost no query.

    In the browser session of `session_key`, whoever comes by a connection must have signed in by it there: a passkey or
    a mailed code here would outlive their account at the provider. A client that registered itself is of nobody's
    workspace: there the members of every consumer that may use the API sign in. Whom the management API lets do what is
    its own question.
    """
    user: User = person.user
    if permission.audience == AUDIENCE:
        return user.login_subject is None
    if permission.sign_in == SignInBy.OWN_LOGIN:
        return user.login_subject is not None
    if user.login_subject is not None:
        return False
    if person.is_member:
        return True
    of = (user.pk, permission.audience)
    if permission.sign_in == SignInBy.CONNECTIONS:
        here = (*of, entry.client.consumer_id)
        if session_key is None:
            found = OF_A_CHOSEN_CONNECTION.first(*here)
        else:
            found = BEGUN_AT_A_CHOSEN_CONNECTION.first(*here, session_key)
        if found is not None:
            return True
    return entry.is_self_registered and OF_A_CONSUMER_OF_THE_API.first(*of) is not None


def scopes_open_to(entry: ClientEntry, scopes: Iterable[str], person: Person) -> list[str]:
    """Return the scopes without those of APIs whose rule shuts the person out, each API asked once."""
    scopes, permissions = list(scopes), entry.permissions
    answers: dict[str, bool] = {}
    for permission in (permissions[value] for value in scopes if value in permissions):
        if permission.audience not in answers:
            answers[permission.audience] = is_admitted(entry, permission, person)
    return [value for value in scopes if value not in permissions or answers[permissions[value].audience]]
