"""What people allow clients, and sign-ins by the provider's own login."""

from typing import Annotated

import typer

from clientdesk.confirm import Yes, confirm
from clientdesk.errors import USAGE, CommandError
from clientdesk.session import Session, command
from clientdesk.verbs import Verbs

_CONSENTS, _SESSIONS = "/admin/oauth2/auth/sessions/consent", "/admin/oauth2/auth/sessions/login"
_CONSENT = ["client_id", "client_name", "grant_scope", "handled_at", "consent_request_id"]
Subject = Annotated[
    str, typer.Argument(metavar="SUBJECT", help="The person, as “sub” of their tokens.", show_default=False)
]


def list_consents(session: Session, subject: Subject) -> None:
    """List what a person allows clients. For operators."""
    found = session.api.list_all(_CONSENTS, subject=subject)
    rows = [consent | _client_of(consent) for consent in found]
    session.printer.show(rows, _CONSENT, identifier="consent_request_id")


def _client_of(consent: dict[str, object]) -> dict[str, object]:
    request = consent["consent_request"]
    client = request["client"] if isinstance(request, dict) else {}
    return {"client_id": client["client_id"], "client_name": client["client_name"]}


def revoke_consents(
    session: Session,
    subject: Subject,
    *,
    client_id: Annotated[str | None, typer.Option("--client-id", metavar="TEXT", help="Only of this client.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Of every client.")] = False,
    yes: Yes = False,
) -> None:
    """Revoke what a person allows clients, with the tokens that these have. For operators."""
    if (client_id is None) != every:
        raise CommandError("Give --client-id, or --all.", USAGE)
    confirm(f"Revoke what {subject} allows {client_id or 'every client'}? Their tokens end too.", yes=yes)
    which = {"client": client_id} if client_id is not None else {"all": "true"}
    session.api.request("DELETE", _CONSENTS, params={"subject": subject} | which)
    session.printer.say(f"{subject} allows {client_id or 'clients'} nothing any more.")


def revoke_login_sessions(
    session: Session,
    subject: Annotated[
        str | None, typer.Argument(metavar="SUBJECT", help="All of this person’s.", show_default=False)
    ] = None,
    sid: Annotated[str | None, typer.Option("--sid", metavar="TEXT", help="One, as “sid” of ID tokens.")] = None,
    yes: Yes = False,
) -> None:
    """End sign-ins by the provider's own login; clients hear of it. For operators."""
    if (subject is None) == (sid is None):
        raise CommandError("Give a subject, or --sid.", USAGE)
    confirm(f"End the sign-in{'s of ' + subject if subject else ' ' + str(sid)}?", yes=yes)
    session.api.request("DELETE", _SESSIONS, params={"subject": subject} if subject is not None else {"sid": sid})
    session.printer.say("Ended.")


def add_to(verbs: Verbs) -> None:
    verbs.add("list", "consents", command(list_consents))
    verbs.add("revoke", "consents", command(revoke_consents))
    verbs.add("revoke", "login-sessions", command(revoke_login_sessions))
