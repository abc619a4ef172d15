"""Send, resend, revoke, accept and decline invitations to a consumer's workspace."""

import re
import secrets
from dataclasses import replace
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from consumers import audit, emails, policy
from consumers.audit import Actor
from consumers.events import ConsumerEvent
from consumers.models import Consumer, Invitation, Membership, Role, User, normal_email
from core.credentials import token_digest
from core.errors import Conflict, Refusal

MAX_NAMED = 5  # wrong addresses; somebody may have pasted a novel
HAS_ACCOUNT = "There is an account for this address already. Sign in to it, then accept the invitation."


class InvitationClosed(Conflict):
    """The invitation can no longer be answered. The refusal gives no reason: the link may be in a stranger's hands."""

    def __init__(self) -> None:
        super().__init__("This invitation cannot be used. It may have expired, been revoked or been accepted already.")


def parse_emails(text: str) -> list[str]:
    """Return the addresses of a text, parted by white space, commas or semicolons, each once, in order.

    Raises Refusal that names the first parts that are no e-mail addresses.
    """
    found: dict[str, str] = {}
    wrong = []
    for part in filter(None, re.split(r"[\s,;]+", text)):
        address = normal_email(part.strip("<>"))
        try:
            policy.email_address(address)
        except Refusal:
            wrong.append(part)
            if len(wrong) == MAX_NAMED:
                break
        else:
            found.setdefault(address.lower(), address)
    if wrong:
        raise Refusal(f"Not an email address: {', '.join(wrong)}. Put one address on each line.", field="emails")
    return list(found.values())


@transaction.atomic
def invite_manager(*, consumer: Consumer, email: str, actor: Actor, role: str = Role.MANAGER) -> Invitation:
    """Invite one address into the consumer's workspace and mail it the link.

    Raises Conflict when the person is a member already or has an open invitation.
    """
    email = normal_email(email)
    if Membership.objects.filter(consumer=consumer, user__email__iexact=email).exists():
        raise Conflict(f"{email} is a member already.", field="emails")
    token = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                consumer=consumer,
                email=email,
                role=Role(role),
                token_digest=token_digest(token),
                invited_by=actor.user,
                expires_at=timezone.now() + timedelta(days=settings.INVITATION_DAYS),
            )
    except IntegrityError:
        raise Conflict(
            f"{email} has been invited already. Send that invitation again instead.", field="emails"
        ) from None
    audit.record(
        ConsumerEvent.MANAGER_INVITED,
        actor=actor,
        consumer=consumer,
        target=invitation,
        detail={"email": email, "role": invitation.role},
    )
    emails.send_invitation(invitation, token, inviter=actor.label)
    return invitation


@transaction.atomic
def resend_invitation(*, invitation: Invitation, actor: Actor) -> Invitation:
    """Mail a new link, good for a full term; the old link stops working."""
    invitation = _lock_pending(invitation)
    token = secrets.token_urlsafe(32)
    invitation.token_digest = token_digest(token)
    invitation.sent_at = timezone.now()
    invitation.expires_at = invitation.sent_at + timedelta(days=settings.INVITATION_DAYS)
    invitation.save(update_fields=["token_digest", "sent_at", "expires_at"])
    audit.record(
        ConsumerEvent.INVITATION_RESENT,
        actor=actor,
        consumer=invitation.consumer,
        target=invitation,
        detail={"email": invitation.email},
    )
    emails.send_invitation(invitation, token, inviter=actor.label)
    return invitation


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, actor: Actor) -> None:
    invitation = _lock_pending(invitation)
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    audit.record(
        ConsumerEvent.INVITATION_REVOKED,
        actor=actor,
        consumer=invitation.consumer,
        target=invitation,
        detail={"email": invitation.email},
    )


def find_open_invitation(token: str) -> Invitation | None:
    """Return the invitation that the link's token opens now, or None. Consumes nothing."""
    return (
        Invitation.objects.open()
        .select_related("consumer", "invited_by")
        .filter(token_digest=token_digest(token))
        .first()
    )


def find_joined(token: str, user: User) -> Consumer | None:
    """Return the consumer that the person has joined by this link, and is still a member of."""
    joined = Consumer.objects.filter(
        memberships__user=user, invitations__token_digest=token_digest(token), invitations__accepted_by=user
    )
    return joined.first()


@transaction.atomic
def decline_invitation(*, token: str, actor: Actor) -> Invitation:
    """End an invitation, as the person who holds its link."""
    invitation = _lock_open(token)
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    audit.record(
        ConsumerEvent.INVITATION_DECLINED,
        actor=replace(actor, label=invitation.email),
        consumer=invitation.consumer,
        target=invitation,
        detail={"email": invitation.email},
    )
    return invitation


@transaction.atomic
def join_as_new_person(*, token: str, name: str, actor: Actor) -> tuple[User, Membership]:
    """Accept an invitation as somebody without an account; the link proves the address."""
    invitation = _lock_open(token)
    name = name.strip()
    policy.person_name(name)
    if User.objects.of_address(invitation.email).exists():
        raise Conflict(HAS_ACCOUNT)
    try:
        with transaction.atomic():  # two invitations to one new address may be accepted at the same moment
            user = User.objects.create_user(invitation.email, name=name)
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    except IntegrityError:
        raise Conflict(HAS_ACCOUNT) from None
    return user, _accept(invitation, user, actor)


@transaction.atomic
def accept_invitation(*, token: str, user: User, actor: Actor) -> Membership:
    """Accept an invitation as a person with an account, whose verified address must be the invited one."""
    invitation = _lock_open(token)
    if not EmailAddress.objects.filter(user=user, email__iexact=invitation.email, verified=True).exists():
        known_as = user.address or str(user)
        raise Refusal(
            f"This invitation is for {invitation.email}, and you are signed in as {known_as}. "
            f"Sign out and sign in as {invitation.email}, or ask for an invitation to {known_as}."
        )
    return _accept(invitation, user, actor)


def _accept(invitation: Invitation, user: User, actor: Actor) -> Membership:
    membership, _ = Membership.objects.get_or_create(
        consumer=invitation.consumer, user=user, defaults={"role": invitation.role}
    )
    invitation.accepted_at = timezone.now()
    invitation.accepted_by = user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    audit.record(
        ConsumerEvent.MANAGER_JOINED,
        actor=replace(actor, kind="person", id=str(user.pk), label=str(user)),
        consumer=invitation.consumer,
        target=user,
        detail={"email": invitation.email, "role": membership.role},
    )
    return membership


def _lock_open(token: str) -> Invitation:
    """Lock the invitation that the token opens, so that of two browsers one accepts it."""
    invitation = (
        Invitation.objects.open()
        .select_for_update(of=("self",))
        .select_related("consumer")
        .filter(token_digest=token_digest(token))
        .first()
    )
    if invitation is None:
        raise InvitationClosed
    return invitation


def _lock_pending(invitation: Invitation) -> Invitation:
    locked = (
        Invitation.objects.pending()
        .select_for_update(of=("self",))
        .select_related("consumer")
        .filter(pk=invitation.pk)
        .first()
    )
    if locked is None:
        raise Conflict("This invitation has already been accepted or revoked.")
    return locked
