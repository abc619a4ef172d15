"""All refresh tokens that descend from one sign-in, and their end together (RFC 9700 section 4.14.2)."""

import hashlib
from uuid import UUID

from django.db import connection
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

AccessToken = get_access_token_model()
RefreshToken = get_refresh_token_model()


def checksum(token: str) -> str:
    """Return what rests of a token in the database."""
    return hashlib.sha256(token.encode()).hexdigest()


def lock(family: UUID) -> None:
    """Let one request at a time, of all workers, change the family, until its transaction ends.

    Row locks are not enough: a sweep over the family's rows cannot see the row that a rotation is about to insert.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(family)])


def revoke(family: UUID) -> None:
    """End every token of the family."""
    lock(family)
    RefreshToken.revoke_family(family)
