"""What has to be registered at a provider: our addresses there, and where our keys are."""

from collections.abc import Callable

from django.conf import settings
from django.urls import reverse

from connections.models import ClientAuthentication, Connection

_jwks_uris: list[Callable[[], str]] = []


def registration_addresses(connection: Connection) -> list[tuple[str, str]]:
    """Return the addresses that the provider asks for, each with the name that most products have for it."""

    def at(name: str) -> str:
        return settings.PUBLIC_URL + reverse(f"connections:{name}", args=[connection.slug])

    found = [
        ("Redirect URI", at("callback")),
        ("Initiate login URI", at("login")),
        ("Back-channel logout URI", at("backchannel-logout")),
    ]
    if connection.client_authentication == ClientAuthentication.PRIVATE_KEY_JWT:
        found.append(("Key set (JWKS URL)", _jwks_uris[0]()))
    return found


def register_jwks_uri(address: Callable[[], str]) -> None:
    """Say where the keys are published with which we authenticate."""
    _jwks_uris[:] = [address]
