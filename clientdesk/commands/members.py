"""The members of a consumer, and invitations."""

from typing import Annotated

import typer

from clientdesk.api_client import path_segment
from clientdesk.commands.consumers import consumer_path
from clientdesk.confirm import Yes, confirm
from clientdesk.errors import NOT_FOUND, CommandError
from clientdesk.flags import completion
from clientdesk.session import Consumer, Session, command
from clientdesk.verbs import Verbs

_MEMBER = ["email", "name", "role", "id", "last_seen_at"]
_INVITATION = ["email", "role", "state", "id", "expires_at"]
_PORTAL_LINK = ["url", "email", "role", "id", "state", "expires_at"]
Role = Annotated[
    str,
    typer.Option("--role", metavar="ROLE", help="manager or viewer.", autocompletion=completion(["manager", "viewer"])),
]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="E-mail address.", show_default=False)]

LinkId = Annotated[str, typer.Argument(metavar="LINK_ID", help="ID of the link.", show_default=False)]


def list_members(session: Session, consumer: Consumer) -> None:
    """List the members of a consumer."""
    session.printer.show(session.api.list_all(_members_path(consumer)), _MEMBER, identifier="email")


def get_member(session: Session, consumer: Consumer, email: Email) -> None:
    """Show a member of a consumer."""
    path = member_path(session, consumer, email)
    session.printer.show(session.api.json("GET", path), _MEMBER, identifier="email")


def update_member(session: Session, consumer: Consumer, email: Email, role: Role) -> None:
    """Change a member's role."""
    path = member_path(session, consumer, email)
    session.printer.show(session.api.json("PUT", path, json={"role": role}), _MEMBER, identifier="email")


def delete_member(session: Session, consumer: Consumer, email: Email, yes: Yes = False) -> None:
    """Remove a member from a consumer."""
    path = member_path(session, consumer, email)
    confirm(f"Remove {email} from {consumer}?", yes=yes)
    session.api.request("DELETE", path)
    session.printer.say(f"{email} is not a member of {consumer} any more.")


def list_invitations(session: Session, consumer: Consumer) -> None:
    """List the invitations that nobody has accepted yet."""
    session.printer.show(session.api.list_all(_invitations_path(consumer)), _INVITATION, identifier="email")


def get_invitation(session: Session, consumer: Consumer, email: Email) -> None:
    """Show an invitation."""
    path = _invitation_path(session, consumer, email)
    session.printer.show(session.api.json("GET", path), _INVITATION, identifier="email")


def create_invitation(session: Session, consumer: Consumer, email: Email, role: Role = "manager") -> None:
    """Invite a person by e-mail."""
    created = session.api.json("POST", _invitations_path(consumer), json={"email": email, "role": role})
    session.printer.show(created, _INVITATION, identifier="email")


def resend_invitation(session: Session, consumer: Consumer, email: Email) -> None:
    """Send an invitation again, with a new link."""
    sent = session.api.json("POST", f"{_invitation_path(session, consumer, email)}/resend")
    session.printer.show(sent, _INVITATION, identifier="email")


def revoke_invitation(session: Session, consumer: Consumer, email: Email, yes: Yes = False) -> None:
    """Revoke an invitation."""
    path = _invitation_path(session, consumer, email)
    confirm(f"Revoke the invitation of {email} to {consumer}?", yes=yes)
    session.api.request("DELETE", path)
    session.printer.say(f"The invitation of {email} is revoked.")


def create_portal_link(
    session: Session,
    consumer: Consumer,
    email: Email,
    *,
    return_to: Annotated[
        str, typer.Option("--return-to", metavar="URL", help="Where “Back to …” leads: https.", show_default=False)
    ],
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Of a person who is new.")] = None,
    role: Role = "viewer",
) -> None:
    """Print a link that signs a person in to a consumer's workspace: once, within five minutes. For operators."""
    body = {"email": email, "role": role, "return_to": return_to} | ({"name": name} if name else {})
    created = session.api.json("POST", f"{consumer_path(consumer)}/portal-links", json=body)
    session.printer.show(created, _PORTAL_LINK, identifier="url")


def get_portal_link(session: Session, consumer: Consumer, link_id: LinkId) -> None:
    """Show whether a portal link was used. For operators."""
    path = f"{consumer_path(consumer)}/portal-links/{path_segment(link_id)}"
    session.printer.show(session.api.json("GET", path), _PORTAL_LINK[1:])


def _members_path(consumer: str) -> str:
    return f"{consumer_path(consumer)}/members"


def _invitations_path(consumer: str) -> str:
    return f"{consumer_path(consumer)}/invitations"


def member_path(session: Session, consumer: str, email: str) -> str:
    for member in session.api.list_all(_members_path(consumer)):
        if member["email"].lower() == email.lower():
            return f"{_members_path(consumer)}/{path_segment(str(member['id']))}"
    raise CommandError(f"{email} is not a member of {consumer}.", NOT_FOUND)


def _invitation_path(session: Session, consumer: str, email: str) -> str:
    """Return the path of the latest invitation of an address. Raises CommandError."""
    for invitation in session.api.list_all(_invitations_path(consumer)):
        if invitation["email"].lower() == email.lower():
            return f"{_invitations_path(consumer)}/{path_segment(str(invitation['id']))}"
    raise CommandError(f"{email} has no invitation to {consumer}.", NOT_FOUND)


def add_to(verbs: Verbs) -> None:
    verbs.add("list", "members", command(list_members))
    verbs.add("get", "member", command(get_member))
    verbs.add("update", "member", command(update_member))
    verbs.add("delete", "member", command(delete_member))
    verbs.add("list", "invitations", command(list_invitations))
    verbs.add("get", "invitation", command(get_invitation))
    verbs.add("create", "invitation", command(create_invitation))
    verbs.add("create", "portal-link", command(create_portal_link))
    verbs.add("get", "portal-link", command(get_portal_link))
    verbs.add("resend", "invitation", command(resend_invitation))
    verbs.add("revoke", "invitation", command(revoke_invitation))
