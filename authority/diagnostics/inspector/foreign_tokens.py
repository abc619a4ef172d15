"""What others signed: a client's own assertion, the token of a platform, or somebody else's altogether."""

from django.conf import settings

from authority.client_authentication import assertions, federation, replay
from authority.diagnostics import rule_tester
from authority.diagnostics.inspector import claims
from authority.diagnostics.inspector.jwt import Token, in_time
from authority.diagnostics.inspector.report import Report, Viewer
from authority.diagnostics.problem_messages import TOLD
from clients.federation import matching
from clients.models import Client, TrustedIssuer
from clients.vocabulary import AuthMethod


def judge(token: Token, viewer: Viewer) -> Report:
    """Say what it is, and what it is good for here."""
    content = token.content
    issuer = viewer.trusted(federation.issuer_of(content))
    if content.get("iss") == content.get("sub") and not content.get("scope") and issuer is None:
        report = _own_assertion(token, viewer)
    elif issuer is not None:
        report = _platforms(token, viewer, issuer)
    else:
        report = _nobody_known(token)
    report.rows = claims.explained(content, viewer)
    return report


def _nobody_known(token: Token) -> Report:
    report = Report("Somebody else’s token")
    iss = claims.shown(token.content.get("iss", "nobody"))
    report.fails(
        "Issuer",
        "This portal did not issue it",
        f"It says that {iss} did. APIs behind this portal accept {settings.ISSUER} only: get a token here, or look "
        "for another server’s address in the program’s settings.",
        text=f"{iss}, not {settings.ISSUER}.",
    )
    in_time(report, token)
    return report


# -- What a client signed itself --------------------------------------------------------------------------------------


def _own_assertion(token: Token, viewer: Viewer) -> Report:
    report = Report("A client assertion")
    report.client = client = viewer.client(token.content.get("sub"))
    name = f"{client}, one of your clients" if client else "no client that you may see"
    report.tells("Client", f"It speaks for {name}.")
    if client is not None and client.token_endpoint_auth_method != AuthMethod.PRIVATE_KEY_JWT:
        method = client.token_endpoint_auth_method
        why = f"It is registered for {method}. Send that, or choose a key pair on its page Authentication."
        report.fails("Method", f"{client} does not prove itself by assertions", why)
    if client is not None and client.client_jwks:
        _signed(report, token, client)
    if claims.strings(token.content.get("aud")) != [settings.ISSUER]:
        said = ", ".join(claims.strings(token.content.get("aud"))) or "nobody"
        report.fails("Audience", f"Its audience is {said}", f"Set aud to {settings.ISSUER}, as one string.")
    in_time(report, token)
    jti = token.content.get("jti")
    if not isinstance(jti, str) or not jti:
        report.fails("Use", "It has no name of its own", "Set jti to a new random text in each assertion.")
    elif client is not None and replay.is_spent("client assertion", client.client_id, jti):
        report.fails("Use", "It was used already", "Make a new one for each request: each works once.", word="Used.")
    if not report.verdict:
        report.verdict, report.tone = "It looks right from here", ""
        report.advice = "It works once, at the token endpoint. No API takes it."
        if client is None or not client.client_jwks:
            report.advice = "It works once, if one of the client’s registered keys signed it. No API takes it."
    return report


def _signed(report: Report, token: Token, client: Client) -> None:
    """Judge the signature by the keys that are registered here; those at an address are not asked for."""
    keys = assertions.given(client.client_jwks or {})
    problem = rule_tester.fault(
        lambda: assertions.prove(assertions.read(token.text), keys), lambda kind, detail: TOLD[kind](client, detail)
    )
    if problem:
        report.fails("Signature", problem.title, f"{problem.what} {problem.todo}")
    else:
        report.holds("Signature", "A registered key of the client made it.", "Valid.")


# -- What a platform signed -------------------------------------------------------------------------------------------


def _platforms(token: Token, viewer: Viewer, issuer: TrustedIssuer) -> Report:
    """Say whose rule it meets. Its signature is checked where a client's rules are tried, by the issuer's keys."""
    report = Report(f"A token of {issuer}")
    report.tells("Issuer", f"{issuer.issuer}, which operators of this portal trust to say who runs there.")
    rules = [
        rule for rule in viewer.rules(issuer) if not matching.differences(rule.audience, rule.claims, token.content)
    ]
    in_time(report, token)
    for rule in rules:
        report.holds("Rule", f"It meets the rule of {rule.client}: {rule}.", "Met.")
    if rules:
        report.client = rules[0].client
        if not report.verdict:
            report.verdict, report.tone = f"It proves {report.client}, and no API takes it", ""
            report.advice = (
                "Send it to the token endpoint as client_assertion, beside client_id, and get an access token. "
                "Try a token, on the client’s page Authentication, checks its signature too."
            )
        return report
    report.fails(
        "Rule",
        "It meets no rule of your clients" if viewer.consumer else "It meets no rule of any client",
        "No API takes it: it proves a client that has a rule for it. Try a token, on the client’s page "
        "Authentication, says which claim differs.",
        word="None.",
    )
    return report
