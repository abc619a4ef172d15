"""Token families: refresh token rotation with reuse detection, and the revocation of all tokens of a grant.

A refresh token is used once. Its use starts the next generation; a token of an earlier generation that comes back has
been copied, so the whole family is revoked (RFC 9700 section 4.14.2). A client may have a grace period of some seconds,
since it may have sent two requests at once or lost the response: then the generation just used is accepted again, a few
times, and gets a sibling of its successor. The first sibling that is used starts the next generation; the others become
invalid.

Every change locks the family's row first, so parallel requests of all workers are serialized.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from oauth2_provider.models import get_grant_model

from authority.client_directory import ClientEntry
from authority.models import DeviceRequest, RefreshToken, SignIn, TokenFamily
from authority.people import subject
from authority.people.subject import Person
from authority.telemetry import request_trace
from authority.telemetry.reasons import Reason
from authority.tokens import lifetimes
from clients.vocabulary import GrantType
from consumers.models import User
from core import clock
from core.credentials import token_digest
from core.db.prepared import Statement
from core.db.rowmap import Columns

PREFIX = "cdrt_"  # for secret scanners
MAX_GRACE_USES = 5  # responses to one used generation

TOKEN, FAMILY = Columns(RefreshToken), Columns(TokenFamily)
# The client is not in the condition: PostgreSQL might search all its tokens instead of using the digest's index.
LOCK_REFRESH_TOKEN = Statement(
    "lock a refresh token",
    f"""
    SELECT token.generation, token.expires_at, {FAMILY.of("family")}, {subject.COLUMNS}
    FROM "{RefreshToken._meta.db_table}" AS token
    JOIN "{TokenFamily._meta.db_table}" AS family ON family.id = token.family_id
    JOIN "{User._meta.db_table}" AS person ON person.id = family.user_id
    LEFT JOIN "{SignIn._meta.db_table}" AS sign_in ON sign_in.id = family.id
    WHERE token.digest = %s
    FOR UPDATE OF family
    """,  # noqa: S608  # names of our own tables
)
# The code or device code that the family is issued for.
REDEEM_CODE = f"""
    WITH code AS (DELETE FROM "{get_grant_model()._meta.db_table}" WHERE code = %s),
    device_code AS (DELETE FROM "{DeviceRequest._meta.db_table}" WHERE digest = %s)
"""  # noqa: S608  # names of tables
CREATE = Statement("create a family", f"{REDEEM_CODE} {FAMILY.insertion}")
CREATE_WITH_TOKEN = Statement(
    "create a family with a token", f"{REDEEM_CODE}, family AS ({FAMILY.insertion}) {TOKEN.insertion}"
)
ROTATE = Statement(
    "rotate a refresh token",
    f"""
    WITH rotated AS (
        UPDATE "{TokenFamily._meta.db_table}"
        SET generation = %s, rotated_at = %s, grace_uses = %s, retain_until = %s, dpop_jkt = %s
        WHERE id = %s
    )
    {TOKEN.insertion}
    """,  # noqa: S608  # names of our own tables
)


def new_family(
    entry: ClientEntry, person: Person, *, grant_type: str, code: str, scopes: list[str], **more: Any
) -> TokenFamily:
    """Return an unsaved family; `create` saves it, once nothing can refuse the request any more.

    `code` is the digest of the code or device code that it is issued for.
    """
    if person.sign_in is not None:
        more["id"] = person.sign_in.pk
    return TokenFamily(
        client=entry.client,
        user=person.user,
        as_member=person.came_as_member,
        grant_type=grant_type,
        code=code,
        scopes=scopes,
        **more,
    )


def create(entry: ClientEntry, family: TokenFamily, *, access_token: int, refresh_token: str | None) -> None:
    """Save a new family, with its first refresh token if it gets one, and delete its code.

    `access_token` is the lifetime of its access token in seconds.
    """
    _retain(family, clock.now() + timedelta(seconds=access_token))
    if refresh_token is None:
        CREATE.first(family.code, family.code, *FAMILY.values(family))
    else:
        token = _next_refresh_token(entry, family, family.grant_type, refresh_token)
        CREATE_WITH_TOKEN.first(family.code, family.code, *FAMILY.values(family), *TOKEN.values(token))


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A valid refresh token, its family locked until the transaction ends."""

    generation: int
    expires_at: datetime
    family: TokenFamily
    person: Person


def lock_refresh_token(entry: ClientEntry, refresh_token: str) -> PresentedToken | None:
    """Return the refresh token if it is valid. One that was used before revokes its family."""
    row = LOCK_REFRESH_TOKEN.first(entry.client.consumer_id, token_digest(refresh_token))
    presented = _presented_from_row(iter(row)) if row is not None else None
    mine = presented is not None and presented.family.client_id == entry.client.pk
    reason = _refusal_reason(entry, presented) if presented is not None and mine else "refresh_token_unknown"
    if reason is not None:
        request_trace.set_reason(reason)
        return None
    return presented


def _presented_from_row(values: Iterator[Any]) -> PresentedToken:
    generation, expires_at, family, person = (
        next(values),
        next(values),
        FAMILY.take(values),
        subject.person_from_row(values),
    )
    family.user = person.user
    return PresentedToken(generation, expires_at, family, person)


def _refusal_reason(entry: ClientEntry, presented: PresentedToken) -> Reason | None:
    """Return why the token is refused, or None. Revokes its family when the token was used before."""
    generation, family, now = presented.generation, presented.family, clock.now()
    if not family.user.is_active:
        return "person_inactive"
    if not _is_active(entry, family) or (family.as_member and not presented.person.is_member):
        return "refresh_token_ended"
    if generation == family.generation:
        return None if presented.expires_at > now else "refresh_token_ended"
    grace = timedelta(seconds=entry.client.refresh_token_grace)
    if generation == family.generation - 1 and family.rotated_at and now < family.rotated_at + grace:
        return None if family.grace_uses < MAX_GRACE_USES else "refresh_token_used"
    revoke(TokenFamily.objects.filter(pk=family.pk))
    return "refresh_token_used"


def rotate(entry: ClientEntry, presented: PresentedToken, *, access_token: int, refresh_token: str) -> None:
    """Save the successor of a refresh token; `access_token` is the access token's lifetime in seconds."""
    family = presented.family
    if presented.generation == family.generation:
        family.generation += 1
        family.rotated_at, family.grace_uses = clock.now(), 0
    else:
        family.grace_uses += 1
    _retain(family, clock.now() + timedelta(seconds=access_token))
    token = _next_refresh_token(entry, family, GrantType.REFRESH_TOKEN, refresh_token)
    state = (family.generation, family.rotated_at, family.grace_uses, family.retain_until, family.dpop_jkt)
    ROTATE.first(*state, family.pk, *TOKEN.values(token))


def _next_refresh_token(entry: ClientEntry, family: TokenFamily, grant_type: str, text: str) -> RefreshToken:
    """Return the family's next refresh token, unsaved; it expires with the idle time or with its family."""
    now = clock.now()
    end = min(now + lifetimes.refresh_token(entry, grant_type), _ends_at(entry, family))
    _retain(family, end)
    return RefreshToken(
        digest=token_digest(text), family_id=family.pk, generation=family.generation, created_at=now, expires_at=end
    )


def _retain(family: TokenFamily, until: datetime) -> None:
    """Retain the row until then, rounded to the end of the day: else each refresh would update all of its indexes."""
    end = until.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    family.retain_until = max(end, family.retain_until or end)


# -- Revocation -----------------------------------------------------------------------------------------------------


def is_active_for(entry: ClientEntry, family: TokenFamily) -> bool:
    """Return whether the family is active: not revoked, not expired, and its person still has access."""
    return _is_active(entry, family) and (not family.as_member or subject.is_member(family.user, entry.client))


def _is_active(entry: ClientEntry, family: TokenFamily) -> bool:
    """Return whether the family is active, without regard to the person's membership."""
    if family.ended_at is not None or not family.user.is_active or entry.has_signed_out(family.began_at):
        return False
    return _ends_at(entry, family) > clock.now()


def _ends_at(entry: ClientEntry, family: TokenFamily) -> datetime:
    """Return when the family expires, however often it is refreshed."""
    return family.began_at + lifetimes.family(entry, family.scopes)


def revoke(families: QuerySet[TokenFamily]) -> int:
    """Revoke the families with all their tokens; return how many. A request that holds a lock finishes first."""
    return families.filter(ended_at=None).update(ended_at=clock.now())
