"""Make and use links that open one workspace for a person whom the provider's own application vouches for.

docs/decisions/0036-portal-links.md says what such a session may do, and why.
"""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils import timezone

from consumers import audit, emails, policy
from consumers.audit import Actor
from consumers.events import ConsumerEvent
from consumers.models import Consumer, Membership, PortalLink, Role, User, normal_email
from core import credentials
from core.errors import Conflict
from core.sweeps import delete_in_batches

PREFIX = "cdpl_"
LIFETIME = timedelta(minutes=5)
KEPT = timedelta(days=1)  # after its end, for who asks whether it was used


class PortalLinkClosed(Conflict):
    """The link can no longer be used. The refusal gives no reason: the link may be in a stranger's hands."""

    def __init__(self) -> None:
        super().__init__("This link cannot be used. It works once, for five minutes.")


@transaction.atomic
def create_portal_link(
    *, consumer: Consumer, email: str, name: str = "", role: str = Role.VIEWER, return_to: str, actor: Actor
) -> tuple[PortalLink, str]:
    """Make a link into the consumer's workspace; its token is readable only in this return value.

    Who is no member yet becomes one by using it, with the role; a member keeps theirs. Raises Refusal, and Conflict
    for a suspended consumer and for who may have no such session: operators, and people without access.
    """
    email, name = normal_email(email), name.strip()
    policy.email_address(email)
    if name:
        policy.person_name(name)
    policy.return_address(return_to)
    if consumer.is_suspended:
        raise Conflict(f"{consumer} is suspended, so nobody may enter its workspace. Resume it first.")
    person = _find_person(email)
    token = credentials.generate(PREFIX)
    link = PortalLink.objects.create(
        consumer=consumer,
        email=email,
        name=name,
        role=Role(role),
        return_to=return_to,
        token_digest=credentials.token_digest(token),
        created_by=actor.user,
        created_by_label=actor.label,
        expires_at=timezone.now() + LIFETIME,
    )
    joins = person is None or not Membership.objects.filter(consumer=consumer, user=person).exists()
    audit.record(
        ConsumerEvent.PORTAL_LINK_CREATED,
        actor=actor,
        consumer=consumer,
        target=link,
        detail={"email": email, "role": link.role, "host": _host(link), "joins": joins},
    )
    return link, token


def find_open_portal_link(token: str) -> PortalLink | None:
    """Return what the link's token opens now, or None. Consumes nothing."""
    digest = credentials.token_digest(token)
    return PortalLink.objects.open().select_related("consumer").filter(token_digest=digest).first()


@transaction.atomic
def use_portal_link(*, token: str, actor: Actor) -> tuple[User, PortalLink]:
    """Use up the link, of two browsers at once for one; return who may have the session.

    Whoever has no account gets one, and who is no member becomes one. Raises PortalLinkClosed, and Conflict.
    """
    link = (
        PortalLink.objects.open()
        .select_for_update(of=("self",))
        .select_related("consumer")
        .filter(token_digest=credentials.token_digest(token))
        .first()
    )
    if link is None:
        raise PortalLinkClosed
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
    known = _find_person(link.email)  # who may have become an operator since
    person = known or _create_person(link)
    actor = replace(actor, kind="person", id=str(person.pk), label=str(person))
    membership, is_new = Membership.objects.get_or_create(
        consumer=link.consumer, user=person, defaults={"role": link.role}
    )
    if is_new:
        audit.record(
            ConsumerEvent.MANAGER_JOINED,
            actor=actor,
            consumer=link.consumer,
            target=person,
            detail={"email": link.email, "role": membership.role},
        )
    audit.record(
        ConsumerEvent.PORTAL_LINK_USED,
        actor=actor,
        consumer=link.consumer,
        target=link,
        detail={"email": link.email, "host": _host(link)},
    )
    if is_new and known is not None:  # nobody asked them, so that they hear of it
        emails.send_new_sign_in(person, ip=actor.ip, user_agent=actor.user_agent)
    return person, link


def delete_old() -> None:
    """Delete links that ended more than a day ago; the record keeps who made and used them."""
    ended = PortalLink.objects.filter(expires_at__lt=timezone.now() - KEPT)
    delete_in_batches(ended, "expires_at")


def _find_person(email: str) -> User | None:
    """Return whoever has the address, or None. Raises Conflict for who must sign in by themselves."""
    people = list(User.objects.of_address(email).order_by("pk"))
    if any(person.is_staff or person.is_superuser for person in people):
        raise Conflict(f"{email} is an operator’s, who signs in with a second factor. No link does it.", field="email")
    if not all(person.is_active for person in people):
        raise Conflict(f"The account of {email} is not active. An operator has to activate it first.", field="email")
    return people[0] if people else None


def _create_person(link: PortalLink) -> User:
    """Create the person. Nobody has shown that the mailbox is theirs, so the address is not verified yet."""
    try:
        with transaction.atomic():
            person = User.objects.create_user(link.email, name=link.name)
            EmailAddress.objects.create(user=person, email=person.email, verified=False, primary=True)
    except IntegrityError:  # two links for one new address at the same moment
        found = _find_person(link.email)
        if found is None:
            raise PortalLinkClosed from None
        return found
    return person


def _host(link: PortalLink) -> str:
    return urlsplit(link.return_to).netloc
