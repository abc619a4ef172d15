"""Managers and viewers of a consumer, and invitations to become one (/admin/consumers/{consumer}/members)."""

from typing import Any

from django.http import HttpResponse

from consumers import policy
from consumers.actions import invitations as invitation_actions
from consumers.actions import members as member_actions
from consumers.models import Invitation, Membership, Role
from consumers.rest.lookups import consumer_at, number
from consumers.rest.operations import Call, answer, nothing, operation
from core import rate_limits
from core.rest.errors import NotFound, TooManyRequests
from core.rest.paging import PAGING, page

ABOUT: dict[str, Any] = {"tag": "People", "model": "consumers.consumer", "refusals": (404,)}
CHANGE = ABOUT | {"scope": "consumers:write", "action": "change", "refusals": (404, 409)}
ROLE = {"type": "string", "enum": list(Role.values), "description": "Viewers read; managers also change and invite."}
MAILS = "30/h/key"  # as on the page, else a program could flood any mailbox in the portal's name
MOMENT = {"type": ["string", "null"], "format": "date-time"}
MEMBER: dict[str, Any] = {
    "title": "Member",
    "type": "object",
    "required": ["role"],
    "properties": {
        "id": {"type": "integer"},
        "email": {"type": "string"},
        "name": {"type": "string"},
        "role": ROLE,
        "joined_at": MOMENT,
        "seen_at": MOMENT,
    },
    "additionalProperties": False,
}
INVITATION: dict[str, Any] = {
    "title": "Invitation",
    "type": "object",
    "required": ["email"],
    "properties": {
        "id": {"type": "integer"},
        "email": {"type": "string", "minLength": 3, "maxLength": 254},
        "role": ROLE,
        "state": {"type": "string", "enum": ["open", "ended", "accepted", "withdrawn"]},
        "created_at": MOMENT,
        "sent_at": MOMENT,
        "expires_at": MOMENT,
    },
    "additionalProperties": False,
}


def _member_document(member: Membership) -> dict[str, Any]:
    return {
        "id": member.pk,
        "email": member.user.email,
        "name": member.user.name,
        "role": member.role,
        "joined_at": member.joined_at,
        "seen_at": member.seen_at,
    }


def _invitation_document(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": invitation.pk,
        "email": invitation.email,
        "role": invitation.role,
        "state": invitation.state,
        "created_at": invitation.created_at,
        "sent_at": invitation.sent_at,
        "expires_at": invitation.expires_at,
    }


# -- Members ----------------------------------------------------------------------------------------------------------


@operation(
    id="listMembers",
    summary="List the people of a consumer",
    scope="consumers:read",
    query=PAGING,
    answers={200: {"type": "array", "items": MEMBER}},
    **ABOUT,
)
def list_members(call: Call, consumer: str) -> HttpResponse:
    members = consumer_at(call, consumer).memberships.select_related("user")
    rows, headers = page(call.request, members, call.query, whose=call.token_key)
    return answer([_member_document(member) for member in rows], headers=headers)


@operation(
    id="setMember",
    summary="Change a person's role",
    body=MEMBER,
    answers={200: MEMBER},
    example={"role": "viewer"},
    **CHANGE,
)
def set_member(call: Call, consumer: str, member_id: str) -> HttpResponse:
    """A workspace keeps at least one manager. Everything but the role is ignored."""
    member = _find_member(call, consumer, member_id)
    member_actions.change_role(membership=member, role=call.body["role"], actor=call.caller.actor)
    member.refresh_from_db(fields=["role"])
    return answer(_member_document(member))


@operation(
    id="removeMember", summary="Remove a person", answers={204: "Their access to the workspace has ended."}, **CHANGE
)
def remove_member(call: Call, consumer: str, member_id: str) -> HttpResponse:
    member_actions.remove_member(membership=_find_member(call, consumer, member_id), actor=call.caller.actor)
    return nothing()


def _find_member(call: Call, consumer: str, member_id: str) -> Membership:
    members = consumer_at(call, consumer).memberships.select_related("user", "consumer")
    member = members.filter(pk=number(member_id)).first()
    if member is None:
        raise NotFound
    return member


# -- Invitations ------------------------------------------------------------------------------------------------------


@operation(
    id="listInvitations",
    summary="List invitations",
    scope="consumers:read",
    query=PAGING,
    answers={200: {"type": "array", "items": INVITATION}},
    **ABOUT,
)
def list_invitations(call: Call, consumer: str) -> HttpResponse:
    """Those that are neither accepted nor withdrawn. One that has ended can be sent again."""
    pending = consumer_at(call, consumer).invitations.pending()
    rows, headers = page(call.request, pending, call.query, whose=call.token_key)
    return answer([_invitation_document(invitation) for invitation in rows], headers=headers)


@operation(
    id="inviteManager",
    summary="Invite a person",
    body=INVITATION,
    answers={201: INVITATION},
    example={"email": "dana@acme.example", "role": "manager"},
    **CHANGE,
)
def invite(call: Call, consumer: str) -> HttpResponse:
    """They get a mail with a link that works once. Without a role they become a viewer."""
    found, sent = consumer_at(call, consumer), call.body
    policy.email_address(sent["email"])
    _count_mail(call)
    invitation = invitation_actions.invite_manager(
        consumer=found, email=sent["email"], role=sent.get("role", Role.VIEWER), actor=call.caller.actor
    )
    return answer(_invitation_document(invitation), 201)


@operation(id="resendInvitation", summary="Send an invitation again", answers={200: INVITATION}, **CHANGE)
def resend_invitation(call: Call, consumer: str, invitation_id: str) -> HttpResponse:
    """The mail brings a new link, good for a full term; the old one stops working."""
    found = _find_invitation(call, consumer, invitation_id)
    _count_mail(call)
    return answer(_invitation_document(invitation_actions.resend_invitation(invitation=found, actor=call.caller.actor)))


@operation(
    id="withdrawInvitation", summary="Withdraw an invitation", answers={204: "Its link works no longer."}, **CHANGE
)
def withdraw_invitation(call: Call, consumer: str, invitation_id: str) -> HttpResponse:
    found = _find_invitation(call, consumer, invitation_id)
    invitation_actions.withdraw_invitation(invitation=found, actor=call.caller.actor)
    return nothing()


def _find_invitation(call: Call, consumer: str, invitation_id: str) -> Invitation:
    invitation = consumer_at(call, consumer).invitations.filter(pk=number(invitation_id)).first()
    if invitation is None:
        raise NotFound
    return invitation


def _count_mail(call: Call) -> None:
    """Count a mail against whoever sends it, with all their tokens. Raises TooManyRequests."""
    rate_limits.consume(call.request, MAILS, "mail", TooManyRequests, key=call.caller.actor.id)
