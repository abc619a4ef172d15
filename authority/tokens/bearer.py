"""Access tokens in requests to our endpoints: the scheme, and the proof of possession (RFC 6750, RFC 9449)."""

from typing import Any

from django.http import HttpRequest

from authority.client_authentication import dpop
from authority.telemetry import request_trace
from authority.tokens import validation
from authority.tokens.validation import ActiveToken

BEARER, DPOP = "bearer", "dpop"


def read_authorization(request: HttpRequest) -> tuple[str, str]:
    """Return the scheme, in lower case, and the token of the Authorization header; empty where there is none."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return scheme.lower(), token.strip()


def active_token_of(request: HttpRequest, scheme: str, token: str) -> ActiveToken | None:
    """Return the token if it is active, or None.

    A token that is bound to a key needs a proof, and no other may be sent as DPoP (RFC 9449 sections 7.1 and 7.2).
    Raises InvalidDpopProofError and UseDpopNonceError.
    """
    if scheme == BEARER:
        found = validation.active_token(token)
        if found is not None and _bound_key(found.claims) is not None:
            request_trace.set_client(found.entry.client)
            request_trace.set_reason("dpop_downgrade")
            return None
        return found
    proof = dpop.read(request, token)
    if proof is None:
        raise dpop.refusal("dpop_missing", "A token sent as DPoP needs a proof in the header DPoP.")
    found = validation.active_token(token)
    if found is None:
        return None
    if _bound_key(found.claims) != proof.jkt:
        request_trace.set_client(found.entry.client)
        request_trace.set_reason("dpop_other_key")
        return None
    dpop.spend(proof)
    return found


def _bound_key(claims: dict[str, Any]) -> str | None:
    """Return the thumbprint of the key that the token is bound to (RFC 7800 section 3.1, RFC 9449 section 6)."""
    jkt: str | None = claims.get("cnf", {}).get("jkt")
    return jkt
