"""Opaque tokens and secrets: recognized by their prefix, and looked up among those that the viewer may see."""

from django.utils import timezone

from authority.diagnostics.inspector import claims, jwt
from authority.diagnostics.inspector.report import Fact, InspectionReport, Viewer
from authority.diagnostics.inspector.times import with_distance
from authority.models import OpaqueToken, RefreshToken
from authority.tokens import access_tokens, families
from clients import secrets
from clients.actions.registration import REGISTRATION_ACCESS_TOKEN_PREFIX
from clients.models import Api, ClientSecret
from clients.registration.allowances import INITIAL_ACCESS_TOKEN_PREFIX as REGISTERS
from consumers.actions.personal_tokens import PREFIX as PERSONAL
from core.credentials import token_digest
from core.jose.jws import SignedJWT
from core.timefmt import date_time

LEAKED = "If others could read it where it came from, {} now."
# Beginning: what it is, the verdict, what to do.
OTHERS = {
    PERSONAL: (
        "A personal access token",
        "It manages clients in a person’s name, and no API accepts it",
        LEAKED.format("revoke it on your account’s page"),
    ),
    REGISTRATION_ACCESS_TOKEN_PREFIX: (
        "A registration access token",
        "It manages the one client that it was issued with, and no API accepts it",
        LEAKED.format("rotate it at the client’s configuration endpoint"),
    ),
    REGISTERS: (
        "An initial access token",
        "It lets a program register clients, and no API accepts it",
        LEAKED.format("ask an operator to revoke it"),
    ),
}


def inspect_opaque(text: str, viewer: Viewer, api: Api | None) -> InspectionReport:
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
            return InspectionReport(kind, verdict, advice, tone="warn")
    report = InspectionReport("A random text", tone="warn")
    report.verdict = "It is opaque, and does not look like one of ours"
    report.advice = "It may be a code, or a token of another server. Only its issuer can validate it."
    return report


def _client_id(text: str, viewer: Viewer) -> InspectionReport:
    report = InspectionReport("A client ID", tone="")
    report.client = viewer.client(text)
    if report.client is None:
        report.tone, report.verdict = "warn", "It is not a client that you can see"
        report.advice = "Compare it with the client’s page: it must match exactly. It is not a secret or a token."
    else:
        report.verdict = f"It names {report.client}" + (", which is disabled" if report.client.is_disabled else "")
        report.advice = "It is not a secret or a token. Its Problems page shows why its requests were refused."
    return report


def _unknown(report: InspectionReport) -> InspectionReport:
    """Report alike on what does not exist, was deleted, or is not visible to the viewer."""
    report.tone, report.verdict = "warn", "It belongs to no client that you can see, or expired long ago"
    report.advice = "It is opaque. Its client can introspect it."
    return report


def _access_token(text: str, viewer: Viewer, api: Api | None) -> InspectionReport:
    report = InspectionReport("An opaque access token")
    row = OpaqueToken.objects.select_related("client").filter(digest=token_digest(text)).first()
    report.client = viewer.client(row.client.client_id) if row else None
    if row is None or report.client is None:
        return _unknown(report)
    token = SignedJWT(text, {"typ": access_tokens.TYPE}, row.claims, b"")
    jwt.in_time(report, token)
    jwt.standing(report, token, report.client)
    jwt.expects(report, token, api)
    report.rows = claims.explain_claims(row.claims, viewer)
    if not report.verdict:
        report.verdict, report.advice = "It is valid", "An API has to introspect it."
    return report


def _refresh_token(text: str, viewer: Viewer) -> InspectionReport:
    report = InspectionReport("A refresh token")
    row = RefreshToken.objects.select_related("family__client").filter(digest=token_digest(text)).first()
    report.client = viewer.client(row.family.client.client_id) if row else None
    if row is None or report.client is None:
        return _unknown(report)
    again = "The person has to sign in again."
    if row.family.ended_at is not None:
        at = date_time(row.family.ended_at)
        why = "It was revoked, or an older one was reused, which revokes all tokens of the sign-in. " + again
        report.error("Sign-in", f"Its sign-in was revoked on {at}", why, word="Ended.")
    elif row.generation < row.family.generation:
        why = (
            "Each refresh returns a new one. Keep the one of the latest response; sending this one again revokes the "
            "sign-in."
        )
        report.error("Use", "It was used before", why, word="Used.")
    elif row.expires_at <= timezone.now():
        report.error(
            "Time", "It has expired", again, word="Expired.", text=f"It expired on {with_distance(row.expires_at)}."
        )
    else:
        report.ok("Time", f"It is valid until {with_distance(row.expires_at)}.")
        report.verdict, report.advice = "It is valid", "It is for the token endpoint only, once. No API takes it."
    return report


def _secret(text: str, viewer: Viewer) -> InspectionReport:
    """Report on a client secret, looked up by its digest as in client authentication."""
    report = InspectionReport("A client secret", tone="bad", verdict="This is a client secret, not a token")
    report.advice = "Exchange it for a token at the token endpoint. " + LEAKED.format("rotate it")
    if not secrets.looks_real(text):
        report.facts.append(Fact("Form", "Damaged.", "bad", "Its checksum is wrong: it was cut or changed."))
        return report
    digests = [secrets.keyed_digest(text, version) for version in secrets.peppers()]
    rows = ClientSecret.objects.select_related("client__consumer").filter(digest__in=digests)
    row = (rows.filter(client__consumer=viewer.consumer) if viewer.consumer else rows).first()
    if row is None:
        report.info("Whose", "It belongs to no client that you can see.")
        return report
    report.client = row.client
    if row.ended_at:
        report.facts.append(Fact("Active", "No.", "bad", f"It expired on {date_time(row.ended_at)}."))
    else:
        report.facts.append(Fact("Active", "Yes.", "good", f"It is {row}, of {row.client}."))
    return report
