"""A token in three parts: taken apart with care, then judged step by step."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from django.conf import settings
from django.utils import timezone

from authority.diagnostics.inspector import claims
from authority.diagnostics.inspector.report import Report, Viewer
from authority.diagnostics.inspector.times import length, moment, told
from authority.keys import workload_issuer
from authority.models import RevokedToken, SigningKey
from authority.tokens import access_tokens, validation
from clients.models import Api, Client
from consumers.activity.timeline import when
from core.jose import jws

SLACK = timedelta(seconds=60)  # that clocks may differ
Purpose = SigningKey.Purpose


class Malformed(Exception):
    """No token can be read in it; the text says where."""


@dataclass(frozen=True)
class Token:
    text: str
    header: dict[str, Any]
    content: dict[str, Any]
    signature: bytes

    @property
    def signed(self) -> bytes:
        return self.text.rpartition(".")[0].encode()


def read(text: str) -> Token:
    """Take it apart. Raises Malformed with the part and the reason."""
    header, content, signature = text.split(".")
    return Token(text, _document("header", header), _document("payload", content), _octets("signature", signature))


def _document(name: str, part: str) -> dict[str, Any]:
    data = _octets(name, part)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Malformed(f"The {name} is base64url, but what it holds is no JSON. Was a piece cut off?") from None
    if not isinstance(value, dict):
        raise Malformed(f"The {name} is JSON, but no object.")
    return value


def _octets(name: str, part: str) -> bytes:
    for position, character in enumerate(part, 1):
        if not (character.isascii() and (character.isalnum() or character in "-_")):
            seen = f"“{character}”" if character.isprintable() else f"the invisible character U+{ord(character):04X}"
            named = "an equals sign, which JWTs leave out" if character == "=" else seen
            raise Malformed(f"The {name} holds {named} at character {position}, which base64url has not.")
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise Malformed(f"The {name} has {len(part)} characters, a length that base64url never has.") from None


def is_foreign(token: Token) -> bool:
    """Say whether somebody else than this portal signed it; of a DPoP proof the issuer says nothing."""
    return _kind(token) != "dpop+jwt" and token.content.get("iss") not in (settings.ISSUER, workload_issuer.issuer())


def _kind(token: Token) -> str:
    return str(token.header.get("typ", "")).lower().removeprefix("application/")


# -- What it is -------------------------------------------------------------------------------------------------------


def judge(token: Token, viewer: Viewer, api: Api | None = None) -> Report:
    """Say what a token of ours is, and whether it holds here now."""
    typ = _kind(token)
    iss = token.content.get("iss")
    if typ == "dpop+jwt":
        report = Report("A DPoP proof", "This is a proof, not a token", PROOF, tone="")
    elif iss == workload_issuer.issuer():
        report = _ours(token, viewer, Report("A workload identity token"), Purpose.WORKLOADS)
        if api is not None:
            why = "It shows clouds and backends who the workload is. Get an access token at the token endpoint instead."
            report.fails("Type", "This is an identity token, and APIs take access tokens", why)
    elif typ == access_tokens.TYPE:
        test = validation.is_trial(token.content)
        report = _ours(token, viewer, Report("A test token" if test else "An access token"), Purpose.TOKENS)
        expects(report, token, api)
    elif typ == "logout+jwt":
        report = _ours(token, viewer, Report("A logout token"), Purpose.TOKENS)
    else:
        report = _ours(token, viewer, Report("An ID token"), Purpose.TOKENS)
        report.tells("Use", "It tells its client who signed in. An API must refuse it: send the access token there.")
        if api is not None:
            report.fails("Type", "This is an ID token, and APIs take access tokens", ACCESS, text="An ID token.")
    report.rows = claims.explained(token.content, viewer)
    if not report.verdict:
        report.verdict, report.advice = "It is valid", "Nothing that can be seen from here speaks against it."
    return report


ACCESS = "Send access_token of the token answer in the Authorization header, not id_token."
PROOF = "It goes into the DPoP header of one request, beside the token that is bound to the same key, and works once."


def _ours(token: Token, viewer: Viewer, report: Report, purpose: Purpose) -> Report:
    """Judge what says that this portal issued it."""
    report.holds("Issuer", "It names this portal.")
    genuine = _signature(report, token, purpose)
    in_time(report, token)
    content = token.content
    named = content.get("client_id") or next(iter(claims.strings(content.get("aud"))), None)
    report.client = viewer.client(named) if purpose == Purpose.TOKENS else None
    if genuine:
        if report.client is not None:
            standing(report, token, report.client)
        elif purpose == Purpose.TOKENS:
            report.tells("Revoked", "Only the workspace of its client, and operators, learn whether it was revoked.")
    return report


# -- Step by step -----------------------------------------------------------------------------------------------------


def _signature(report: Report, token: Token, purpose: Purpose) -> bool:
    """Judge header and signature as an API should; say whether this portal signed it."""
    alg, kid = token.header.get("alg"), token.header.get("kid")
    if str(alg).lower() == "none":
        why = "Anybody can write such a token. Never accept it; ask where it came from."
        report.fails("Signature", "It is not signed: alg is none", why, word="None.")
        return False
    if not isinstance(kid, str) or not jws.KID.fullmatch(kid):
        why = "Every token of this portal names its key in kid. Whoever made this one was not this portal."
        report.fails("Signature", "It names no key", why, word="Unknown.")
        return False
    key = SigningKey.objects.filter(kid=kid, purpose=purpose).first()
    if key is None:
        why = "It was forged, or comes from another installation that uses the same address. Get a new token."
        report.fails("Signature", f"It is signed by a key that this portal never had, {kid}", why, word="Unknown.")
        return False
    if alg != key.algorithm:
        why = "The key decides about the algorithm, never the token (RFC 8725). It was tampered with."
        report.fails("Signature", f"Its alg is {claims.shown(alg)}, but its key is for {key.algorithm}", why)
        return False
    try:
        jws.verify(key.public_jwk, token.signature, token.signed)
    except (InvalidSignature, ValueError):
        why = "A character was changed, cut off or added after it was signed. Copy it again, or get a new one."
        report.fails("Signature", "The signature does not fit", why)
        return False
    return _state_of(report, key)


def _state_of(report: Report, key: SigningKey) -> bool:
    """Judge the key: one that was revoked, or is published no more, verifies nothing."""
    states, now = SigningKey.State, timezone.now()
    if key.state == states.REVOKED:
        at = f" on {when(key.revoked_at)}" if key.revoked_at else ""
        why = "Every token that it signed is refused since. Get a new token."
        report.fails("Signature", f"It is signed by a key that was revoked{at}", why, word="Revoked.")
        return False
    if key.state == states.RETIRED:
        at = f" on {when(key.retired_at)}" if key.retired_at else ""
        if key.serve_until and key.serve_until <= now:
            why = f"The key has not been published since {when(key.serve_until)}. Get a new token."
            report.fails("Signature", f"It is signed by a key that was retired{at}", why, word="Retired.")
            return True
        report.holds(
            "Signature", f"Made with {key.algorithm} by the key {key.kid}, retired{at} and still published.", "Valid."
        )
        return True
    report.holds("Signature", f"Made with {key.algorithm} by the key {key.kid}.", "Valid.")
    return True


def in_time(report: Report, token: Token) -> None:
    now, content = timezone.now(), token.content
    ends, begins, made = (moment(content.get(name)) for name in ("exp", "nbf", "iat"))
    if ends is None:
        report.fails("Time", "It has no end", "exp must be a number of seconds since 1970.", word="Missing.")
    elif ends <= now:
        why = "The program should ask for a new one a minute before the old one ends."
        report.fails(
            "Time", f"It expired {length(now - ends)} ago", why, word="Over.", text=f"It ended on {told(ends)}."
        )
    elif begins is not None and begins > now + SLACK:
        why = "Whoever issued it has a clock that is ahead of ours, or meant it for later."
        report.fails("Time", f"It is not valid yet: it begins in {length(begins - now)}", why, word="Not yet.")
    elif made is not None and made > now + SLACK:
        why = "A clock is wrong: set the machine that made it, or this one, by a time server."
        report.fails("Time", f"It was issued {length(made - now)} in the future", why, word="Clock.")
    else:
        report.holds("Time", f"It works until {told(ends)}.")


def standing(report: Report, token: Token, client: Client) -> None:
    """Judge what only its own workspace may know: was it revoked, and may its client still use it?"""
    content = token.content
    if client.consumer.is_suspended:
        report.fails("Client", "Its consumer is suspended", "Ask the operator of this portal.", word="Suspended.")
    elif client.is_disabled:
        report.fails("Client", f"{client} is disabled", "Enable it in its settings.", word="Disabled.")
    else:
        report.holds("Client", f"{client} works.")
    if str(token.header.get("typ", "")).lower() != access_tokens.TYPE:
        return
    ended = (moment(content.get("exp")) or timezone.now()) <= timezone.now()
    if RevokedToken.objects.filter(jti=claims.shown(content.get("jti", "")).replace("\0", "")).exists():
        report.fails("Revoked", "It was revoked", "Somebody ended it before its time. Get a new one.", word="Yes.")
    elif not ended and report.tone != "bad" and validation.access(token.text) is None:
        why = (
            "The sign-in that it came from was ended, all tokens of its client were, or none of its scopes may be used "
            "any more. APIs that check the signature alone do not notice. Get a new one."
        )
        report.fails("Revoked", "It was withdrawn", why, word="Yes.")
    else:
        report.tells("Revoked", "No.")


def expects(report: Report, token: Token, api: Api | None) -> None:
    """Compare with the API that the person says they call."""
    if api is None:
        return
    audiences = claims.strings(token.content.get("aud"))
    if api.identifier in audiences:
        report.holds("Audience", f"It is for {api.name}, as {api.identifier}.")
        return
    said = ", ".join(audiences) or "nobody"
    scopes = ", ".join(scope.value for scope in api.scopes.all()[:3])
    report.fails(
        "Audience",
        f"Its audience is {said[:200]}, but {api.name} expects {api.identifier}",
        f"Ask for a scope of that API ({scopes}): scopes decide whom a token is for."
        if scopes
        else "Get another token.",
    )
