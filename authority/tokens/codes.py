"""Authorization codes: hashed at rest, redeemed once, and what they gave is taken back when they come again.

The token endpoint hashes a code as it comes in, so that what oauthlib and the toolkit call the code is its digest.
"""

import json
from collections.abc import Collection
from typing import Any

from oauth2_provider.models import get_grant_model

from authority.models import Family, SignIn
from authority.people import subject
from authority.people.subject import Person
from authority.tokens import families
from clients.models import Client
from consumers.models import User
from core.db.prepared import Statement
from core.db.rowmap import Columns

Grant = get_grant_model()

GRANT = Columns(Grant)
LOCK = Statement(
    "lock a code",
    f"""
    SELECT {GRANT.of("code")}, {subject.COLUMNS}
    FROM "{Grant._meta.db_table}" AS code
    JOIN "{User._meta.db_table}" AS person ON person.id = code.user_id
    LEFT JOIN "{SignIn._meta.db_table}" AS sign_in ON sign_in.id = (nullif(claims, '')::jsonb ->> 'sign_in')::uuid
    WHERE code.code = %s
    FOR UPDATE OF code
    """,  # noqa: S608  # names of tables
)


def lock(code: str, client: Client) -> tuple[Any, Person] | None:
    """Return the client's unspent code, locked until the transaction ends, and the person whose it is; or None.

    Whose it is is compared here: the database might look for it among all that the client has, not by its digest.
    """
    row = LOCK.first(client.consumer_id, code)
    if row is None:
        return None
    values = iter(row)
    grant, person = GRANT.take(values), subject.take(values)
    return (grant, person) if grant.application_id == client.pk else None


def bound_to(grant: Any) -> str:
    """Return the thumbprint of the key that the authorization request named, or nothing (RFC 9449 section 10)."""
    return json.loads(grant.claims or "{}").get("dpop_jkt") or ""


def withdraw(ended: Collection[SignIn]) -> None:
    """Delete the codes of sign-ins whose session ends, but those for going on without it.

    One that is being exchanged just now is waited for, so that whoever ends families next finds what it gave.
    """
    names = {str(sign_in.pk) for sign_in in ended}
    waiting = Grant.objects.filter(user__in={sign_in.user_id for sign_in in ended})
    gone = [grant.pk for grant in waiting if _sign_in_of(grant) in names and ends_with_session(grant.scope.split())]
    Grant.objects.filter(pk__in=gone).delete()


def _sign_in_of(grant: Any) -> str | None:
    found: str | None = json.loads(grant.claims or "{}").get("sign_in")
    return found


def ends_with_session(scopes: Collection[str]) -> bool:
    """Say whether what is granted with the scopes ends when the person signs out (Back-Channel Logout section 2.7)."""
    return "openid" in scopes and "offline_access" not in scopes


def revoke_what_it_gave(code: str, client: Client) -> bool:
    """Take back the tokens of a code that its client presents again (RFC 6749 section 4.1.2); say whether it does."""
    given = Family.objects.filter(code=code, client=client)
    families.end(given)
    return given.exists()
