"""The audit record in the management API: page by page, or exported whole (/admin/activity)."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet
from django.http import HttpResponseBase

from consumers.activity import vocabulary
from consumers.activity.timeline import describe
from consumers.models import Event
from consumers.rest.lookups import consumer_matches
from consumers.rest.operations import ApiRequest, json_response, operation
from core import spreadsheets
from core.downloads import file_of, rows_of
from core.rest.paging import BACKWARDS, PAGING, paginate
from core.timefmt import parse_moment, rfc3339

TEXT = {"type": "string"}
EVENT: dict[str, Any] = {
    "title": "Event",
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "at": TEXT | {"format": "date-time"},
        "name": TEXT | {"description": "What happened, such as client.secret.rotated."},
        "sentence": TEXT | {"description": "A description of it."},
        "actor": {
            "type": "object",
            "properties": {
                "kind": TEXT | {"description": "person, operator, client or system"},
                "id": TEXT,
                "label": TEXT,
            },
        },
        "consumer": {"type": ["string", "null"], "description": "Short name of the workspace that it happened in."},
        "target": {"type": "object", "properties": {"kind": TEXT, "id": TEXT, "label": TEXT}},
        "detail": {"type": "object", "description": "More about it; never a secret."},
        "ip": {"type": ["string", "null"]},
        "user_agent": TEXT,
        "request_id": TEXT,
    },
}
COLUMNS = ("id", "at", "name", "sentence", "actor", "consumer", "target", "ip", "user_agent", "request_id")
FILTERS: dict[str, dict[str, Any]] = {
    "consumer": TEXT | {"description": "Short name or ID of the consumer."},
    **{name: dict(filter_.schema) for name, filter_ in vocabulary.event_filters().items()},
    "name": TEXT | {"enum": vocabulary.event_names(), "description": "Exactly this kind of event."},
    "actor_id": TEXT | {"description": "What this person or client did."},
    "since": TEXT | {"format": "date-time", "description": "From this time on."},
    "until": TEXT | {"format": "date-time", "description": "Before this time."},
}


@operation(
    id="listActivity",
    summary="Read the activity",
    tag="Activity",
    scope="activity:read",
    model="consumers.event",
    query=PAGING | FILTERS,
    answers={200: {"type": "array", "items": EVENT}},
)
def list_activity(call: ApiRequest) -> HttpResponseBase:
    """Newest first. Operators also see what belongs to no consumer."""
    rows, headers = paginate(call.request, _events(call), call.query, whose=call.token_key, keyset=BACKWARDS)
    return json_response([_document(event) for event in rows], headers=headers)


@operation(
    id="exportActivity",
    summary="Export the activity",
    tag="Activity",
    scope="activity:read",
    model="consumers.event",
    query=FILTERS | {"format": TEXT | {"enum": ["jsonl", "csv"], "default": "jsonl"}},
    answers={200: "One event a line, as JSON Lines or CSV, the oldest first."},
)
def export_activity(call: ApiRequest) -> HttpResponseBase:
    """Everything that the filters leave, as a stream. CSV cells that a spreadsheet would compute are made text.

    A response that ends without its last chunk, an error in every HTTP library, is not complete.
    """
    rows = map(_document, rows_of(_events(call)))
    kind = call.query.get("format", "jsonl")
    body, media_type = (
        (_table(rows), "text/csv; charset=utf-8") if kind == "csv" else (_lines(rows), "application/jsonl")
    )
    return file_of(body, name=f"activity.{kind}", content_type=media_type)


def _events(call: ApiRequest) -> QuerySet[Event]:
    found, query = Event.objects.select_related("consumer"), call.query
    if not call.is_operator or call.caller.consumer_id is not None:
        # Their names, not a subquery: PostgreSQL then goes through the index of one consumer's events.
        found = found.filter(consumer__in=list(call.readable().values_list("pk", flat=True)))
    condition = Q()
    if "consumer" in query:
        condition &= consumer_matches(query["consumer"], "consumer__")
    for name, filter_ in vocabulary.event_filters().items():
        if name in query:
            condition &= filter_.condition(call.readable(), query[name])
    for name, column in (("name", "name"), ("actor_id", "actor_id")):
        if name in query:
            condition &= Q(**{column: query[name]})
    if "since" in query:
        condition &= Q(at__gte=parse_moment(query["since"]))
    if "until" in query:
        condition &= Q(at__lt=parse_moment(query["until"]))
    return found.filter(condition)


def _document(event: Event) -> dict[str, Any]:
    return {
        "id": event.pk,
        "at": event.at,
        "name": event.name,
        "sentence": describe(event).sentence,
        "actor": {"kind": event.actor_kind, "id": event.actor_id, "label": event.actor_label},
        "consumer": event.consumer.slug if event.consumer else None,
        "target": {"kind": event.target_kind, "id": event.target_id, "label": event.target_label},
        "detail": event.detail,
        "ip": event.ip,
        "user_agent": event.user_agent,
        "request_id": event.request_id,
    }


def _lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(row, cls=DjangoJSONEncoder) + "\n" for row in rows)


def _table(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    flat = (
        {**row, "at": rfc3339(row["at"]), **{part: row[part]["label"] for part in ("actor", "target")}} for row in rows
    )
    return spreadsheets.csv_lines(COLUMNS, ([row[name] for name in COLUMNS] for row in flat))
