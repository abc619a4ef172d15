"""Tokens that others signed: a client's assertion, a platform's token, or another issuer's."""

from django.conf import settings

from authority.client_authentication import assertions, federation, replay
from authority.diagnostics import rule_tester
from authority.diagnostics.inspector import claims
from authority.diagnostics.inspector.jwt import in_time
from authority.diagnostics.inspector.report import InspectionReport, Viewer
from authority.diagnostics.problem_messages import MESSAGES
from clients.federation import matching
from clients.models import Client, TrustedIssuer
from clients.vocabulary import AuthMethod
from core.jose import jws
from core.jose.jws import SignedJWT


def inspect_foreign(token: SignedJWT, viewer: Viewer) -> InspectionReport:
    """Report what the token is, and what it can be used for here."""
    content = token.claims
    issuer = viewer.trusted(federation.issuer_of(content))
    if content.get("iss") == content.get("sub") and not content.get("scope") and issuer is None:
        report = _own_assertion(token, viewer)
    elif issuer is not None:
        report = _platforms(token, viewer, issuer)
    else:
        report = _nobody_known(token)
    report.rows = claims.explain_claims(content, viewer)
    return report


def _nobody_known(token: SignedJWT) -> InspectionReport:
    report = InspectionReport("Another issuer’s token")
    iss = claims.display_value(token.claims.get("iss", "nobody"))
    report.error(
        "Issuer",
        "This portal did not issue it",
        f"Its issuer is {iss}. APIs behind this portal accept only {settings.ISSUER}: get a token here, or look for "
        f"another server’s URL in the program’s settings.",
        text=f"{iss}, not {settings.ISSUER}.",
    )
    in_time(report, token)
    return report


# -- What a client signed itself --------------------------------------------------------------------------------------


def _own_assertion(token: SignedJWT, viewer: Viewer) -> InspectionReport:
    report = InspectionReport("A client assertion")
    report.client = client = viewer.client(token.claims.get("sub"))
    name = f"{client}, one of your clients" if client else "no client that you can see"
    report.info("Client", f"It authenticates {name}.")
    if client is not None and client.token_endpoint_auth_method != AuthMethod.PRIVATE_KEY_JWT:
        method = client.token_endpoint_auth_method
        why = f"It is registered for {method}. Send that, or choose a key pair on its page Authentication."
        report.error("Method", f"{client} does not authenticate with assertions", why)
    if client is not None and client.client_jwks:
        _signed(report, token, client)
    if claims.strings(token.claims.get("aud")) != [settings.ISSUER]:
        said = ", ".join(claims.strings(token.claims.get("aud"))) or "nobody"
        report.error("Audience", f"Its audience is {said}", f"Set aud to {settings.ISSUER}, as one string.")
    in_time(report, token)
    jti = token.claims.get("jti")
    if not isinstance(jti, str) or not jti:
        report.error("Use", "It has no jti", "Set jti to a new random text in each assertion.")
    elif client is not None and replay.is_spent("client assertion", client.client_id, jti):
        report.error("Use", "It was used already", "Create a new one for each request: each works once.", word="Used.")
    if not report.verdict:
        report.verdict, report.tone = "It looks right from here", ""
        report.advice = "It works once, at the token endpoint. No API takes it."
        if client is None or not client.client_jwks:
            report.advice = "It works once, if one of the client’s registered keys signed it. No API takes it."
    return report


def _signed(report: InspectionReport, token: SignedJWT, client: Client) -> None:
    """Verify the signature with keys that are registered here; a jwks_uri is not fetched."""
    keys = assertions.given(client.client_jwks or {})
    problem = rule_tester.find_problem(
        lambda: assertions.prove(token, keys, verify=jws.verify_foreign),
        lambda kind, detail: MESSAGES[kind](client, detail),
    )
    if problem:
        report.error("Signature", problem.title, f"{problem.what} {problem.todo}")
    else:
        report.ok("Signature", "Made with a registered key of the client.", "Valid.")


# -- What a platform signed -------------------------------------------------------------------------------------------


def _platforms(token: SignedJWT, viewer: Viewer, issuer: TrustedIssuer) -> InspectionReport:
    """Report whose rule it matches. The rule tester verifies its signature, with the issuer's keys."""
    report = InspectionReport(f"A token of {issuer}")
    report.info("Issuer", f"{issuer.issuer}, which operators of this portal trust to say who runs there.")
    rules = [rule for rule in viewer.rules(issuer) if not matching.mismatches(rule.audience, rule.claims, token.claims)]
    in_time(report, token)
    for rule in rules:
        report.ok("Rule", f"It matches the rule of {rule.client}: {rule}.", "Met.")
    if rules:
        report.client = rules[0].client
        if not report.verdict:
            report.verdict, report.tone = f"It authenticates {report.client}, and no API accepts it", ""
            report.advice = (
                "Send it to the token endpoint as client_assertion, beside client_id, and get an access token. "
                "Try a token, on the client’s page Authentication, checks its signature too."
            )
        return report
    report.error(
        "Rule",
        "It matches no rule of your clients" if viewer.consumer else "It matches no rule of any client",
        "No API accepts it: it authenticates a client that has a rule for it. Try a token, on the client’s page "
        "Authentication, says which claim differs.",
        word="None.",
    )
    return report
