"""The keys of a trusted issuer: given by the operator, at a jwks_uri, or found by discovery."""

from typing import Any

from authority.client_authentication.assertions import KeySet, given, published
from clients.models import TrustedIssuer
from core.http_fetch import documents
from core.http_fetch.discovery import discover
from core.http_fetch.target import FetchError


def key_set_of(issuer: TrustedIssuer) -> KeySet:
    if issuer.jwks is not None:
        return given(issuer.jwks)
    return published(issuer.jwks_uri) if issuer.jwks_uri else _discovered_keys(issuer.issuer)


def _discovered_keys(issuer: str) -> KeySet:
    """Return the keys that the issuer's discovery document leads to (OpenID Connect Discovery section 4)."""

    def keys(again: bool) -> dict[str, Any]:
        try:
            return documents.document(_jwks_uri(issuer, again=False), again=again)
        except FetchError:  # they may have moved since the document was read
            return documents.document(_jwks_uri(issuer, again=True), again=again)

    return keys


def _jwks_uri(issuer: str, *, again: bool) -> str:
    found = discover(issuer, again=again).get("jwks_uri")
    if not isinstance(found, str):
        raise FetchError("issuer", "Its discovery document does not say where the keys are.")
    return found
