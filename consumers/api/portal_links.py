"""Links into a workspace for people of the provider's application (/admin/consumers/{consumer}/portal-links)."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from consumers.actions import portal_links as portal_link_actions
from consumers.api.people import MOMENT, ROLE
from consumers.models import Consumer, PortalLink, Role
from consumers.rest.lookups import consumer_matches, find_by_uuid
from consumers.rest.operations import ApiRequest, json_response, operation
from core.limits import length_schema
from core.rest.errors import NotFound

ABOUT: dict[str, Any] = {
    "tag": "People",
    "model": "consumers.portallink",
    "scope": "portal-links:write",
    "action": "add",
}
PORTAL_LINK: dict[str, Any] = {
    "title": "PortalLink",
    "type": "object",
    "required": ["email", "return_to"],
    "properties": {
        "id": {"type": "string"},
        "email": length_schema(PortalLink, "email") | {"type": "string", "minLength": 3},
        "name": length_schema(PortalLink, "name") | {"type": "string", "description": "Of a person who has none yet."},
        "role": ROLE | {"description": "Of a person who becomes a member. A member keeps their role."},
        "return_to": length_schema(PortalLink, "return_to")
        | {"type": "string", "format": "uri", "description": "Where “Back to …” leads: https, of a named host."},
        "state": {"type": "string", "enum": ["open", "used", "expired"]},
        "created_at": MOMENT,
        "expires_at": MOMENT,
        "used_at": MOMENT,
        "url": {"type": "string", "description": "Send the person’s browser there. Only in the answer that made it."},
    },
    "additionalProperties": False,
}


def _document(link: PortalLink) -> dict[str, Any]:
    names = ("email", "name", "role", "return_to", "state", "created_at", "expires_at", "used_at")
    return {"id": str(link.pk), **{name: getattr(link, name) for name in names}}


@operation(
    id="createPortalLink",
    summary="Open a workspace for a person of your application",
    body=PORTAL_LINK,
    answers={201: PORTAL_LINK},
    example={
        "email": "dana@acme.example",
        "name": "Dana Fox",
        "role": "manager",
        "return_to": "https://app.provider.example/settings",
    },
    refusals=(404, 409),
    **ABOUT,
)
@sensitive_variables("token")
def create_portal_link(call: ApiRequest, consumer: str) -> HttpResponse:
    """For operators’ tokens. The link works once, for five minutes, and opens a session in that workspace alone.

    Who has no account gets one. Operators’ addresses are refused.
    """
    found, sent = _consumer(call, consumer), call.body
    link, token = portal_link_actions.create_portal_link(
        consumer=found,
        email=sent["email"],
        name=sent.get("name", ""),
        role=sent.get("role", Role.VIEWER),
        return_to=sent["return_to"],
        actor=call.caller.actor,
    )
    url = settings.PUBLIC_URL + reverse("consumers:portal-link", args=[token])
    location = f"/admin/consumers/{found.slug}/portal-links/{link.pk}"
    return json_response(_document(link), 201, {"Location": location}, once={"url": url})


@operation(
    id="getPortalLink",
    summary="Read whether a link into a workspace was used",
    answers={200: PORTAL_LINK},
    refusals=(404,),
    **ABOUT,
)
def get_portal_link(call: ApiRequest, consumer: str, portal_link_id: str) -> HttpResponse:
    """For operators’ tokens, until a day after its end. The link itself is in no answer but the first."""
    return json_response(_document(find_by_uuid(_consumer(call, consumer).portal_links.all(), portal_link_id)))


def _consumer(call: ApiRequest, name: str) -> Consumer:
    """Return the consumer for an operator. Raises AccessDenied, also for its managers, and NotFound."""
    call.require_operator()
    found = call.writable().filter(consumer_matches(name)).first()
    if found is None:
        raise NotFound
    return found
