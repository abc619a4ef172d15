"""Error responses: what the registered code means here, and what to do."""

import re

from authority.diagnostics.error_codes import CODES
from authority.diagnostics.inspector.report import Fact, InspectionReport

WORD = re.compile(r"\w+")
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
        "Paste the token to see when. The program should request a new one a minute before the old one expires.",
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
        "Compare the issuer in the API’s settings with ours. They must match exactly, including a trailing slash.",
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
        "Check which JWKS URL it uses, and that it fetches it again when it sees a new kid.",
    ),
    ("signature verification failed", "invalid signature", "signature is invalid", "idx10511"): (
        "The API says that the signature is invalid",
        "Paste the token: a cut off character, another server’s token, or an algorithm that the API does not expect.",
    ),
    ("nbf", "not yet valid", "token used before issued", "not active"): (
        "The API says that the token is not valid yet",
        "A clock is behind: set the API’s machine by a time server, or allow a few seconds.",
    ),
    (
        "redirect_uri is not",
        "redirect_uri does not exactly match",
        "redirect uri mismatch",
        "redirect_uri_mismatch",
        "invalid redirect uri",
    ): (
        "The redirect URI of the request is not registered",
        "The client’s Problems say in what it differs. Send the registered one exactly, or register this one.",
    ),
    ("failed to connect", "connection refused", "econnrefused", "could not resolve", "enotfound", "timed out"): (
        "The program did not reach the server",
        "Compare its URL with discovery, and look for a proxy or a firewall on the way.",
    ),
    ("certificate verify failed", "ssl certificate problem", "self-signed certificate", "self signed certificate"): (
        "The program does not trust the server’s certificate",
        "Often a proxy on the way shows its own. Give the program its root certificate; never switch the check off.",
    ),
    ("cors", "access-control-allow-origin", "failed to fetch"): (
        "A browser withheld the response from the page",
        "Register a redirect URI of the page’s origin; its Problems name the origin that was refused.",
    ),
}


def explain_error(error: str, description: str = "", status: str = "") -> InspectionReport:
    """Explain the code and what to do, with the description of the response."""
    meaning, advice = CODES.get(error, ("This error code is not one of this portal", "Ask whoever sent the response."))
    facts = [Fact("Code", text=error[:100])]
    if description:
        facts.append(Fact("Description", text=description[:400]))
    if status:
        facts.append(Fact("Status", text=status[:60]))
    return InspectionReport("A refused request", meaning, advice, tone="bad", facts=facts)


def recognize_error(text: str) -> InspectionReport | None:
    """Recognize the message of a library that contains no error code."""
    lowered = text.lower()
    for phrases, (meaning, advice) in PHRASES.items():
        for phrase in phrases:
            if phrase in lowered:
                return InspectionReport(
                    "A refused request", meaning, advice, tone="bad", facts=[Fact("Message", text=phrase)]
                )
    words = set(WORD.findall(text))
    code = next((code for code in CODES if code in words), None)
    return explain_error(code) if code else None
