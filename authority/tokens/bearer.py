"""Access tokens that come to an endpoint of ours: by which scheme, and with the proof that they need."""

from typing import Any

from django.http import HttpRequest

from authority.client_authentication import dpop
from authority.telemetry import request_trace
from authority.tokens import validation
from authority.tokens.validation import Access

BEARER, DPOP = "bearer", "dpop"


def read(request: HttpRequest) -> tuple[str, str]:
    """Return the scheme, in lower case, and the token of the Authorization header; empty where there is none."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return scheme.lower(), token.strip()


def access(request: HttpRequest, scheme: str, token: str) -> Access | None:
    """Return what the token allows now, or None.

    One that is bound to a key needs a proof, and no other may claim one (RFC 9449 sections 7.1 and 7.2). Raises
    InvalidDpopProofError and UseDpopNonceError.
    """
    if scheme == BEARER:
        found = validation.access(token)
        if found is not None and _bound_to(found.claims) is not None:
            request_trace.about(found.entry.client)
            request_trace.because("dpop_downgrade")
            return None
        return found
    proof = dpop.read(request, token)
    if proof is None:
        raise dpop.refusal("dpop_missing", "A token sent as DPoP needs a proof in the header DPoP.")
    found = validation.access(token)
    if found is None:
        return None
    if _bound_to(found.claims) != proof.jkt:
        request_trace.about(found.entry.client)
        request_trace.because("dpop_other_key")
        return None
    dpop.spend(proof)
    return found


def _bound_to(claims: dict[str, Any]) -> str | None:
    """Return the thumbprint of the key that the token is bound to (RFC 7800 section 3.1, RFC 9449 section 6)."""
    jkt: str | None = claims.get("cnf", {}).get("jkt")
    return jkt
