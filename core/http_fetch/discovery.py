"""Discovery documents of OpenID providers (OpenID Connect Discovery 1.0 section 4)."""

from typing import Any

from core.http_fetch import documents
from core.http_fetch.target import FetchError

PATH = "/.well-known/openid-configuration"


def discover(issuer: str, *, again: bool = False) -> dict[str, Any]:
    """Return the issuer's discovery document. Raises FetchError, also where it names another issuer (section 4.3)."""
    document = documents.document(issuer.rstrip("/") + PATH, again=again)
    if document.get("issuer") != issuer:
        raise FetchError("issuer", "Its discovery document names another issuer.")
    return document
