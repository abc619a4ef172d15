"""Signed heads of the activity's chain (/admin/activity/head)."""

from typing import Any

from django.http import HttpResponse

from authority.keys import activity_heads
from consumers.rest.operations import ApiRequest, json_response, operation

HEAD: dict[str, Any] = {
    "title": "ActivityHead",
    "type": "object",
    "properties": {
        "position": {"type": "integer", "description": "How many events were sealed."},
        "hash": {"type": "string", "description": "SHA-256 of the last seal, in hexadecimal."},
        "signed_at": {"type": "string", "format": "date-time"},
        "head": {"type": "string", "description": "Both, signed: a JWT of the type activity-head+jwt."},
    },
}


@operation(
    id="exportActivityHead",
    summary="Export a signed head of the activity",
    tag="Activity",
    scope="activity:read",
    model="consumers.event",
    answers={200: HEAD},
    shows_state=False,
)
def export_head(call: ApiRequest) -> HttpResponse:
    """For operators. Keep it outside of the server: `manage.py verify_audit --head` compares it with the record."""
    call.require_operator()
    return json_response(activity_heads.document(activity_heads.export(actor=call.caller.actor)))
