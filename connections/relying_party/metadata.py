"""What a provider says of itself (OpenID Connect Discovery 1.0 section 3, RFC 8414, RFC 9207)."""

from dataclasses import dataclass
from typing import Any

from connections.relying_party.failures import Reason, SignInFailed
from core.http_fetch.discovery import discover
from core.http_fetch.target import FetchError, target


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    sends_issuer: bool  # RFC 9207 section 3
    takes_pkce: bool
    backchannel_logout: bool


def read(issuer: str, *, again: bool = False) -> ProviderMetadata:
    """Return the provider's metadata, read within the last ten minutes. Raises SignInFailed."""
    try:
        document = discover(issuer, again=again)
    except FetchError as error:
        reasons: dict[str, Reason] = {"issuer": "metadata", "busy": "busy"}
        raise SignInFailed(reasons.get(error.reason, "unreachable"), str(error)) from None
    return ProviderMetadata(
        issuer=issuer,
        authorization_endpoint=_address(document, "authorization_endpoint"),
        token_endpoint=_address(document, "token_endpoint"),
        jwks_uri=_address(document, "jwks_uri"),
        userinfo_endpoint=_address(document, "userinfo_endpoint") if "userinfo_endpoint" in document else "",
        sends_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        takes_pkce="S256" in _texts(document.get("code_challenge_methods_supported")),
        backchannel_logout=document.get("backchannel_logout_supported") is True,
    )


def _address(document: dict[str, Any], member: str) -> str:
    """Return an endpoint; the browser is sent to one of them, so that it is judged as those are that we ask."""
    value = document.get(member)
    if not isinstance(value, str):
        raise SignInFailed("metadata", f"The discovery document has no {member}.")
    try:
        target(value)
    except FetchError as error:
        raise SignInFailed("metadata", f"{member}: {error}") from None
    return value


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
