"""Connections to identity providers, and their domains. For operators."""

import sys
from typing import Annotated, Any

import typer

from clientdesk.api_client import path_segment
from clientdesk.confirm import Yes, confirm
from clientdesk.errors import USAGE, CommandError
from clientdesk.flags import Flag, json_patch_of, members_of, parameters_of
from clientdesk.input import read_text
from clientdesk.session import Session, command
from clientdesk.verbs import Verbs

_COLUMNS = ["slug", "name", "issuer", "sign_in", "state", "people", "consumers", "source"]
_WHOLE = [
    *_COLUMNS,
    *("id", "preset", "client_id", "client_authentication", "has_client_secret", "scopes", "name_claim", "email_claim"),
    *(
        "verified_claim",
        "groups_claim",
        "domain_claim",
        "kept_claims",
        "for_operators",
        "operator_claim_value",
        "operator_group",
    ),
    *("max_age", "redirect_uri", "initiate_login_uri", "backchannel_logout_uri", "jwks_uri", "problem", "problem_at"),
    *("tested_at", "signed_in_at"),
]
_DOMAIN = ["domain", "verified_at", "verified_by", "txt_record"]
FLAGS = [
    Flag("preset", "preset", "text", "Basic", "The product; `list presets` shows what each asks for."),
    Flag("issuer", "issuer", "text", "Basic", "Its address, where no --answer stands for it."),
    Flag("client-id", "client_id", "text", "Basic", "What the provider calls this portal."),
    Flag(
        "client-authentication",
        "client_authentication",
        "text",
        "Basic",
        "How the portal authenticates there: private_key_jwt, client_secret_basic or client_secret_post.",
    ),
    Flag("scope", "scopes", "list", "Basic", "A scope to ask for; openid is needed. Repeatable."),
    Flag("sign-in", "sign_in", "text", "Basic", "off, offered or required."),
    Flag("consumer", "consumers", "list", "Basic", "Whose people it is for; by default the whole portal. Repeatable."),
    Flag("max-age", "max_age", "integer", "Basic", "Seconds ago that people may have signed in there; 0 for any."),
    Flag("name-claim", "name_claim", "text", "Claims", "Of the person's name."),
    Flag("email-claim", "email_claim", "text", "Claims", "Of the e-mail address."),
    Flag("verified-claim", "verified_claim", "text", "Claims", "That the address is verified; empty if all are."),
    Flag("groups-claim", "groups_claim", "text", "Claims", "Of the groups; empty to read none."),
    Flag("domain-claim", "domain_claim", "text", "Claims", "That must be one of its domains, such as Google's hd."),
    Flag("kept-claim", "kept_claims", "list", "Claims", "A claim to keep for the tokens of APIs. Repeatable."),
    Flag("for-operators", "for_operators", "boolean", "Operators", "Let operators sign in by it."),
    Flag("operator-claim-value", "operator_claim_value", "text", "Operators", "Who has this group is an operator."),
    Flag("operator-group", "operator_group", "text", "Operators", "The rights that they get, by the group's name."),
]
ConnectionName = Annotated[
    str, typer.Argument(metavar="CONNECTION", help="Short name or ID of the connection.", show_default=False)
]
DomainName = Annotated[str, typer.Argument(metavar="DOMAIN", help="Such as acme.example.", show_default=False)]
Answers = Annotated[
    list[str] | None,
    typer.Option("--answer", metavar="NAME=TEXT", help="What the preset asks for: domain=acme.okta.com. Repeatable."),
]
SecretFile = Annotated[
    str | None,
    typer.Option(
        "--client-secret-file", metavar="FILE", help="The file of the client secret that the provider gave you, or -."
    ),
]


def _refuse_secret(given: str | None) -> None:
    if given:
        raise CommandError(
            "Every process can read a command line. Use --client-secret-file FILE, or - to type it.", USAGE
        )


ClientSecretOption = Annotated[str | None, typer.Option("--client-secret", hidden=True, callback=_refuse_secret)]


def list_connections(session: Session) -> None:
    """List the connections to identity providers. For operators."""
    session.printer.show(session.api.list_all("/admin/connections"), _COLUMNS, identifier="slug")


def list_presets(session: Session) -> None:
    """List the products that can be connected, and what each asks for. For operators."""
    found = session.api.json("GET", "/admin/connection-presets")
    rows = [each | {"asks": [f"{name}: {label}" for name, label in each["asks"].items()]} for each in found]
    session.printer.show(rows, ["preset", "name", "asks", "issuer", "where"], identifier="preset")


def get_connection(session: Session, connection: ConnectionName) -> None:
    """Show a connection, and what to register at the provider. For operators."""
    session.printer.show(session.api.json("GET", connection_path(connection)), _WHOLE, identifier="slug")


def create_connection(
    session: Session,
    *,
    slug: Annotated[
        str,
        typer.Argument(metavar="SHORT_NAME", help="Part of the redirect URI: a-z, 0-9 and “-”.", show_default=False),
    ],
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="As people read it.", show_default=False)],
    flags: dict[str, Any],
    answer: Answers = None,
    client_secret_file: SecretFile = None,
    client_secret: ClientSecretOption = None,
) -> None:
    """Connect an identity provider. For operators.

    Register the redirect URI that it shows there, add and verify a domain, and test it in the portal.
    """
    body = {"slug": slug, "name": name} | _members(flags)
    if answer:
        body["preset_answers"] = _answers(answer)
    needs_secret = str(body.get("client_authentication", "")).startswith("client_secret_")
    body |= _secret(client_secret_file, asks=needs_secret)
    created = session.api.json("POST", "/admin/connections", json=body)
    session.printer.show(created, _WHOLE, identifier="slug")


def update_connection(
    session: Session,
    *,
    connection: ConnectionName,
    flags: dict[str, Any],
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="As people read it.")] = None,
    client_secret_file: SecretFile = None,
    client_secret: ClientSecretOption = None,
) -> None:
    """Change a connection; what is not named stays. For operators."""
    members = _members(flags) | ({"name": name} if name is not None else {})
    members |= _secret(client_secret_file, asks=False)
    if not members:
        raise CommandError("Nothing to change. Name a flag, such as --sign-in offered.", USAGE)
    changed = session.api.json("PATCH", connection_path(connection), json=json_patch_of(members))
    session.printer.show(changed, _WHOLE, identifier="slug")


def delete_connection(session: Session, connection: ConnectionName, yes: Yes = False) -> None:
    """Delete a connection, with the identities of its people; accounts and memberships stay. For operators."""
    path = connection_path(connection)
    confirm(f"Delete the connection {connection}? Nobody signs in by it any more. This can't be undone.", yes=yes)
    session.api.request("DELETE", path)
    session.printer.show({"slug": connection}, ["slug"], identifier="slug")


# -- Domains ----------------------------------------------------------------------------------------------------------


def list_domains(session: Session, connection: ConnectionName) -> None:
    """List the domains of a connection. For operators."""
    session.printer.show(session.api.json("GET", _domains_path(connection)), _DOMAIN, identifier="domain")


def get_domain(session: Session, connection: ConnectionName, domain: DomainName) -> None:
    """Show a domain of a connection. For operators."""
    session.printer.show(session.api.json("GET", _domain_path(connection, domain)), _DOMAIN, identifier="domain")


def create_domain(session: Session, connection: ConnectionName, domain: DomainName) -> None:
    """Add a domain to a connection. For operators."""
    added = session.api.json("POST", _domains_path(connection), json={"domain": domain})
    session.printer.show(added, _DOMAIN, identifier="domain")


def verify_domain(
    session: Session,
    connection: ConnectionName,
    domain: DomainName,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="TEXT", help="Vouch for it: how you know whose domain it is.", show_default=False),
    ] = None,
    yes: Yes = False,
) -> None:
    """Verify a domain by its DNS record, or with --by by your word. For operators.

    From then on the provider opens the account of whoever has such an address.
    """
    path = _domain_path(connection, domain)
    if by is None:
        found = session.api.json("POST", f"{path}/check")
    else:
        confirm(f"Trust {connection} for whoever has an address at {domain}?", yes=yes)
        found = session.api.json("POST", f"{path}/verify", json={"by": by})
    session.printer.show(found, _DOMAIN, identifier="domain")


def delete_domain(session: Session, connection: ConnectionName, domain: DomainName, yes: Yes = False) -> None:
    """Remove a domain from a connection. For operators."""
    path = _domain_path(connection, domain)
    confirm(f"Remove {domain} from {connection}?", yes=yes)
    session.api.request("DELETE", path)
    session.printer.show({"domain": domain}, ["domain"], identifier="domain")


# -- What is sent -----------------------------------------------------------------------------------------------------


def _members(flags: dict[str, Any]) -> dict[str, Any]:
    members = members_of(FLAGS, flags)
    return members | ({"max_age": members["max_age"] or None} if "max_age" in members else {})


def _answers(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if not all(name and equals for name, equals, _ in pairs):
        raise CommandError("Write --answer as name=text, such as domain=acme.okta.com.", USAGE)
    return {name: text for name, _, text in pairs}


def _secret(source: str | None, *, asks: bool) -> dict[str, str]:
    """Return the client secret from a file, standard input or, where it is needed, the person at the terminal."""
    if source is not None:
        secret = read_text(source).strip()
        if not secret:
            raise CommandError("The file of the client secret is empty.", USAGE)
        return {"client_secret": secret}
    if not asks:
        return {}
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CommandError(
            "Name the file of the client secret with --client-secret-file, or - for standard input.", USAGE
        )
    return {"client_secret": str(typer.prompt("Client secret at the provider", hide_input=True, err=True))}


def connection_path(connection: str) -> str:
    return f"/admin/connections/{path_segment(connection)}"


def _domains_path(connection: str) -> str:
    return f"{connection_path(connection)}/domains"


def _domain_path(connection: str, domain: str) -> str:
    return f"{_domains_path(connection)}/{path_segment(domain)}"


def add_to(verbs: Verbs) -> None:
    verbs.add("list", "connections", command(list_connections))
    verbs.add("list", "presets", command(list_presets))
    verbs.add("get", "connection", command(get_connection))
    verbs.add("create", "connection", command(create_connection, parameters_of(FLAGS)))
    verbs.add("update", "connection", command(update_connection, parameters_of(FLAGS)))
    verbs.add("delete", "connection", command(delete_connection))
    verbs.add("list", "domains", command(list_domains))
    verbs.add("get", "domain", command(get_domain))
    verbs.add("create", "domain", command(create_domain))
    verbs.add("verify", "domain", command(verify_domain))
    verbs.add("delete", "domain", command(delete_domain))
