"""Where programs find the token authority. The room above serves these addresses; here they are only named."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse


@dataclass(frozen=True)
class Endpoints:
    issuer: str
    token: str
    authorization: str
    device_authorization: str
    registration: str
    discovery: str
    jwks: str


def endpoints() -> Endpoints:
    """Return the absolute addresses, as the discovery document has them."""
    return Endpoints(
        issuer=settings.ISSUER,
        token=settings.PUBLIC_URL + reverse("token"),
        authorization=settings.PUBLIC_URL + reverse("authorize"),
        device_authorization=settings.PUBLIC_URL + reverse("device-authorization"),
        registration=settings.PUBLIC_URL + reverse("register"),
        discovery=settings.PUBLIC_URL + reverse("oidc-discovery"),
        jwks=settings.PUBLIC_URL + reverse("jwks"),
    )
