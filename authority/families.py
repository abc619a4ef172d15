"""The tokens that descend from one person's permission: how refresh tokens follow each other, and how all end.

A refresh token is used once. Using it makes the next generation; a token of an earlier one that comes back was copied
by somebody, so the whole family ends (RFC 9700 section 4.14.2). A client may be given a grace of some seconds, for it
may have asked twice at once or lost the answer: then the generation just spent is answered again, a few times, with a
sibling of its successor. The first sibling that is used makes the next generation, and the others are worth nothing.

Every change locks the family's row first, so requests of all workers take their turns.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from authority import lifetimes, reasons
from authority.digests import digest
from authority.directory import Entry
from authority.models import Family, RefreshToken, SignIn
from clients.models import Client
from clients.vocabulary import GrantType
from consumers.models import Membership, User

PREFIX = "cdrt_"  # by which secret scanners know a refresh token
MAX_GRACES = 5  # answers to one spent generation


def new(
    entry: Entry,
    user: User,
    *,
    grant_type: str,
    code: str,
    scopes: list[str],
    sign_in: SignIn | None = None,
    **more: Any,
) -> Family:
    """Return a family that is not saved yet: `begin` does, once nothing can refuse the request any more.

    `code` is the digest of what it is given for. Whoever signed in as a member is one to the family too, also when they
    left before the code was exchanged.
    """
    family = Family(client=entry.client, user=user, grant_type=grant_type, code=code, scopes=scopes, **more)
    if sign_in is not None:
        family.pk = sign_in.pk
    known = sign_in.as_member if sign_in else None
    family.as_member = is_member(user, entry.client) if known is None else known
    return family


def begin(entry: Entry, family: Family, *, access_token: int, refresh_token: str | None) -> None:
    """Save a new family, with its first refresh token if it gets one; its access token lives so many seconds."""
    need(family, timezone.now() + timedelta(seconds=access_token))
    token = successor(entry, family, family.grant_type, refresh_token) if refresh_token else None
    family.save(force_insert=True)
    if token is not None:
        token.save(force_insert=True)


def present(entry: Entry, refresh_token: str) -> RefreshToken | None:
    """Return the refresh token if it may be exchanged, its family locked until the transaction ends.

    One that was spent earlier ends its family. The database is not asked for the client's token: it might look for that
    among all that the client has, instead of by its digest.
    """
    token = (
        RefreshToken.objects.select_for_update(of=("family",))
        .select_related("family__user")
        .filter(digest=digest(refresh_token))
        .first()
    )
    mine = token is not None and token.family.client_id == entry.client.pk
    reason = refusal(entry, token) if token is not None and mine else "refresh_token_unknown"
    if reason is not None:
        reasons.because(reason)
        return None
    return token


def refusal(entry: Entry, token: RefreshToken) -> str | None:
    """Return why the token cannot be exchanged, or None. Ends its family when it was spent before."""
    family, now = token.family, timezone.now()
    if not family.user.is_active:
        return "person_inactive"
    if not holds(entry, family):
        return "refresh_token_ended"
    if token.generation == family.generation:
        return None if token.expires_at > now else "refresh_token_ended"
    grace = timedelta(seconds=entry.client.refresh_token_grace)
    if token.generation == family.generation - 1 and family.rotated_at and now < family.rotated_at + grace:
        return None if family.graces < MAX_GRACES else "refresh_token_used"
    end(Family.objects.filter(pk=family.pk))
    return "refresh_token_used"


def rotate(entry: Entry, spent: RefreshToken, *, access_token: int, refresh_token: str) -> None:
    """Save the successor of a token that was presented; the access token beside it lives so many seconds."""
    family = spent.family
    if spent.generation == family.generation:
        family.generation += 1
        family.rotated_at, family.graces = timezone.now(), 0
    else:
        family.graces += 1
    need(family, timezone.now() + timedelta(seconds=access_token))
    token = successor(entry, family, GrantType.REFRESH_TOKEN, refresh_token)
    family.save(update_fields=["generation", "rotated_at", "graces", "needed_until"])
    token.save(force_insert=True)


def successor(entry: Entry, family: Family, grant_type: str, text: str) -> RefreshToken:
    """Return the family's next refresh token, unsaved; it waits to be used as long as its client and family may."""
    now = timezone.now()
    end = min(now + lifetimes.refresh_token(entry, grant_type), ends_at(entry, family))
    need(family, end)
    return RefreshToken(
        digest=digest(text), family=family, generation=family.generation, created_at=now, expires_at=end
    )


def need(family: Family, until: datetime) -> None:
    family.needed_until = max(until, family.needed_until or until)


# -- The end ----------------------------------------------------------------------------------------------------------


def holds(entry: Entry, family: Family) -> bool:
    """Say whether the family lives on: nobody ended it, and the person may still come in."""
    if family.ended_at is not None or not family.user.is_active or entry.has_revoked(family.began_at):
        return False
    if ends_at(entry, family) <= timezone.now():
        return False
    return not family.as_member or is_member(family.user, entry.client)


def is_member(user: User, client: Client) -> bool:
    return Membership.objects.filter(user=user, consumer=client.consumer_id).exists()


def ends_at(entry: Entry, family: Family) -> datetime:
    """Return when refreshing ends at the latest, however often it is done."""
    return family.began_at + lifetimes.family(entry, family.scopes)


def end(families: QuerySet[Family]) -> int:
    """End the families with all their tokens, for good; return how many. Whoever is changing one finishes first."""
    return families.filter(ended_at=None).update(ended_at=timezone.now())
