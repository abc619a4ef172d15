"""Requests for workspaces and permissions: asked for, approved, declined, asked back and answered."""

from typing import Annotated

import typer

from clientdesk.api_client import path_segment
from clientdesk.confirm import Yes, confirm
from clientdesk.session import Session, command
from clientdesk.verbs import Verbs

WORKSPACES, PERMISSIONS = "/admin/workspace-requests", "/admin/permission-requests"
_WORKSPACE = ["organisation", "email", "state", "scopes", "consumer", "id"]
_PERMISSION = ["consumer", "scope", "state", "created_by", "expires_at", "id"]
Id = Annotated[str, typer.Argument(metavar="ID", help="ID of the request.", show_default=False)]
State = Annotated[str | None, typer.Option("--state", metavar="STATE", help="open, asked, approved, declined…")]
Said = Annotated[str, typer.Option("--question", metavar="TEXT", help="What you want to know.", show_default=False)]
Decision = Annotated[str, typer.Option("--decision", metavar="TEXT", help="Why. It is mailed.")]
ExpiresAt = Annotated[
    str | None,
    typer.Option("--expires-at", metavar="MOMENT", help="When it ends, such as 2027-06-01T00:00:00Z; else for good."),
]


def list_workspace_requests(session: Session, state: State = None) -> None:
    """List requests for a workspace. For operators."""
    found = session.api.list_all(WORKSPACES, **({"state": state} if state else {}))
    session.printer.show(found, _WORKSPACE, identifier="id")


def get_workspace_request(session: Session, request_id: Id) -> None:
    """Show a request for a workspace. For operators."""
    session.printer.show(session.api.json("GET", _one(WORKSPACES, request_id)), _WORKSPACE, identifier="id")


def approve_workspace_request(
    session: Session,
    request_id: Id,
    slug: Annotated[str | None, typer.Option("--slug", metavar="TEXT", help="Short name of the workspace.")] = None,
    scope: Annotated[list[str] | None, typer.Option("--scope", help="Grant this scope. Repeatable.")] = None,
    expires_at: ExpiresAt = None,
) -> None:
    """Open the workspace that was asked for. For operators."""
    sent = {"slug": slug, "scopes": scope or None, "expires_at": expires_at}
    body = {name: value for name, value in sent.items() if value is not None}
    session.printer.show(
        session.api.json("POST", f"{_one(WORKSPACES, request_id)}/approve", json=body), _WORKSPACE, identifier="id"
    )


def decline_workspace_request(session: Session, request_id: Id, decision: Decision = "", yes: Yes = False) -> None:
    """Decline a request for a workspace. For operators."""
    confirm("Decline the request? This can't be undone.", yes=yes)
    path = f"{_one(WORKSPACES, request_id)}/decline"
    session.printer.show(session.api.json("POST", path, json={"decision": decision}), _WORKSPACE, identifier="id")


def ask_workspace_request(session: Session, request_id: Id, question: Said) -> None:
    """Ask back before deciding about a workspace. For operators."""
    path = f"{_one(WORKSPACES, request_id)}/ask"
    session.printer.show(session.api.json("POST", path, json={"question": question}), _WORKSPACE, identifier="id")


def list_permission_requests(session: Session, state: State = None) -> None:
    """List requests for permissions."""
    found = session.api.list_all(PERMISSIONS, **({"state": state} if state else {}))
    session.printer.show(found, _PERMISSION, identifier="id")


def get_permission_request(session: Session, request_id: Id) -> None:
    """Show a request for a permission."""
    session.printer.show(session.api.json("GET", _one(PERMISSIONS, request_id)), _PERMISSION, identifier="id")


def create_permission_request(
    session: Session,
    scope: Annotated[str, typer.Argument(metavar="SCOPE", help="Such as invoices:write.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="What it is for.", show_default=False)],
    consumer: Annotated[str | None, typer.Option("--consumer", metavar="TEXT", help="Whose permission.")] = None,
) -> None:
    """Ask for a permission."""
    body = {"scope": scope, "reason": reason} | ({"consumer": consumer} if consumer else {})
    session.printer.show(session.api.json("POST", PERMISSIONS, json=body), _PERMISSION, identifier="id")


def answer_permission_request(
    session: Session,
    request_id: Id,
    answer: Annotated[str, typer.Option("--answer", metavar="TEXT", help="Your answer.", show_default=False)],
) -> None:
    """Answer what an operator asked back."""
    path = f"{_one(PERMISSIONS, request_id)}/answer"
    session.printer.show(session.api.json("POST", path, json={"answer": answer}), _PERMISSION, identifier="id")


def withdraw_permission_request(session: Session, request_id: Id) -> None:
    """Withdraw a request for a permission."""
    path = f"{_one(PERMISSIONS, request_id)}/withdraw"
    session.printer.show(session.api.json("POST", path), _PERMISSION, identifier="id")


def approve_permission_request(session: Session, request_id: Id, expires_at: ExpiresAt = None) -> None:
    """Give the permission, for good or until a moment. For operators."""
    path = f"{_one(PERMISSIONS, request_id)}/approve"
    session.printer.show(session.api.json("POST", path, json={"expires_at": expires_at}), _PERMISSION, identifier="id")


def decline_permission_request(session: Session, request_id: Id, decision: Decision = "", yes: Yes = False) -> None:
    """Decline a request for a permission. For operators."""
    confirm("Decline the request? This can't be undone.", yes=yes)
    path = f"{_one(PERMISSIONS, request_id)}/decline"
    session.printer.show(session.api.json("POST", path, json={"decision": decision}), _PERMISSION, identifier="id")


def ask_permission_request(session: Session, request_id: Id, question: Said) -> None:
    """Ask back before deciding about a permission. For operators."""
    path = f"{_one(PERMISSIONS, request_id)}/ask"
    session.printer.show(session.api.json("POST", path, json={"question": question}), _PERMISSION, identifier="id")


def _one(path: str, request_id: str) -> str:
    return f"{path}/{path_segment(request_id)}"


def add_to(verbs: Verbs) -> None:
    verbs.add("list", "workspace-requests", command(list_workspace_requests))
    verbs.add("get", "workspace-request", command(get_workspace_request))
    verbs.add("approve", "workspace-request", command(approve_workspace_request))
    verbs.add("decline", "workspace-request", command(decline_workspace_request))
    verbs.add("ask", "workspace-request", command(ask_workspace_request))
    verbs.add("list", "permission-requests", command(list_permission_requests))
    verbs.add("get", "permission-request", command(get_permission_request))
    verbs.add("create", "permission-request", command(create_permission_request))
    verbs.add("answer", "permission-request", command(answer_permission_request))
    verbs.add("withdraw", "permission-request", command(withdraw_permission_request))
    verbs.add("approve", "permission-request", command(approve_permission_request))
    verbs.add("decline", "permission-request", command(decline_permission_request))
    verbs.add("ask", "permission-request", command(ask_permission_request))
