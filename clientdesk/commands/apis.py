"""Who may sign in to apps that use an API, and which groups give its roles. For operators."""

from typing import Annotated, Any

import typer

from clientdesk.api_client import path_segment
from clientdesk.confirm import Yes, confirm
from clientdesk.errors import NOT_FOUND, USAGE, CommandError
from clientdesk.flags import Flag, json_patch_of, members_of, parameters_of
from clientdesk.session import Session, command
from clientdesk.verbs import Verbs

_SIGN_IN = [
    *("sign_in", "sign_in_connections", "reauthenticate_after", "requires_two_factors", "asks_consent_each_time"),
    *("login_url", "consent_url", "logout_url"),
]
_WHOLE = [
    *("id", "identifier", "name", "description", "signing_algorithm", "access_token_lifetime"),
    *("refresh_token_lifetime", "is_production", "allows_test_tokens", *_SIGN_IN),
]
_RULE = ["id", "connection", "group", "role"]
FLAGS = [
    Flag("sign-in-by", "sign_in", "text", "Basic", "Who may sign in: members, connections or own_login."),
    Flag("connection", "sign_in_connections", "list", "Basic", "A connection whose people sign in. Repeatable."),
    Flag(
        "reauthenticate-after",
        "reauthenticate_after",
        "integer",
        "Basic",
        "Seconds after which people sign in again, or 0.",
    ),
    Flag("two-factors", "requires_two_factors", "boolean", "Basic", "Require two factors."),
    Flag("consent-each-time", "asks_consent_each_time", "boolean", "Basic", "Ask for consent each time."),
    Flag("login-url", "login_url", "text", "Basic", "Where people are sent with login_challenge."),
    Flag("consent-url", "consent_url", "text", "Basic", "Where they go with consent_challenge; empty for ours."),
    Flag("logout-url", "logout_url", "text", "Basic", "Where they go with logout_challenge; empty for ours."),
]
ApiName = Annotated[
    str, typer.Argument(metavar="API", help="Identifier or ID of the API, as `list apis` shows it.", show_default=False)
]
RuleId = Annotated[int, typer.Argument(metavar="RULE_ID", help="As `list group-roles` shows it.", show_default=False)]


def get_api(session: Session, api: ApiName) -> None:
    """Show an API, and who may sign in to apps that use it."""
    session.printer.show(session.api.json("GET", _path(session, api)), _WHOLE, identifier="identifier")


def update_api(session: Session, *, api: ApiName, flags: dict[str, Any]) -> None:
    """Change who may sign in to apps that use an API; what is not named stays. For operators."""
    members = members_of(FLAGS, flags)
    if members.get("reauthenticate_after") == 0:
        members["reauthenticate_after"] = None
    if not members:
        raise CommandError("Nothing to change. Name a flag, such as --sign-in-by members.", USAGE)
    changed = session.api.json("PATCH", _path(session, api), json=json_patch_of(members))
    session.printer.show(changed, _WHOLE, identifier="identifier")


def list_group_roles(session: Session, api: ApiName) -> None:
    """List which groups give roles of an API. For operators."""
    session.printer.show(session.api.list_all(_rules(session, api)), _RULE, identifier="id")


def get_group_role(session: Session, api: ApiName, rule_id: RuleId) -> None:
    """Show which group gives a role. For operators."""
    found = session.api.json("GET", f"{_rules(session, api)}/{rule_id}")
    session.printer.show(found, _RULE, identifier="id")


def create_group_role(
    session: Session,
    *,
    api: ApiName,
    connection: Annotated[str, typer.Option(metavar="TEXT", help="Short name of the connection.", show_default=False)],
    group: Annotated[str, typer.Option(metavar="TEXT", help="As the provider writes it.", show_default=False)],
    role: Annotated[str, typer.Option(metavar="ROLE", help="Value of the role.", show_default=False)],
) -> None:
    """Let a group give a role, from its people's next sign-in on. For operators."""
    body = {"connection": connection, "group": group, "role": role}
    session.printer.show(session.api.json("POST", _rules(session, api), json=body), _RULE, identifier="id")


def delete_group_role(session: Session, api: ApiName, rule_id: RuleId, yes: Yes = False) -> None:
    """Let a group give a role no longer. For operators."""
    path = f"{_rules(session, api)}/{rule_id}"
    confirm(f"Delete the rule {rule_id}? Whoever has the role by this group alone loses it at once.", yes=yes)
    session.api.request("DELETE", path)
    session.printer.show({"id": rule_id}, ["id"], identifier="id")


def _path(session: Session, api: str) -> str:
    """Return the API's address, by its ID or by its identifier."""
    if api.isascii() and api.isdecimal():
        return f"/admin/apis/{path_segment(api)}"
    for found in session.api.list_all("/admin/apis"):
        if found["identifier"] == api:
            return f"/admin/apis/{found['id']}"
    raise CommandError(f"There is no API “{api}”. `list apis` shows them.", NOT_FOUND)


def _rules(session: Session, api: str) -> str:
    return f"{_path(session, api)}/group-roles"


def add_to(verbs: Verbs) -> None:
    verbs.add("get", "api", command(get_api))
    verbs.add("update", "api", command(update_api, parameters_of(FLAGS)))
    verbs.add("list", "group-roles", command(list_group_roles))
    verbs.add("get", "group-role", command(get_group_role))
    verbs.add("create", "group-role", command(create_group_role))
    verbs.add("delete", "group-role", command(delete_group_role))
