"""Callers of the management API with an access token of ours, by the device grant or client_credentials."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest

from authority import client_directory
from authority.tokens import validation
from clients.models import Client
from consumers.audit import Actor, request_origin
from consumers.models import User
from consumers.rest.callers import ApiCaller
from consumers.scopes import AUDIENCE, PREFIX


def read_access_token(token: str, request: HttpRequest) -> ApiCaller | None:
    """Return the person or client that the token speaks for, or None.

    It must be for the management API alone: an API that it is for too could pass it on to us (RFC 9068 section 4). One
    that is bound to a key proves nothing without it (RFC 9449 section 7.1), and a test token is none.
    """
    found = validation.active_token(token)
    if found is None or not _is_for_us(found.claims.get("aud")) or {"cnf", "token_use"} & found.claims.keys():
        return None
    entry = client_directory.find(found.claims["client_id"])
    if entry is None:
        return None
    scopes = frozenset(value.removeprefix(PREFIX) for value in found.scopes if value.startswith(PREFIX))
    if found.user is not None:
        return ApiCaller(actor=_person(found.user, entry.client, request, scopes), scopes=scopes, user=found.user)
    origin = request_origin(request)
    actor = Actor(kind="client", id=entry.client.client_id, label=str(entry.client), scopes=scopes, **origin)
    return ApiCaller(actor=actor, scopes=scopes, consumer_id=UUID(str(entry.client.consumer_id)))


def _person(user: User, client: Client, request: HttpRequest, scopes: frozenset[str]) -> Actor:
    kind, label = "operator" if user.is_staff else "person", f"{user} (by {client})"
    return Actor(kind=kind, id=str(user.pk), label=label, user=user, scopes=scopes, **request_origin(request))


def _is_for_us(audience: str | list[str] | None) -> bool:
    audiences = {audience} if isinstance(audience, str) else set(audience or ())
    return AUDIENCE in audiences and audiences <= {AUDIENCE, settings.ISSUER}
