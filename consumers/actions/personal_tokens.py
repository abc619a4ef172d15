"""Create, revoke and look up personal access tokens."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from consumers import audit, policy
from consumers.audit import Actor
from consumers.events import ConsumerEvent
from consumers.models import Consumer, PersonalToken, User
from consumers.scopes import MANAGEMENT_SCOPES
from core import credentials
from core.errors import Conflict, Refusal
from core.limits import longest

PREFIX = "cdp_"
USE_INTERVAL = timedelta(minutes=1)  # in which the last use is written once
LONGEST = timedelta(days=366)
MAX_NAME = longest(PersonalToken, "name")
MAX_LIVE = 50  # per person


@transaction.atomic
def create_token(
    *,
    user: User,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime,
    actor: Actor,
    consumer: Consumer | None = None,
) -> tuple[PersonalToken, str]:
    """Create a token for the person; its text is readable only in this return value. Raises Refusal."""
    name, scopes = name.strip(), [scope for scope in MANAGEMENT_SCOPES if scope in set(scopes)]
    if not 0 < len(name) <= MAX_NAME:
        raise Refusal(f"Name the token in up to {MAX_NAME} characters, by where it will be used.", field="name")
    policy.plain_name(name, "name")
    if not scopes:
        raise Refusal("Choose at least one thing that the token may do.", field="scopes")
    if not timezone.now() < expires_at <= timezone.now() + LONGEST:
        raise Refusal("Let it expire between now and a year from now.", field="expires_at")
    if consumer is not None and not user.has_operator_rights and not user.workspaces().filter(pk=consumer.pk).exists():
        raise Refusal("Choose one of your workspaces.", field="consumer")
    User.objects.select_for_update().get(pk=user.pk)
    if user.personal_tokens.live().count() >= MAX_LIVE:
        raise Conflict(f"You have {MAX_LIVE} active tokens already. Revoke one that is not needed.")
    text = credentials.generate(PREFIX)
    version = credentials.current_pepper()
    token = PersonalToken.objects.create(
        user=user,
        consumer=consumer,
        name=name,
        scopes=scopes,
        digest=credentials.keyed_digest(text, version),
        pepper_version=version,
        hint=text[-4:],
        expires_at=expires_at,
    )
    detail = {"name": name, "hint": token.hint, "scopes": scopes, "expires_at": expires_at.isoformat()}
    audit.record(ConsumerEvent.TOKEN_CREATED, actor=actor, consumer=consumer, target=token, detail=detail)
    return token, text


@transaction.atomic
def revoke_token(*, token: PersonalToken, actor: Actor) -> None:
    """End the token now."""
    changed = PersonalToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    if not changed:
        raise Conflict("This token has been revoked already.")
    detail = {"name": token.name, "hint": token.hint}
    audit.record(ConsumerEvent.TOKEN_REVOKED, actor=actor, consumer=token.consumer, target=token, detail=detail)


def find_token(text: str) -> PersonalToken | None:
    """Return the live token that the text is, with its person and consumer, or None."""
    if not credentials.is_well_formed(text, PREFIX):
        return None
    live = PersonalToken.objects.live().select_related("user", "consumer")
    token = live.filter(digest__in=credentials.keyed_digests(text)).first()
    if token is not None:
        credentials.redigest(token, text)
    return token


def record_use(token: PersonalToken, ip: str | None) -> None:
    """Record the last use, to within a minute, so that few requests write. It is no change, and so no event."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > USE_INTERVAL:
        PersonalToken.objects.filter(pk=token.pk).update(last_used_at=now, last_used_ip=ip)
