"""Daily token counts of clients (/admin/usage)."""

from datetime import date
from typing import Any

from django.http import HttpResponse

from authority.models import DailyCount
from consumers.rest.lookups import consumer_matches
from consumers.rest.operations import ApiRequest, json_response, operation
from core.rest.errors import InvalidRequest
from core.rest.paging import BACKWARDS, PAGING, paginate

DAY = {"type": "string", "description": "A day in UTC, such as 2027-01-31."}
COUNT: dict[str, Any] = {
    "title": "DailyCount",
    "type": "object",
    "properties": {
        "client_id": {"type": "string"},
        "consumer": {"type": "string"},
        "day": DAY,
        "issued": {"type": "integer", "description": "Token requests that got a token."},
        "refused": {"type": "integer", "description": "Token requests that were refused."},
    },
}


@operation(
    id="listUsage",
    summary="Read how much clients are used",
    tag="Activity",
    scope="activity:read",
    model="clients.client",
    query=PAGING
    | {
        "consumer": {"type": "string", "description": "Short name or ID of the consumer."},
        "client_id": {"type": "string"},
        "since": DAY,
        "until": DAY | {"description": "Before this day."},
    },
    answers={200: {"type": "array", "items": COUNT}},
)
def list_usage(call: ApiRequest) -> HttpResponse:
    """A row for each client and day on which it asked for tokens, the latest first. Counts arrive within seconds."""
    found, query = DailyCount.objects.select_related("client__consumer"), call.query
    if not call.is_operator or call.caller.consumer_id is not None:
        found = found.filter(client__consumer__in=call.readable())
    if "consumer" in query:
        found = found.filter(consumer_matches(query["consumer"], "client__consumer__"))
    if "client_id" in query:
        found = found.filter(client__client_id=query["client_id"])
    if "since" in query:
        found = found.filter(day__gte=_day(query["since"]))
    if "until" in query:
        found = found.filter(day__lt=_day(query["until"]))
    rows, headers = paginate(call.request, found, query, whose=call.token_key, keyset=BACKWARDS)
    return json_response([_document(row) for row in rows], headers=headers)


def _document(row: DailyCount) -> dict[str, Any]:
    return {
        "client_id": row.client.client_id,
        "consumer": row.client.consumer.slug,
        "day": row.day,
        "issued": row.issued,
        "refused": row.refused,
    }


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidRequest("Write a day as 2027-01-31.") from None
