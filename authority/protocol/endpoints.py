"""The addresses of the endpoints, for pages and programs that tell clients where to send their requests."""

from django.conf import settings
from django.urls import reverse

from clients.onboarding.endpoints import Endpoints


def endpoint_urls() -> Endpoints:
    """Return the absolute addresses, as the discovery document has them."""
    return Endpoints(
        issuer=settings.ISSUER,
        token=settings.PUBLIC_URL + reverse("token"),
        authorization=settings.PUBLIC_URL + reverse("authorize"),
        device_authorization=settings.PUBLIC_URL + reverse("device-authorization"),
        registration=settings.PUBLIC_URL + reverse("register"),
        discovery=settings.PUBLIC_URL + reverse("oidc-discovery"),
        jwks=settings.PUBLIC_URL + reverse("jwks"),
        introspection=settings.PUBLIC_URL + reverse("introspect"),
    )
