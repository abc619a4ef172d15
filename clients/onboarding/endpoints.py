"""The URLs of the authorization server's endpoints, which the room that serves them registers."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoints:
    """Absolute URLs, as the discovery document has them."""

    issuer: str
    token: str
    authorization: str
    device_authorization: str
    registration: str
    discovery: str
    jwks: str
    introspection: str


_sources: list[Callable[[], Endpoints]] = []


def register_endpoints(source: Callable[[], Endpoints]) -> None:
    """Take the function that returns the endpoints."""
    _sources[:] = [source]


def endpoints() -> Endpoints:
    """Return the registered endpoints."""
    return _sources[0]()
