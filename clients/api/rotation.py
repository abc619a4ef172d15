"""Ory's rotation of secrets (/admin/clients/{id}/secrets/rotate), and secrets one by one, which is ours."""

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables

from clients import documents
from clients.actions import secrets as secret_actions
from clients.api.clients import etag, find_locked
from clients.schemas import CLIENT
from consumers.rest.operations import Call, answer, operation

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
def rotate(call: Call, client_id: str) -> HttpResponse:
    """Makes a new secret, which stands in this answer alone. Those that it held go on working until they are dropped.

    It keeps the newest five: the oldest ends when there is no more room.
    """
    with transaction.atomic():
        client = find_locked(call, client_id)
        secret = secret_actions.rotate_client(client=client, actor=call.caller.actor)
    return answer(documents.document(client, secret=secret), headers={"ETag": etag(client)})


@operation(id="deleteRotatedOAuth2ClientSecrets", summary="Drop rotated secrets", **ABOUT)
def drop_rotated(call: Call, client_id: str) -> HttpResponse:
    """Ends every secret that was rotated before. Whatever still uses one is refused from now on."""
    with transaction.atomic():
        client = find_locked(call, client_id)
        secret_actions.revoke_rotated(client=client, actor=call.caller.actor)
    return answer(documents.document(client), headers={"ETag": etag(client)})
