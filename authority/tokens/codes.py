"""Authorization codes: stored as digests, redeemed once; a replay revokes the tokens that were issued for the code.

The token endpoint hashes a code as it comes in, so what oauthlib and the toolkit call the code is its digest.
"""

import json
from collections.abc import Collection
from typing import Any

from oauth2_provider.models import get_grant_model

from authority.models import SignIn, TokenFamily
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
    LEFT JOIN "{SignIn._meta.db_table}" AS sign_in ON sign_in.id = (nullif(code.claims, '')::jsonb ->> 'sign_in')::uuid
    WHERE code.code = %s
    FOR UPDATE OF code
    """,  # noqa: S608  # names of tables
)


def lock_code(code: str, client: Client) -> tuple[Any, Person] | None:
    """Return the client's unredeemed code, locked until the transaction ends, and its person; or None.

    The client is compared here, not in the statement: PostgreSQL might search all codes of the client instead of using
    the digest's index.
    """
    row = LOCK.first(client.consumer_id, code)
    if row is None:
        return None
    values = iter(row)
    grant, person = GRANT.take(values), subject.person_from_row(values)
    return (grant, person) if grant.application_id == client.pk else None


def bound_key(grant: Any) -> str:
    """Return the dpop_jkt of the authorization request, or an empty string (RFC 9449 section 10)."""
    return json.loads(grant.claims or "{}").get("dpop_jkt") or ""


def delete_of_sign_ins(ended: Collection[SignIn]) -> None:
    """Delete the codes of sign-ins whose session ends, except those with offline_access.

    A code that is being exchanged is waited for, so that a caller that revokes families next finds its family.
    """
    names = {str(sign_in.pk) for sign_in in ended}
    open_codes = Grant.objects.filter(user__in={sign_in.user_id for sign_in in ended})
    ended_codes = [
        grant.pk for grant in open_codes if _sign_in_id(grant) in names and ends_with_session(grant.scope.split())
    ]
    Grant.objects.filter(pk__in=ended_codes).delete()


def _sign_in_id(grant: Any) -> str | None:
    found: str | None = json.loads(grant.claims or "{}").get("sign_in")
    return found


def ends_with_session(scopes: Collection[str]) -> bool:
    """Return whether tokens with these scopes end when the person signs out (Back-Channel Logout section 2.7)."""
    return "openid" in scopes and "offline_access" not in scopes


def revoke_issued_tokens(code: str, client: Client) -> bool:
    """Revoke the tokens of a code that is replayed (RFC 6749 section 4.1.2); return whether there were any."""
    issued = TokenFamily.objects.filter(code=code, client=client)
    families.revoke(issued)
    return issued.exists()
