"""Errors of a failing request: what the registered code means here, and what to do."""

import re

from authority.diagnostics.inspector.report import Fact, Report

# Code: what it means, what to do.
CODES = {
    "invalid_request": (
        "The request lacks a parameter, repeats one, or is malformed",
        "error_description says which. Send parameters as a form in the body, each once.",
    ),
    "invalid_client": (
        "The client did not prove who it is",
        "Wrong or ended secret, another method than registered, or a disabled client: its Problems say which.",
    ),
    "invalid_grant": (
        "The code or refresh token does not count",
        "It ended, was used before, or redirect_uri or code_verifier differs: the client’s Problems say which.",
    ),
    "unauthorized_client": (
        "The client may not use this grant",
        "Use a grant that it is registered for; its Connect page shows an example.",
    ),
    "unsupported_grant_type": (
        "This grant is not offered",
        "Use client_credentials, or authorization_code with PKCE. Passwords and implicit tokens are not served.",
    ),
    "invalid_scope": (
        "A scope was asked for that the client may not have",
        "Compare the scope of the request with the permissions in the client’s settings, letter by letter.",
    ),
    "invalid_target": (
        "The client may get no token for this API",
        "Compare resource with the identifiers of its APIs, letter by letter.",
    ),
    "invalid_token": (
        "The API did not accept the access token",
        "Paste the token itself: expired, wrong audience, wrong issuer and wrong key are told apart here.",
    ),
    "insufficient_scope": (
        "The token is good, but lacks a scope",
        "Add the permission in the client’s settings, ask for it in scope, and get a new token.",
    ),
    "access_denied": ("The person said no", "Tell them why the permission is needed, and let them try again."),
    "login_required": (
        "The person has to sign in first",
        "prompt=none shows no page. Send them again without it.",
    ),
    "consent_required": (
        "The person has to be asked first",
        "prompt=none shows no page. Send them again without it.",
    ),
    "interaction_required": ("The person has to do something first", "Send them again without prompt=none."),
    "account_selection_required": ("The person has to choose an account", "Send them again without prompt=none."),
    "unsupported_response_type": ("Only the code flow is served", "Send response_type=code, with PKCE."),
    "unsupported_response_mode": ("This response mode is not served", "Leave response_mode out."),
    "request_not_supported": ("Signed requests are not served", "Send the parameters themselves, or push them (PAR)."),
    "request_uri_not_supported": (
        "Requests by reference are not served",
        "Send the parameters themselves, or push them to us (PAR).",
    ),
    "invalid_dpop_proof": (
        "The DPoP proof was refused",
        "Make a new one for each request: method, address without query, now, a new jti, and the key of the token.",
    ),
    "use_dpop_nonce": (
        "The proof must carry a nonce",
        "Take it from the DPoP-Nonce header of this answer, and send the request again. Libraries do so by themselves.",
    ),
    "authorization_pending": ("The person has not decided yet", "Ask again after the interval."),
    "slow_down": ("The program asks too often", "Wait five seconds more between requests."),
    "expired_token": ("The device code has ended", "Begin again, and show the new code."),
    "server_error": ("Something went wrong here", "Tell the operator the X-Request-Id of the answer."),
    "temporarily_unavailable": (
        "The service is restarting, or too many requests from the program’s address proved nothing",
        "Wait as many seconds as Retry-After says. With status 429, mend client ID and credentials before you go on.",
    ),
    "invalid_redirect_uri": ("A redirect URI cannot be registered", "error_description says which and why."),
    "invalid_client_metadata": ("A value cannot be registered", "error_description says which and why."),
}

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
