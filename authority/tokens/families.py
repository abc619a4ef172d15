"""The tokens that descend from one person's permission: how refresh tokens follow each other, and how all end.

A refresh token is used once. Using it makes the next generation; a token of an earlier one that comes back was copied
by somebody, so the whole family ends (RFC 9700 section 4.14.2). A client may be given a grace of some seconds, for it
may have asked twice at once or lost the answer: then the generation just spent is answered again, a few times, with a
sibling of its successor. The first sibling that is used makes the next generation, and the others are worth nothing.

Every change locks the family's row first, so requests of all workers take their turns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from oauth2_provider.models import get_grant_model

from authority.client_directory import Entry
from authority.models import DeviceRequest, Family, RefreshToken, SignIn
from authority.people import subject
from authority.people.subject import Person
from authority.telemetry import request_trace
from authority.tokens import lifetimes
from clients.vocabulary import GrantType
from consumers.models import User
from core.db.prepared import Statement
from core.db.rowmap import Columns
from core.digests import digest

PREFIX = "cdrt_"  # by which secret scanners know a refresh token
MAX_GRACES = 5  # answers to one spent generation

TOKEN, FAMILY = Columns(RefreshToken), Columns(Family)
# The database is not asked for the client's token: it might look for that among all that the client has.
PRESENT = Statement(
    "present a refresh token",
    f"""
    SELECT token.generation, token.expires_at, {FAMILY.of("family")}, {subject.COLUMNS}
    FROM "{RefreshToken._meta.db_table}" AS token
    JOIN "{Family._meta.db_table}" AS family ON family.id = token.family_id
    JOIN "{User._meta.db_table}" AS person ON person.id = family.user_id
    LEFT JOIN "{SignIn._meta.db_table}" AS sign_in ON sign_in.id = family.id
    WHERE token.digest = %s
    FOR UPDATE OF family
    """,  # noqa: S608  # names of our own tables
)
# Whichever code the family is given for, each of which is used once.
SPENDING = f"""
    WITH code AS (DELETE FROM "{get_grant_model()._meta.db_table}" WHERE code = %s),
    device_code AS (DELETE FROM "{DeviceRequest._meta.db_table}" WHERE digest = %s)
"""  # noqa: S608  # names of tables
BEGIN = Statement("begin a family", f"{SPENDING} {FAMILY.insertion}")
BEGIN_WITH_TOKEN = Statement(
    "begin a refreshed family", f"{SPENDING}, family AS ({FAMILY.insertion}) {TOKEN.insertion}"
)
ROTATE = Statement(
    "rotate a refresh token",
    f"""
    WITH rotated AS (
        UPDATE "{Family._meta.db_table}"
        SET generation = %s, rotated_at = %s, graces = %s, needed_until = %s, dpop_jkt = %s
        WHERE id = %s
    )
    {TOKEN.insertion}
    """,  # noqa: S608  # names of our own tables
)


def new(entry: Entry, person: Person, *, grant_type: str, code: str, scopes: list[str], **more: Any) -> Family:
    """Return a family that is not saved yet: `begin` does, once nothing can refuse the request any more.

    `code` is the digest of what it is given for.
    """
    if person.sign_in is not None:
        more["id"] = person.sign_in.pk
    return Family(
        client=entry.client,
        user=person.user,
        as_member=person.came_as_member,
        grant_type=grant_type,
        code=code,
        scopes=scopes,
        **more,
    )


def begin(entry: Entry, family: Family, *, access_token: int, refresh_token: str | None) -> None:
    """Save a new family, with its first refresh token if it gets one, and spend what it is given for.

    Its access token lives so many seconds.
    """
    _need(family, timezone.now() + timedelta(seconds=access_token))
    if refresh_token is None:
        BEGIN.first(family.code, family.code, *FAMILY.values(family))
    else:
        token = _successor(entry, family, family.grant_type, refresh_token)
        BEGIN_WITH_TOKEN.first(family.code, family.code, *FAMILY.values(family), *TOKEN.values(token))


@dataclass(frozen=True, slots=True)
class Presented:
    """A refresh token that may be exchanged, its family locked until the transaction ends."""

    generation: int
    expires_at: datetime
    family: Family
    person: Person


def present(entry: Entry, refresh_token: str) -> Presented | None:
    """Return the refresh token if it may be exchanged. One that was spent earlier ends its family."""
    row = PRESENT.first(entry.client.consumer_id, digest(refresh_token))
    presented = _read(iter(row)) if row is not None else None
    mine = presented is not None and presented.family.client_id == entry.client.pk
    reason = _refusal(entry, presented) if presented is not None and mine else "refresh_token_unknown"
    if reason is not None:
        request_trace.because(reason)
        return None
    return presented


def _read(values: Iterator[Any]) -> Presented:
    generation, expires_at, family, person = next(values), next(values), FAMILY.take(values), subject.take(values)
    family.user = person.user
    return Presented(generation, expires_at, family, person)


def _refusal(entry: Entry, presented: Presented) -> str | None:
    """Return why the token cannot be exchanged, or None. Ends its family when it was spent before."""
    generation, family, now = presented.generation, presented.family, timezone.now()
    if not family.user.is_active:
        return "person_inactive"
    if not _lasts(entry, family) or (family.as_member and not presented.person.is_member):
        return "refresh_token_ended"
    if generation == family.generation:
        return None if presented.expires_at > now else "refresh_token_ended"
    grace = timedelta(seconds=entry.client.refresh_token_grace)
    if generation == family.generation - 1 and family.rotated_at and now < family.rotated_at + grace:
        return None if family.graces < MAX_GRACES else "refresh_token_used"
    end(Family.objects.filter(pk=family.pk))
    return "refresh_token_used"


def rotate(entry: Entry, spent: Presented, *, access_token: int, refresh_token: str) -> None:
    """Save the successor of a token that was presented; the access token beside it lives so many seconds."""
    family = spent.family
    if spent.generation == family.generation:
        family.generation += 1
        family.rotated_at, family.graces = timezone.now(), 0
    else:
        family.graces += 1
    _need(family, timezone.now() + timedelta(seconds=access_token))
    token = _successor(entry, family, GrantType.REFRESH_TOKEN, refresh_token)
    state = (family.generation, family.rotated_at, family.graces, family.needed_until, family.dpop_jkt)
    ROTATE.first(*state, family.pk, *TOKEN.values(token))


def _successor(entry: Entry, family: Family, grant_type: str, text: str) -> RefreshToken:
    """Return the family's next refresh token, unsaved; it waits to be used as long as its client and family may."""
    now = timezone.now()
    end = min(now + lifetimes.refresh_token(entry, grant_type), _ends_at(entry, family))
    _need(family, end)
    return RefreshToken(
        digest=digest(text), family_id=family.pk, generation=family.generation, created_at=now, expires_at=end
    )


def _need(family: Family, until: datetime) -> None:
    """Keep the row until then, and to the end of that day: else each refresh would write into the row's every index."""
    end = until.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    family.needed_until = max(end, family.needed_until or end)


# -- The end ----------------------------------------------------------------------------------------------------------


def holds(entry: Entry, family: Family) -> bool:
    """Say whether the family lives on: nobody ended it, and the person may still come in."""
    return _lasts(entry, family) and (not family.as_member or subject.is_member(family.user, entry.client))


def _lasts(entry: Entry, family: Family) -> bool:
    """Say whether the family lives on, unless the person may not come in any more as a member of the consumer."""
    if family.ended_at is not None or not family.user.is_active or entry.has_revoked(family.began_at):
        return False
    return _ends_at(entry, family) > timezone.now()


def _ends_at(entry: Entry, family: Family) -> datetime:
    """Return when refreshing ends at the latest, however often it is done."""
    return family.began_at + lifetimes.family(entry, family.scopes)


def end(families: QuerySet[Family]) -> int:
    """End the families with all their tokens, for good; return how many. Whoever is changing one finishes first."""
    return families.filter(ended_at=None).update(ended_at=timezone.now())
