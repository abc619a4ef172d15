"""Texts that say nothing by themselves: recognised by their beginning, and looked up among what the person may see."""

from django.utils import timezone

from authority.diagnostics.inspector import claims, jwt
from authority.diagnostics.inspector.report import Fact, Report, Viewer
from authority.diagnostics.inspector.times import told
from authority.models import OpaqueToken, RefreshToken
from authority.tokens import access_tokens, families
from clients import secrets
from clients.actions.registration import MANAGES
from clients.models import Api, ClientSecret
from clients.registration.allowances import PREFIX as REGISTERS
from consumers.actions.personal_tokens import PREFIX as PERSONAL
from consumers.activity.timeline import when
from core.digests import digest

LEAKED = "If others could read it where it came from, {} now."
# Beginning: what it is, the verdict, what to do.
OTHERS = {
    PERSONAL: (
        "A personal access token",
        "It manages clients in a person’s name, and no API takes it",
        LEAKED.format("revoke it on your account’s page"),
    ),
    MANAGES: (
        "A registration access token",
        "It manages the one client that it was issued with, and no API takes it",
        LEAKED.format("rotate it at the client’s configuration endpoint"),
    ),
    REGISTERS: (
        "An initial access token",
        "It lets a program register clients, and no API takes it",
        LEAKED.format("ask an operator to revoke it"),
    ),
}


def judge(text: str, viewer: Viewer, api: Api | None) -> Report:
    if text.startswith(secrets.PREFIX):
        return _secret(text, viewer)
    if text.startswith(access_tokens.OPAQUE_PREFIX):
        return _access_token(text, viewer, api)
    if text.startswith(families.PREFIX):
        return _refresh_token(text, viewer)
    if text.startswith("cl_"):
        return _client_id(text, viewer)
    for prefix, (kind, verdict, advice) in OTHERS.items():
        if text.startswith(prefix):
            return Report(kind, verdict, advice, tone="warn")
    report = Report("A random text", tone="warn")
    report.verdict = "It says nothing by itself, and does not look like one of ours"
    report.advice = "It may be a code, or a token of another server. Whoever issued it can say what it is worth."
    return report


def _client_id(text: str, viewer: Viewer) -> Report:
    report = Report("A client ID", tone="")
    report.client = viewer.client(text)
    if report.client is None:
        report.tone, report.verdict = "warn", "It names no client that you may see"
        report.advice = "Compare it letter by letter with the client’s page. It is no secret, and no token."
    else:
        report.verdict = f"It names {report.client}" + (", which is disabled" if report.client.is_disabled else "")
        report.advice = "It is no secret, and no token. Why its requests were refused stands among its problems."
    return report


def _nobodys(report: Report) -> Report:
    """Answer alike for what does not exist, is forgotten, or is none of this person's business."""
    report.tone, report.verdict = "warn", "It is none of a client that you may see, or ended long ago"
    report.advice = "It says nothing by itself. Its own client learns from the introspection endpoint whether it works."
    return report


def _access_token(text: str, viewer: Viewer, api: Api | None) -> Report:
    report = Report("An opaque access token")
    row = OpaqueToken.objects.select_related("client").filter(digest=digest(text)).first()
    report.client = viewer.client(row.client.client_id) if row else None
    if row is None or report.client is None:
        return _nobodys(report)
    token = jwt.Token(text, {"typ": access_tokens.TYPE}, row.claims, b"")
    jwt.in_time(report, token)
    jwt.standing(report, token, report.client)
    jwt.expects(report, token, api)
    report.rows = claims.explained(row.claims, viewer)
    if not report.verdict:
        report.verdict, report.advice = "It is valid", "An API has to ask the introspection endpoint what it is worth."
    return report


def _refresh_token(text: str, viewer: Viewer) -> Report:
    report = Report("A refresh token")
    row = RefreshToken.objects.select_related("family__client").filter(digest=digest(text)).first()
    report.client = viewer.client(row.family.client.client_id) if row else None
    if row is None or report.client is None:
        return _nobodys(report)
    again = "The person has to sign in again."
    if row.family.ended_at is not None:
        at = when(row.family.ended_at)
        why = "It was revoked, or an older one came back, which ends all that came from the sign-in. " + again
        report.fails("Sign-in", f"The sign-in that it came from was ended on {at}", why, word="Ended.")
    elif row.generation < row.family.generation:
        why = "Each refresh gives a new one. Keep that of the newest answer; sending this one again ends the sign-in."
        report.fails("Use", "It was used before", why, word="Used.")
    elif row.expires_at <= timezone.now():
        report.fails("Time", "It has ended", again, word="Over.", text=f"It ended on {told(row.expires_at)}.")
    else:
        report.holds("Time", f"It works until {told(row.expires_at)}.")
        report.verdict, report.advice = "It works", "It is for the token endpoint alone, once. No API takes it."
    return report


def _secret(text: str, viewer: Viewer) -> Report:
    """Recognise a client's secret; it is compared by its digest, like each time a client sends it."""
    report = Report("A client secret", tone="bad", verdict="This is a client secret, not a token")
    report.advice = "Exchange it for a token at the token endpoint. " + LEAKED.format("rotate it")
    if not secrets.looks_real(text):
        report.facts.append(
            Fact("Form", "Damaged.", "bad", "Its last characters do not fit the others: it was cut or changed.")
        )
        return report
    digests = [secrets.digest(text, version) for version in secrets.peppers()]
    rows = ClientSecret.objects.select_related("client__consumer").filter(digest__in=digests)
    row = (rows.filter(client__consumer=viewer.consumer) if viewer.consumer else rows).first()
    if row is None:
        report.tells("Whose", "None of a client that you may see.")
        return report
    report.client = row.client
    if row.ended_at:
        report.facts.append(Fact("Works", "No.", "bad", f"It ended on {when(row.ended_at)}."))
    else:
        report.facts.append(Fact("Works", "Yes.", "good", f"It is {row}, of {row.client}."))
    return report
