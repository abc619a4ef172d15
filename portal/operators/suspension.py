"""What stops when a consumer is suspended, and what works again when it is resumed: in figures, before it is done."""

from datetime import timedelta

from django.db.models import Count, Max, QuerySet, Sum
from django.utils import timezone

from authority.models import DailyCount, TokenFamily
from clients.models import ACCESS_TOKEN_LIFETIME, Api, Client
from consumers.admin.base import Effect
from consumers.models import Consumer, Role
from core.admin import pluralize
from core.timefmt import short_date_time

SHOWN_NAMES = 3
RECENTLY = timedelta(days=30)
MOST_SIGN_INS = 10_000  # that are counted


def suspending(consumer: Consumer) -> list[Effect]:
    clients = Client.objects.of(consumer)
    usable = clients.usable().count()
    return [
        Effect(
            f"{pluralize(usable, 'client gets', 'clients get')} no more tokens,",
            "from the next request on.",
            detail=_used(clients),
            icon="circle-x",
            tone="bad",
        ),
        Effect(
            "Tokens that they hold stop immediately where an API introspects them,",
            f"and within {_in_words(_longest_lifetime(consumer))} where it checks signatures alone.",
            detail=_issued(consumer),
            icon="circle-x",
            tone="bad",
        ),
        Effect(
            f"{pluralize(consumer.memberships.count(), 'person leaves', 'people leave')} the workspace,",
            f"and {pluralize(invited, 'invitation stops', 'invitations stop')} working."
            if (invited := _invited(consumer))
            else "from the next request on.",
            detail=_people(consumer),
            icon="lock",
        ),
        Effect(
            f"{pluralize(_managers(consumer), 'manager is', 'managers are')} mailed the reason,",
            "if you give one.",
            icon="mail",
        ),
    ]


def resuming(consumer: Consumer) -> list[Effect]:
    clients = Client.objects.of(consumer).filter(disabled_at=None).exclude(expires_at__lte=timezone.now())
    off = Client.objects.of(consumer).count() - clients.count()
    since = f"Suspended since {short_date_time(consumer.suspended_at)}" if consumer.suspended_at else ""
    return [
        Effect(
            f"{pluralize(clients.count(), 'client gets', 'clients get')} tokens again,",
            "from the next request on.",
            detail=f"{pluralize(off, 'stays', 'stay')} disabled or expired" if off else "",
            icon="circle-check",
            tone="good",
        ),
        Effect(
            "Tokens that have not expired work again,",
            f"and so do {pluralize(_sign_ins(consumer), 'sign-in', 'sign-ins')} of users.",
            detail=since,
            icon="circle-check",
            tone="good",
        ),
        Effect(
            f"{pluralize(consumer.memberships.count(), 'person enters', 'people enter')} the workspace again,",
            f"and {pluralize(invited, 'invitation works', 'invitations work')} again."
            if (invited := _invited(consumer))
            else "from the next request on.",
            detail=_people(consumer),
            icon="users",
        ),
    ]


def _used(clients: QuerySet[Client]) -> str:
    recently = clients.filter(last_used_at__gt=timezone.now() - RECENTLY)
    used = recently.aggregate(number=Count("pk"), last=Max("last_used_at"))
    if not used["number"]:
        return "None was used in the last 30 days"
    number = pluralize(used["number"], "was", "were")
    return f"{number} used in the last 30 days, the last one {short_date_time(used['last'])}"


def _issued(consumer: Consumer) -> str:
    """Return how many tokens were issued since yesterday, as far as counts are written, and how many sign-ins live."""
    yesterday = timezone.now().date() - timedelta(days=1)
    counts = DailyCount.objects.filter(client__consumer=consumer, day__gte=yesterday)
    issued = counts.aggregate(issued=Sum("issued"))["issued"] or 0
    tokens = pluralize(issued, "token was", "tokens were")
    number = _sign_ins(consumer)
    sign_ins = pluralize(min(number, MOST_SIGN_INS), "sign-in of a user is", "sign-ins of users are")
    more = "more than " if number > MOST_SIGN_INS else ""
    return f"{tokens} issued since yesterday; {more}{sign_ins} kept alive by refresh tokens"


def _sign_ins(consumer: Consumer) -> int:
    return TokenFamily.objects.signed_in().filter(client__consumer=consumer)[: MOST_SIGN_INS + 1].count()


def _longest_lifetime(consumer: Consumer) -> int:
    """Return for how many seconds an access token of the consumer's clients may live at most."""
    apis = Api.objects.granted_to(consumer)
    longest = apis.aggregate(longest=Max("access_token_lifetime"))["longest"] or ACCESS_TOKEN_LIFETIME
    return min(longest, consumer.access_token_lifetime or longest)


def _in_words(seconds: int) -> str:
    if seconds % 3600 == 0:
        return pluralize(seconds // 3600, "hour", "hours")
    return pluralize(-(-seconds // 60), "minute", "minutes")


def _invited(consumer: Consumer) -> int:
    return consumer.invitations.pending().filter(expires_at__gt=timezone.now()).count()


def _managers(consumer: Consumer) -> int:
    return consumer.memberships.filter(role=Role.MANAGER, user__is_active=True).count()


def _people(consumer: Consumer) -> str:
    members = consumer.memberships.select_related("user")
    names = [str(member.user) for member in members[:SHOWN_NAMES]]
    if more := members.count() - len(names):
        names.append(f"{more:,} more")
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""
