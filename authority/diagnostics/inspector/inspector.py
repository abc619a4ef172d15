"""The entry point: reports on a pasted text."""

from authority.diagnostics.inspector import error_responses, foreign_tokens, jwt, opaque
from authority.diagnostics.inspector.parsing import PastedText, parse
from authority.diagnostics.inspector.report import InspectionReport, Viewer
from clients import secrets
from clients.models import Api

MAX_TOKENS = 3  # tokens of one paste
JWT_PARTS, JWE_PARTS = 3, 5


def inspect(text: str, viewer: Viewer, api: Api | None = None) -> list[InspectionReport]:
    """Return the reports: on the error first, then on the tokens."""
    found = parse(text)
    reports = []
    if found.is_private_key:
        return [_private_key()]
    if found.error or (found.status and not found.tokens):
        reports.append(_refusal(found, viewer))
    reports += [_token(each, viewer, api) for each in found.tokens[:MAX_TOKENS]]
    if found.basic:
        reports.append(_credentials(*found.basic, viewer))
    if found.code and not found.error:
        reports.append(_code(viewer, found))
    if not reports and (known := error_responses.recognize_error(text)):
        reports.append(known)
    return reports or [_nothing_found()]


def _refusal(found: PastedText, viewer: Viewer) -> InspectionReport:
    if found.error:
        report = error_responses.explain_error(found.error, found.description, found.status)
    else:
        report = error_responses.recognize_error(found.text) or InspectionReport("A refused request", tone="bad")
        report.verdict = report.verdict or f"It was answered with {found.status}"
        report.advice = report.advice or "Paste its body and the WWW-Authenticate header too: they say why."
    report.client = viewer.client(found.client_id)
    return report


def _token(text: str, viewer: Viewer, api: Api | None) -> InspectionReport:
    parts = text.count(".") + 1
    if parts == JWT_PARTS and text.startswith("ey"):
        return _signed(text, viewer, api)
    if parts == JWE_PARTS and text.startswith("ey"):
        report = InspectionReport("An encrypted token (JWE)")
        why = "This portal issues signed tokens, never encrypted ones. It is another server’s: ask that one."
        report.error("Form", "It has five parts: it is encrypted", why)
        return report
    if text.startswith("ey"):
        report = InspectionReport("A part of a token")
        why = "A JWT has three parts, separated by dots. Copy it again, from its first ey to its end."
        report.error("Form", f"It has {parts} part{'' if parts == 1 else 's'} instead of three", why)
        return report
    return opaque.inspect_opaque(text, viewer, api)


def _signed(text: str, viewer: Viewer, api: Api | None) -> InspectionReport:
    try:
        read = jwt.read(text)
        return foreign_tokens.inspect_foreign(read, viewer) if jwt.is_foreign(read) else jwt.judge(read, viewer, api)
    except jwt.Malformed as malformed:
        report = InspectionReport("A damaged token")
        report.error("Form", str(malformed), "Copy it again, whole and without changing a character.")
        return report


def _credentials(client_id: str, secret: str, viewer: Viewer) -> InspectionReport:
    """Report on Basic credentials: a client ID and a secret."""
    report = opaque.inspect_opaque(secret, viewer, None)
    wrong = next((fact.text for fact in report.facts if fact.tone == "bad"), "")
    report.kind, report.advice = "A client ID and its secret", opaque.LEAKED.format("rotate it")
    report.info("Client ID", client_id[:255])
    if report.client is not None and report.client.client_id != client_id:
        report.tone, report.verdict = "bad", f"The secret is of {report.client}, which has another client ID"
        report.advice = "Look for two clients, or two environments, whose values were mixed. " + report.advice
    elif not secret.startswith(secrets.PREFIX):
        report.tone, report.verdict = "bad", f"This is not one of our secrets: those begin with {secrets.PREFIX}"
    elif wrong:
        report.tone, report.verdict = "bad", f"The secret does not work. {wrong}"
    elif report.client is None:
        report.tone, report.verdict = "warn", "This is not a secret of a client that you can see"
    else:
        report.tone, report.verdict = "good", "They belong together, and the secret works"
    return report


def _private_key() -> InspectionReport:
    report = InspectionReport("A private key", tone="bad", verdict="This is a private key, and must not be shared")
    report.advice = (
        "It signs, and is never sent. If others could read it, create a new key pair on the client’s page "
        "Authentication and remove the old one."
    )
    return report


def _code(viewer: Viewer, found: PastedText) -> InspectionReport:
    report = InspectionReport("An authorization code", tone="")
    report.verdict = "The sign-in worked: the browser brings a code back"
    report.advice = "The program exchanges it at the token endpoint, once and within a minute, with its code_verifier."
    report.client = viewer.client(found.client_id)
    return report


def _nothing_found() -> InspectionReport:
    report = InspectionReport("Not recognized", tone="warn", verdict="There is no token or error in it")
    report.advice = (
        "Paste an access token, an ID token, the JSON of an error, a WWW-Authenticate header, the URL with error=, "
        "or what curl -v showed."
    )
    return report
