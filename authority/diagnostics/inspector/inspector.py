"""From what was pasted to a verdict."""

from authority.diagnostics.inspector import error_responses, foreign_tokens, jwt, opaque
from authority.diagnostics.inspector.parsing import Material, read
from authority.diagnostics.inspector.report import Report, Viewer
from clients import secrets
from clients.models import Api

MOST = 3  # tokens of one paste
LONGEST = 64 * 1024  # characters
JWT_PARTS, JWE_PARTS = 3, 5


def inspect(text: str, viewer: Viewer, api: Api | None = None) -> list[Report]:
    """Return what is to be said: about the error first, then about the token."""
    found = read(text)
    reports = []
    if found.is_private_key:
        return [_private_key()]
    if found.error or (found.status and not found.tokens):
        reports.append(_refusal(found, viewer))
    reports += [_token(each, viewer, api) for each in found.tokens[:MOST]]
    if found.basic:
        reports.append(_credentials(*found.basic, viewer))
    if found.code and not found.error:
        reports.append(_code(viewer, found))
    if not reports and (known := error_responses.recognised(text)):
        reports.append(known)
    return reports or [_nothing()]


def _refusal(found: Material, viewer: Viewer) -> Report:
    if found.error:
        report = error_responses.explained(found.error, found.description, found.status)
    else:
        report = error_responses.recognised(found.text) or Report("A refused request", tone="bad")
        report.verdict = report.verdict or f"It was answered with {found.status}"
        report.advice = report.advice or "Paste its body and the WWW-Authenticate header too: they say why."
    report.client = viewer.client(found.client_id)
    return report


def _token(text: str, viewer: Viewer, api: Api | None) -> Report:
    parts = text.count(".") + 1
    if parts == JWT_PARTS and text.startswith("ey"):
        return _signed(text, viewer, api)
    if parts == JWE_PARTS and text.startswith("ey"):
        report = Report("An encrypted token (JWE)")
        why = "This portal issues signed tokens, never encrypted ones. It is another server’s: ask that one."
        report.fails("Form", "It has five parts: it is encrypted", why)
        return report
    if text.startswith("ey"):
        report = Report("A piece of a token")
        why = "A JWT has three parts, parted by dots. Copy it again, from its first ey to its end."
        report.fails("Form", f"It has {parts} part{'' if parts == 1 else 's'} instead of three", why)
        return report
    return opaque.judge(text, viewer, api)


def _signed(text: str, viewer: Viewer, api: Api | None) -> Report:
    try:
        read = jwt.read(text)
        return foreign_tokens.judge(read, viewer) if jwt.is_foreign(read) else jwt.judge(read, viewer, api)
    except jwt.Malformed as malformed:
        report = Report("A damaged token")
        report.fails("Form", str(malformed), "Copy it again, whole and without changing a character.")
        return report


def _credentials(client_id: str, secret: str, viewer: Viewer) -> Report:
    """Judge what Basic authentication carries: a client ID and its secret."""
    report = opaque.judge(secret, viewer, None)
    wrong = next((fact.text for fact in report.facts if fact.tone == "bad"), "")
    report.kind, report.advice = "A client ID and its secret", opaque.LEAKED.format("rotate it")
    report.tells("Client ID", client_id[:255])
    if report.client is not None and report.client.client_id != client_id:
        report.tone, report.verdict = "bad", f"The secret is of {report.client}, which has another client ID"
        report.advice = "Look for two clients, or two environments, whose values were mixed. " + report.advice
    elif not secret.startswith(secrets.PREFIX):
        report.tone, report.verdict = "bad", f"The secret is none of ours: those begin with {secrets.PREFIX}"
    elif wrong:
        report.tone, report.verdict = "bad", f"The secret does not work. {wrong}"
    elif report.client is None:
        report.tone, report.verdict = "warn", "The secret is none of a client that you may see"
    else:
        report.tone, report.verdict = "good", "They belong together, and the secret works"
    return report


def _private_key() -> Report:
    report = Report("A private key", tone="bad", verdict="This is a private key, and was meant for nobody else")
    report.advice = (
        "It signs; it is sent nowhere. If others could read it where it came from, make a new key pair on the client’s "
        "page Authentication and remove the old one."
    )
    return report


def _code(viewer: Viewer, found: Material) -> Report:
    report = Report("An authorization code", tone="")
    report.verdict = "The sign-in worked: the browser brings a code back"
    report.advice = "The program exchanges it at the token endpoint, once and within a minute, with its code_verifier."
    report.client = viewer.client(found.client_id)
    return report


def _nothing() -> Report:
    report = Report("Nothing that is known", tone="warn", verdict="There is no token and no error in it")
    report.advice = (
        "Paste an access token, an ID token, the JSON of an error, a WWW-Authenticate header, the address with error=, "
        "or what curl -v showed."
    )
    return report
