"""Every change to personal access tokens, and how a token's text is found again."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from consumers import audit, policy
from consumers.audit import Actor, EventName
from consumers.models import Consumer, PersonalToken, User
from consumers.scopes import MANAGEMENT_SCOPES
from core import credentials
from core.errors import Conflict, Refusal

PREFIX = "cdp_"
LONGEST = timedelta(days=366)
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
    """Make a token for the person; its text is readable only in this return value. Raises Refusal."""
    name, scopes = name.strip(), [scope for scope in MANAGEMENT_SCOPES if scope in set(scopes)]
    if not name or len(name) > 60:
        raise Refusal("Name the token in up to 60 characters, by where it will be used.", field="name")
    policy.plain_name(name, "name")
    if not scopes:
        raise Refusal("Choose at least one thing that the token may do.", field="scopes")
    if not timezone.now() < expires_at <= timezone.now() + LONGEST:
        raise Refusal("Let it end between now and a year from now.", field="expires_at")
    if consumer is not None and not user.is_staff and not user.workspaces().filter(pk=consumer.pk).exists():
        raise Refusal("Choose one of your workspaces.", field="consumer")
    User.objects.select_for_update().get(pk=user.pk)
    if user.personal_tokens.live().count() >= MAX_LIVE:
        raise Conflict(f"You have {MAX_LIVE} live tokens already. Revoke one that is not needed.")
    text = credentials.generate(PREFIX)
    version = credentials.current_pepper()
    token = PersonalToken.objects.create(
        user=user,
        consumer=consumer,
        name=name,
        scopes=scopes,
        digest=credentials.digest(text, version),
        pepper_version=version,
        hint=text[-4:],
        expires_at=expires_at,
    )
    detail = {"name": name, "hint": token.hint, "scopes": scopes, "expires_at": expires_at.isoformat()}
    audit.record(EventName.TOKEN_CREATED, actor=actor, consumer=consumer, target=token, detail=detail)
    return token, text


@transaction.atomic
def revoke_token(*, token: PersonalToken, actor: Actor) -> None:
    """End the token now."""
    changed = PersonalToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    if not changed:
        raise Conflict("This token has been revoked already.")
    detail = {"name": token.name, "hint": token.hint}
    audit.record(EventName.TOKEN_REVOKED, actor=actor, consumer=token.consumer, target=token, detail=detail)


def find_token(text: str) -> PersonalToken | None:
    """Return the live token that the text is, with its person and consumer, or None."""
    if not credentials.looks_real(text, PREFIX):
        return None
    live = PersonalToken.objects.live().select_related("user", "consumer")
    return live.filter(digest__in=credentials.digests(text)).first()
