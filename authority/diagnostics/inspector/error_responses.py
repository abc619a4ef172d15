"""Errors of a failing request: what the registered code means here, and what to do."""

import re

from authority.diagnostics.error_codes import CODES
from authority.diagnostics.inspector.report import Fact, Report

# How well-known libraries word it when an API refuses a token, and the words of ours that fit.
PHRASES = {
    (
        "jwt expired",
        "signature has expired",
        "token has expired",
        "token is expired",
        "idx10223",
        '"exp" claim timestamp',
    ): (
        "The API says that the token has expired",
        "Paste the token to see when. The program should ask for a new one a minute before the old one ends.",
    ),
    (
        "audience invalid",
        "invalid audience",
        'unexpected "aud"',
        "audience doesn't match",
        "wrong audience",
        "idx10214",
        "idx10206",
    ): (
        "The API says that the token is for another audience",
        "Paste the token and choose the API: the audience follows the scopes, or the API expects another identifier.",
    ),
    ("issuer invalid", "invalid issuer", 'unexpected "iss"', "wrong issuer", "idx10205", "idx10211"): (
        "The API says that the token has another issuer",
        "Compare the issuer in the API’s settings with ours, letter by letter, also the slash at the end.",
    ),
    (
        "no applicable key",
        "unable to find a signing key",
        "key id not found",
        "no matching jwk",
        "unknown kid",
        "idx10501",
        "idx10503",
    ): (
        "The API does not know the key of the token",
        "Check which JWKS address it reads, and that it reads it again when it meets a new kid.",
    ),
    ("signature verification failed", "invalid signature", "signature is invalid", "idx10511"): (
        "The API says that the signature does not fit",
        "Paste the token: a cut off character, another server’s token, or an algorithm that the API does not expect.",
    ),
    ("nbf", "not yet valid", "token used before issued", "not active"): (
        "The API says that the token is not valid yet",
        "A clock is behind: set the API’s machine by a time server, or allow a few seconds.",
    ),
    ("redirect_uri is not", "redirect uri mismatch", "redirect_uri_mismatch", "invalid redirect uri"): (
        "The redirect URI of the request is not registered",
        "The client’s Problems say in what it differs. Send the registered one letter by letter, or register this one.",
    ),
    ("failed to connect", "connection refused", "econnrefused", "could not resolve", "enotfound", "timed out"): (
        "The program did not reach the server",
        "Compare its address with discovery, letter by letter, and look for a proxy or a firewall on the way.",
    ),
    ("certificate verify failed", "ssl certificate problem", "self-signed certificate", "self signed certificate"): (
        "The program does not trust the server’s certificate",
        "Often a proxy on the way shows its own. Give the program its root certificate; never switch the check off.",
    ),
    ("cors", "access-control-allow-origin", "failed to fetch"): (
        "A browser kept the answer from the page",
        "Register a redirect URI of the page’s origin; its Problems name the origin that was refused.",
    ),
}


def explained(error: str, description: str = "", status: str = "") -> Report:
    """Say what the code means and what to do; the description is told as the answer had it."""
    meaning, advice = CODES.get(error, ("This code is none that this portal answers", "Ask whoever answered it."))
    facts = [Fact("Code", text=error[:100])]
    if description:
        facts.append(Fact("Description", text=description[:400]))
    if status:
        facts.append(Fact("Status", text=status[:60]))
    return Report("A refused request", meaning, advice, tone="bad", facts=facts)


def recognised(text: str) -> Report | None:
    """Find the words of a library in a message that has no code."""
    lowered = text.lower()
    for phrases, (meaning, advice) in PHRASES.items():
        for phrase in phrases:
            if phrase in lowered:
                return Report("A refused request", meaning, advice, tone="bad", facts=[Fact("Message", text=phrase)])
    code = next((code for code in CODES if re.search(rf"\b{code}\b", text)), None)
    return explained(code) if code else None
