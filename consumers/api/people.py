"""Members and invitations of a consumer in the management API (/admin/consumers/{consumer}/members)."""

from typing import Any

from django.http import HttpResponse

from consumers import policy
from consumers.access import count_mails
from consumers.actions import invitations as invitation_actions
from consumers.actions import members as member_actions
from consumers.credentials import credentials_of
from consumers.models import Invitation, Membership, Role
from consumers.rest.lookups import consumer_in_path, parse_id
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.limits import length_schema
from core.rest.errors import NotFound
from core.rest.paging import PAGING, paginate

ABOUT: dict[str, Any] = {"tag": "People", "model": "consumers.consumer", "refusals": (404,)}
CHANGE = ABOUT | {"scope": "consumers:write", "action": "change", "refusals": (404, 409)}
CHANGE_ONE = CHANGE | {"refusals": (404, 409, 412)}
ROLE = {"type": "string", "enum": list(Role.values), "description": "Viewers read; managers also change and invite."}
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
        "last_seen_at": MOMENT,
    },
    "additionalProperties": False,
}
CREDENTIAL: dict[str, Any] = {
    "title": "MemberCredential",
    "type": "object",
    "properties": {
        "kind": {"type": "string", "examples": ["client secret"]},
        "name": {"type": "string"},
        "created_at": MOMENT,
        "expires_at": MOMENT,
        "ends": {"type": "boolean", "description": "Whether it opens nothing more once the person is no manager."},
    },
}
INVITATION: dict[str, Any] = {
    "title": "Invitation",
    "type": "object",
    "required": ["email"],
    "properties": {
        "id": {"type": "integer"},
        "email": length_schema(Invitation, "email") | {"type": "string", "minLength": 3},
        "role": ROLE,
        "state": {"type": "string", "enum": ["pending", "expired", "accepted", "revoked"]},
        "created_at": MOMENT,
        "sent_at": MOMENT,
        "expires_at": MOMENT,
    },
    "additionalProperties": False,
}


def _member_document(member: Membership) -> dict[str, Any]:
    return {
        "id": member.pk,
        "email": member.user.address,
        "name": member.user.name,
        "role": member.role,
        "joined_at": member.joined_at,
        "last_seen_at": member.seen_at,
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
def list_members(call: ApiRequest, consumer: str) -> HttpResponse:
    # The actions lock the consumer first, then look at its members.
    members = consumer_in_path(call, consumer, itself=True).memberships.select_related("user")
    rows, headers = paginate(call.request, members, call.query, whose=call.token_key)
    return json_response([_member_document(member) for member in rows], headers=headers)


@operation(id="getMember", summary="Read a member", scope="consumers:read", answers={200: MEMBER}, **ABOUT)
def get_member(call: ApiRequest, consumer: str, member_id: str) -> HttpResponse:
    return json_response(_member_document(_find_member(call, consumer, member_id)))


@operation(
    id="setMember",
    summary="Change a person's role",
    body=MEMBER,
    answers={200: MEMBER},
    example={"role": "viewer"},
    **CHANGE_ONE,
)
def set_member(call: ApiRequest, consumer: str, member_id: str) -> HttpResponse:
    """A workspace keeps at least one manager. Everything but the role is ignored."""
    member = _find_member(call, consumer, member_id)
    member_actions.change_role(membership=member, role=call.body["role"], actor=call.caller.actor)
    member.refresh_from_db(fields=["role"])
    return json_response(_member_document(member))


@operation(
    id="deleteMember",
    summary="Remove a person",
    answers={204: "The person no longer has access to the workspace."},
    **CHANGE_ONE,
)
def remove_member(call: ApiRequest, consumer: str, member_id: str) -> HttpResponse:
    member_actions.remove_member(membership=_find_member(call, consumer, member_id), actor=call.caller.actor)
    return no_content()


@operation(
    id="listMemberCredentials",
    summary="List what a person made that still works",
    scope="consumers:read",
    action="change",
    answers={200: {"type": "array", "items": CREDENTIAL}},
    **ABOUT,
)
def list_credentials(call: ApiRequest, consumer: str, member_id: str) -> HttpResponse:
    """For managers, before they remove somebody or make them a viewer: what does not end then, they may still know."""
    found = credentials_of(_find_member(call, consumer, member_id))
    return json_response([{name: getattr(each, name) for name in CREDENTIAL["properties"]} for each in found])


def _find_member(call: ApiRequest, consumer: str, member_id: str) -> Membership:
    members = consumer_in_path(call, consumer).memberships.select_related("user", "consumer")
    member = members.filter(pk=parse_id(member_id)).first()
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
def list_invitations(call: ApiRequest, consumer: str) -> HttpResponse:
    """Those that are neither accepted nor revoked. One that has expired can be sent again."""
    pending = consumer_in_path(call, consumer).invitations.pending()
    rows, headers = paginate(call.request, pending, call.query, whose=call.token_key)
    return json_response([_invitation_document(invitation) for invitation in rows], headers=headers)


@operation(
    id="createInvitation",
    summary="Invite a person",
    body=INVITATION,
    answers={201: INVITATION},
    example={"email": "dana@acme.example", "role": "manager"},
    **CHANGE,
)
def invite(call: ApiRequest, consumer: str) -> HttpResponse:
    """They get a mail with a link that works once. Without a role they become a viewer."""
    found, sent = consumer_in_path(call, consumer), call.body
    policy.email_address(sent["email"])
    count_mails(call.request, call.caller.actor.id)
    invitation = invitation_actions.invite_manager(
        consumer=found, email=sent["email"], role=sent.get("role", Role.VIEWER), actor=call.caller.actor
    )
    location = f"/admin/consumers/{found.slug}/invitations/{invitation.pk}"
    return json_response(_invitation_document(invitation), 201, {"Location": location})


@operation(id="getInvitation", summary="Read an invitation", scope="consumers:read", answers={200: INVITATION}, **ABOUT)
def get_invitation(call: ApiRequest, consumer: str, invitation_id: str) -> HttpResponse:
    """Also one that is over."""
    return json_response(_invitation_document(_find_invitation(call, consumer, invitation_id)))


@operation(id="resendInvitation", summary="Resend an invitation", answers={200: INVITATION}, **CHANGE)
def resend_invitation(call: ApiRequest, consumer: str, invitation_id: str) -> HttpResponse:
    """The mail brings a new link, good for a full term; the old one stops working."""
    found = _find_invitation(call, consumer, invitation_id)
    count_mails(call.request, call.caller.actor.id)
    return json_response(
        _invitation_document(invitation_actions.resend_invitation(invitation=found, actor=call.caller.actor))
    )


@operation(
    id="revokeInvitation", summary="Revoke an invitation", answers={204: "Its link no longer works."}, **CHANGE_ONE
)
def revoke_invitation(call: ApiRequest, consumer: str, invitation_id: str) -> HttpResponse:
    found = _find_invitation(call, consumer, invitation_id)
    invitation_actions.revoke_invitation(invitation=found, actor=call.caller.actor)
    return no_content()


def _find_invitation(call: ApiRequest, consumer: str, invitation_id: str) -> Invitation:
    invitations = call.locked(consumer_in_path(call, consumer).invitations.all())
    invitation = invitations.filter(pk=parse_id(invitation_id)).first()
    if invitation is None:
        raise NotFound
    return invitation
