"""A token in three parts: taken apart with care, then judged step by step."""

from dataclasses import replace
from datetime import timedelta

from cryptography.exceptions import InvalidSignature
from django.conf import settings
from django.utils import timezone

from authority.diagnostics.inspector import claims
from authority.diagnostics.inspector.report import InspectionReport, Viewer
from authority.diagnostics.inspector.times import humanize, with_distance
from authority.keys import workload_issuer
from authority.models import RevokedToken, SigningKey
from authority.tokens import access_tokens, validation
from clients.models import Api, Client
from core.jose import jws
from core.jose.jws import MalformedJWT, SignedJWT
from core.timefmt import date_time, from_numeric_date

SLACK = timedelta(seconds=60)  # that clocks may differ
Purpose = SigningKey.Purpose


class Malformed(Exception):
    """No token can be read in it; the text says where."""


def read(text: str) -> SignedJWT:
    """Take a text of three parts apart. Raises Malformed with the part and the reason."""
    for name, part in zip(("header", "payload", "signature"), text.split("."), strict=True):
        _check_letters(name, part)
    try:
        return jws.parse(text, max_length=len(text))
    except MalformedJWT as error:
        if error.part == "signature":  # whose last character no encoder writes: it is none, whatever the key
            return replace(jws.parse(text.rpartition(".")[0] + ".", max_length=len(text)), text=text)
        raise Malformed(f"The {error.part} {_PROBLEMS[error.problem]}") from None


_PROBLEMS = {
    "base64url": "ends with a character that base64url cannot end with. Was it changed?",
    "json": "is base64url, but what it holds is not valid JSON. Was a piece cut off?",
    "no_object": "is JSON, but no object.",
}


def _check_letters(name: str, part: str) -> None:
    """Name the first character that cannot be meant, which a person can look for."""
    for position, character in enumerate(part, 1):
        if not (character.isascii() and (character.isalnum() or character in "-_")):
            seen = f"“{character}”" if character.isprintable() else f"the invisible character U+{ord(character):04X}"
            named = "an equals sign, which JWTs leave out" if character == "=" else seen
            raise Malformed(f"The {name} holds {named} at character {position}, which base64url has not.")
    if len(part) % 4 == 1:
        raise Malformed(f"The {name} has {len(part)} characters, a length that base64url never has.")


def is_foreign(token: SignedJWT) -> bool:
    """Say whether somebody else than this portal signed it; of a DPoP proof the issuer says nothing."""
    return _kind(token) != "dpop+jwt" and token.claims.get("iss") not in (settings.ISSUER, workload_issuer.issuer())


def _kind(token: SignedJWT) -> str:
    return str(token.header.get("typ", "")).lower().removeprefix("application/")


# -- What it is -------------------------------------------------------------------------------------------------------


def judge(token: SignedJWT, viewer: Viewer, api: Api | None = None) -> InspectionReport:
    """Say what a token of ours is, and whether it holds here now."""
    typ = _kind(token)
    iss = token.claims.get("iss")
    if typ == "dpop+jwt":
        report = InspectionReport("A DPoP proof", "This is a proof, not a token", PROOF, tone="")
    elif iss == workload_issuer.issuer():
        report = _ours(token, viewer, InspectionReport("A workload identity token"), Purpose.WORKLOADS)
        if api is not None:
            why = "It shows clouds and backends who the workload is. Get an access token at the token endpoint instead."
            report.error("Type", "This is an identity token; APIs accept access tokens", why)
    elif typ == access_tokens.TYPE:
        test = validation.is_test_token(token.claims)
        report = _ours(token, viewer, InspectionReport("A test token" if test else "An access token"), Purpose.TOKENS)
        expects(report, token, api)
    elif typ == "logout+jwt":
        report = _ours(token, viewer, InspectionReport("A logout token"), Purpose.TOKENS)
    else:
        report = _ours(token, viewer, InspectionReport("An ID token"), Purpose.TOKENS)
        report.info("Use", "It tells its client who signed in. An API must refuse it: send the access token instead.")
        if api is not None:
            report.error("Type", "This is an ID token; APIs accept access tokens", ACCESS, text="An ID token.")
    report.rows = claims.explain_claims(token.claims, viewer)
    if not report.verdict:
        report.verdict, report.advice = "It is valid", "All checks that are possible here passed."
    return report


ACCESS = "Send access_token of the token response in the Authorization header, not id_token."
PROOF = "It goes into the DPoP header of one request, beside the token that is bound to the same key, and works once."


def _ours(token: SignedJWT, viewer: Viewer, report: InspectionReport, purpose: Purpose) -> InspectionReport:
    """Judge what says that this portal issued it."""
    report.ok("Issuer", "It names this portal.")
    genuine = _signature(report, token, purpose)
    in_time(report, token)
    content = token.claims
    named = content.get("client_id") or next(iter(claims.strings(content.get("aud"))), None)
    report.client = viewer.client(named) if purpose == Purpose.TOKENS else None
    if genuine:
        if report.client is not None:
            standing(report, token, report.client)
        elif purpose == Purpose.TOKENS:
            report.info("Revoked", "Only the workspace of its client, and operators, learn whether it was revoked.")
    return report


# -- Step by step -----------------------------------------------------------------------------------------------------


def _signature(report: InspectionReport, token: SignedJWT, purpose: Purpose) -> bool:
    """Judge header and signature as an API should; say whether this portal signed it."""
    alg, kid = token.header.get("alg"), token.header.get("kid")
    if str(alg).lower() == "none":
        why = "Anybody can write such a token. Never accept it; ask where it came from."
        report.error("Signature", "It is not signed: alg is none", why, word="None.")
        return False
    if not isinstance(kid, str) or not jws.KID.fullmatch(kid):
        why = "Every token of this portal names its key in kid. This portal did not issue it."
        report.error("Signature", "It names no key", why, word="Unknown.")
        return False
    key = SigningKey.objects.filter(kid=kid, purpose=purpose).first()
    if key is None:
        why = "It was forged, or comes from another installation with the same URL. Get a new token."
        report.error("Signature", f"It is signed by a key that this portal never had, {kid}", why, word="Unknown.")
        return False
    if alg != key.algorithm:
        why = "The key decides about the algorithm, never the token (RFC 8725). It was tampered with."
        report.error("Signature", f"Its alg is {claims.display_value(alg)}, but its key is for {key.algorithm}", why)
        return False
    try:
        jws.verify_foreign(token, key.public_jwk, key.algorithm)
    except InvalidSignature:
        why = "A character was changed, cut off or added after it was signed. Copy it again, or get a new one."
        report.error("Signature", "The signature is invalid", why)
        return False
    return _state_of(report, key)


def _state_of(report: InspectionReport, key: SigningKey) -> bool:
    """Judge the key: one that was revoked, or is published no more, verifies nothing."""
    states, now = SigningKey.State, timezone.now()
    if key.state == states.REVOKED:
        at = f" on {date_time(key.revoked_at)}" if key.revoked_at else ""
        why = "Every token that it signed is refused since. Get a new token."
        report.error("Signature", f"It is signed by a key that was revoked{at}", why, word="Revoked.")
        return False
    if key.state == states.RETIRED:
        at = f" on {date_time(key.retired_at)}" if key.retired_at else ""
        if key.serve_until and key.serve_until <= now:
            why = f"The key has not been published since {date_time(key.serve_until)}. Get a new token."
            report.error("Signature", f"It is signed by a key that was retired{at}", why, word="Retired.")
            return True
        report.ok(
            "Signature", f"Signed with {key.algorithm} by the key {key.kid}, retired{at} and still published.", "Valid."
        )
        return True
    report.ok("Signature", f"Signed with {key.algorithm} by the key {key.kid}.", "Valid.")
    return True


def in_time(report: InspectionReport, token: SignedJWT) -> None:
    now, content = timezone.now(), token.claims
    ends, begins, made = (from_numeric_date(content.get(name)) for name in ("exp", "nbf", "iat"))
    if ends is None:
        report.error("Time", "It never expires", "exp must be a number of seconds since 1970.", word="Missing.")
    elif ends <= now:
        why = "The program should request a new one a minute before the old one expires."
        report.error(
            "Time",
            f"It expired {humanize(now - ends)} ago",
            why,
            word="Expired.",
            text=f"It expired on {with_distance(ends)}.",
        )
    elif begins is not None and begins > now + SLACK:
        why = "The clock of its issuer is ahead of ours, or it was issued for later."
        report.error("Time", f"It is not valid yet, but in {humanize(begins - now)}", why, word="Not yet.")
    elif made is not None and made > now + SLACK:
        why = "A clock is wrong: synchronize the machine that issued it, or this one, with a time server."
        report.error("Time", f"It was issued {humanize(made - now)} in the future", why, word="Clock.")
    else:
        report.ok("Time", f"It is valid until {with_distance(ends)}.")


def standing(report: InspectionReport, token: SignedJWT, client: Client) -> None:
    """Judge what only its own workspace may know: was it revoked, and may its client still use it?"""
    content = token.claims
    if client.consumer.is_suspended:
        report.error("Client", "Its consumer is suspended", "Ask the operator of this portal.", word="Suspended.")
    elif client.is_disabled:
        report.error("Client", f"{client} is disabled", "Enable it in its settings.", word="Disabled.")
    else:
        report.ok("Client", f"{client} is active.")
    if str(token.header.get("typ", "")).lower() != access_tokens.TYPE:
        return
    ended = (from_numeric_date(content.get("exp")) or timezone.now()) <= timezone.now()
    if RevokedToken.objects.filter(jti=claims.display_value(content.get("jti", "")).replace("\0", "")).exists():
        report.error("Revoked", "It was revoked", "It was revoked before it expired. Get a new one.", word="Yes.")
    elif not ended and report.tone != "bad" and validation.active_token(token.text) is None:
        why = (
            "Its sign-in or all tokens of its client were revoked, or none of its scopes may be used any more. APIs "
            "that only check the signature do not notice. Get a new one."
        )
        report.error("Revoked", "It was revoked", why, word="Yes.")
    else:
        report.info("Revoked", "No.")


def expects(report: InspectionReport, token: SignedJWT, api: Api | None) -> None:
    """Compare with the API that the person says they call."""
    if api is None:
        return
    audiences = claims.strings(token.claims.get("aud"))
    if api.identifier in audiences:
        report.ok("Audience", f"It is for {api.name}, as {api.identifier}.")
        return
    said = ", ".join(audiences) or "nobody"
    scopes = ", ".join(scope.value for scope in api.scopes.all()[:3])
    report.error(
        "Audience",
        f"Its audience is {said[:200]}, but {api.name} expects {api.identifier}",
        f"Request a scope of that API ({scopes}): scopes decide the audience." if scopes else "Get another token.",
    )
