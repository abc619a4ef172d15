"""Who is signed in to a client: pages of them, the search, and figures, for those who manage the client.

A person is shown by the latest of their families at the client. No question costs more where a million people are
signed in: a page begins after the last row of the one before, and whatever no index answers looks at SCANNED families.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.cache import cache
from django.db.models import Count, Exists, Max, Min, OuterRef, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from authority.models import SignIn, TokenFamily
from authority.models.tokens import TokenFamilyQuerySet
from clients.models import Client
from consumers.models import Membership, User
from core.user_agents import browser_name

SCANNED = 10_000
KEPT = 60  # seconds that figures are kept, where there are more to look at
NAMES = 1_000  # people of a name, who are looked for at the client
ACTIVE = {"today": "Today", "idle": "30 days ago or more"}
IDLE = timedelta(days=30)
LAST_KEY = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class ClientPerson:
    """A person who is signed in to a client, as far as the client itself may know them."""

    family: TokenFamily
    user: User
    name: str  # "" where the client was not granted `profile`
    email: str  # "" where it was not granted `email`, or nobody has proven one
    is_member: bool
    device: str
    since: datetime
    last_used_at: datetime

    @property
    def subject(self) -> str:
        return self.user.subject

    @property
    def label(self) -> str:
        return self.name or self.email or self.subject

    @property
    def scopes(self) -> list[str]:
        return self.family.scopes


@dataclass(frozen=True, slots=True)
class Page:
    people: list[ClientPerson]
    next: str  # where the next page begins, "" at the end


@dataclass(frozen=True, slots=True)
class Figure:
    """A count, which stops where there are more than SCANNED to look at."""

    count: int
    is_cut: bool = False

    def __str__(self) -> str:
        return f"{min(self.count, SCANNED):,}{'+' if self.is_cut else ''}"

    def __bool__(self) -> bool:
        return self.is_cut or bool(self.count)

    @property
    def is_one(self) -> bool:
        return self.count == 1 and not self.is_cut


@dataclass(frozen=True, slots=True)
class Figures:
    """How many people are signed in, and how many of them when."""

    signed_in: Figure
    active_today: Figure
    new: Figure  # in 7 days
    idle: Figure  # for 30 days


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page is limited to. `words` are an exact address, an exact subject or the beginning of a name."""

    words: str = ""
    scope: str = ""
    active: str = ""  # of ACTIVE


def latest(client: Client) -> TokenFamilyQuerySet:
    """Return the family that stands for each person, the latest first."""
    return TokenFamily.objects.one_a_person(client)


def find(client: Client, subject: str) -> User | None:
    """Return the person of that subject who is signed in to the client."""
    families = latest(client).filter(user__in=User.objects.of_subject(subject)).select_related("user")
    found = families.first()
    return found.user if found is not None else None


def page(client: Client, wanted: Wanted, *, after: str = "", size: int) -> Page:
    """Return one page of the people, and where the next begins."""
    families = _matching(client, wanted)
    if (place := _place(after)) is not None:
        families = families.after(*place)
    cut = _cut(client, place) if wanted.scope or wanted.active else None
    if cut is not None:  # of those without a match, only so many are looked at for one page
        families = families.filter(began_at__gte=cut.began_at)
    found = list(families.with_use(client).select_related("user")[: size + 1])
    if len(found) > size:
        return Page(described(client, found[:size]), written(found[size - 1]))
    return Page(described(client, found), written(cut) if cut is not None else "")


def described(client: Client, families: Collection[TokenFamily]) -> list[ClientPerson]:
    """Return the people of the families, which have been read with their use."""
    members = set(
        Membership.objects.filter(
            consumer=client.consumer_id, user__in=[each.user_id for each in families]
        ).values_list("user", flat=True)
    )
    sign_ins = SignIn.objects.filter(pk__in=[each.pk for each in families])
    devices = dict(sign_ins.values_list("pk", "user_agent"))
    return [
        ClientPerson(
            family=each,
            user=each.user,
            name=each.user.name if "profile" in each.scopes else "",
            email=each.user.address if "email" in each.scopes else "",
            is_member=each.user_id in members,
            device=_device(devices.get(each.pk, "")),
            since=each.since,  # type: ignore[attr-defined]  # annotated by with_use()
            last_used_at=each.last_used_at,  # type: ignore[attr-defined]
        )
        for each in families
    ]


def _device(user_agent: str) -> str:
    """Return the browser, or the program as it calls itself (RFC 9110 section 10.1.5)."""
    product = user_agent.partition(" ")[0]
    is_program = product and not product.startswith("Mozilla/") and product.isascii() and product.isprintable()
    return product if is_program else browser_name(user_agent)


# -- Search -----------------------------------------------------------------------------------------------------------


def _matching(client: Client, wanted: Wanted) -> TokenFamilyQuerySet:
    families = latest(client)
    if wanted.words:
        families = families.filter(_has_words(client, wanted.words))
    if wanted.scope:
        families = families.filter(scopes__contains=[wanted.scope])
    now = timezone.now()
    if wanted.active == "today":
        used = Q(began_at__gte=_midnight(now)) | Q(rotated_at__gte=_midnight(now))
        families = families.filter(
            user__in=TokenFamily.objects.at_client(client).order_by().filter(used).values("user")
        )
    elif wanted.active == "idle":
        old = families.filter(began_at__lt=now - IDLE).with_use(client)
        families = old.filter(last_used_at__lt=now - IDLE)  # type: ignore[misc]  # annotated by with_use()
    return families


def _has_words(client: Client, words: str) -> Q:
    """Return the condition of a search: only by what the client itself was granted to know."""
    people = list(User.objects.of_subject(words).values_list("pk", flat=True))
    found = Q(user__in=people)
    if "@" in words:
        addressed = list(User.objects.of_primary_address(words).values_list("pk", flat=True))
        found |= Q(user__in=addressed, scopes__contains=["email"])
    else:
        here = TokenFamily.objects.at_client(client).order_by().filter(user=OuterRef("pk"))
        named = User.objects.named(words).filter(Exists(here)).values_list("pk", flat=True)
        found |= Q(user__in=list(named[:NAMES]), scopes__contains=["profile"])
    return found


# -- Places between rows ----------------------------------------------------------------------------------------------


def written(family: TokenFamily) -> str:
    return f"{family.began_at.timestamp():.6f}_{family.pk}"


def _place(text: str) -> tuple[datetime, UUID] | None:
    """Return the place that an address names, or None for whatever names none."""
    moment, _, key = text.partition("_")
    try:
        return datetime.fromtimestamp(float(moment), timezone.get_default_timezone()), UUID(key)
    except (ValueError, OverflowError, OSError):
        return None


def _cut(client: Client, place: tuple[datetime, UUID] | None) -> TokenFamily | None:
    """Return the last family that is looked at from there on, or None where that is all of them."""
    families = TokenFamily.objects.filter(client=client).order_by("-began_at", "-pk")
    if (over := client.signed_out_until) is not None:
        families = families.filter(began_at__gt=over)
    if place is not None:
        families = families.after(*place)
    return families.only("began_at")[SCANNED : SCANNED + 1].first()


# -- Figures ----------------------------------------------------------------------------------------------------------


def figures(client: Client) -> Figures:
    """Count the people of the latest SCANNED families; those who are idle, of the latest that can be idle.

    Where there are more, the figures are kept for a minute: to count them takes half a second.
    """
    kept: list[tuple[int, bool]] | None = cache.get(_kept_as(client))
    if kept is not None:
        return Figures(*(Figure(*each) for each in kept))
    found = _figures(client)
    if found.signed_in.is_cut:
        each = (found.signed_in, found.active_today, found.new, found.idle)
        cache.set(_kept_as(client), [(figure.count, figure.is_cut) for figure in each], KEPT)
    return found


def forget_figures(client: Client) -> None:
    """Count again, such as after everybody was signed out."""
    cache.delete(_kept_as(client))


def _kept_as(client: Client) -> str:
    return f"signed-in:{client.pk}"


def _figures(client: Client) -> Figures:
    now = timezone.now()
    today, week, month = _midnight(now), now - timedelta(days=7), now - IDLE
    families, cut = TokenFamily.objects.at_client(client), _cut(client, None)
    if cut is None:
        counts = _counted(
            families,
            active_today=Count("user", filter=Q(last__gte=today)),
            new=Count("user", filter=Q(first__gte=week)),
            idle=Count("user", filter=Q(last__lt=month)),
        )
        return Figures(*(Figure(counts[name]) for name in ("signed_in", "active_today", "new", "idle")))
    seen = families.filter(began_at__gte=cut.began_at)
    counts = _counted(seen, active_today=Count("user", filter=Q(last__gte=today)))
    mine = families.order_by().filter(user=OuterRef("user"))
    new = _counted(seen.filter(~Exists(mine.filter(began_at__lt=week)), began_at__gte=week))
    place = (month, LAST_KEY)
    old, cut_of_old = families.after(*place), _cut(client, place)
    if cut_of_old is not None:
        old = old.filter(began_at__gte=cut_of_old.began_at)
    used = mine.filter(Q(began_at__gte=month) | Q(rotated_at__gte=month))
    return Figures(
        Figure(counts["signed_in"], is_cut=True),
        Figure(counts["active_today"], is_cut=True),
        Figure(new["signed_in"], is_cut=cut.began_at > week),
        Figure(_counted(old.filter(~Exists(used)))["signed_in"], is_cut=cut_of_old is not None),
    )


def _counted(families: TokenFamilyQuerySet, **counts: Count) -> dict[str, int]:
    """Count the people of the families: all, and by when they signed in `first` and were active `last`."""
    people = (
        families.order_by().values("user").annotate(first=Min("began_at"), last=Max(Greatest("began_at", "rotated_at")))
    )
    return people.aggregate(signed_in=Count("user"), **counts)


def _midnight(now: datetime) -> datetime:
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
