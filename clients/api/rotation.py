"""Rotation of secrets, compatible with Ory's API (/admin/clients/{client_id}/secrets/rotate)."""

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables

from clients.actions import secrets as secret_actions
from clients.api.clients import client_for_change, client_response
from clients.schemas import CLIENT
from consumers.rest.operations import ApiRequest, operation

ABOUT: dict[str, Any] = {
    "tag": "Secrets",
    "model": "clients.client",
    "scope": "secrets:rotate",
    "action": "change",
    "answers": {200: CLIENT},
    "refusals": (404, 409, 412),
}


@operation(id="rotateOAuth2ClientSecret", summary="Rotate a client's secret", **ABOUT)
@sensitive_variables("secret")
def rotate(call: ApiRequest, client_id: str) -> HttpResponse:
    """Makes a new secret, which stands in this answer alone. Those that it held go on working until they are dropped.

    It keeps the newest five: the oldest ends when there is no more room.
    """
    with transaction.atomic():
        client = client_for_change(call, client_id)
        secret = secret_actions.rotate_client(client=client, actor=call.caller.actor)
    return client_response(client, secret=secret)


@operation(id="deleteRotatedOAuth2ClientSecrets", summary="Drop rotated secrets", **ABOUT)
def delete_rotated(call: ApiRequest, client_id: str) -> HttpResponse:
    """Ends every secret that was rotated before. Whatever still uses one is refused from now on."""
    with transaction.atomic():
        client = client_for_change(call, client_id)
        secret_actions.revoke_rotated(client=client, actor=call.caller.actor)
    return client_response(client)
