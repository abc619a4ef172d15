"""GET /metrics: the counters of all processes of this server, for Prometheus. GET /version: which one runs.

Each process counts in files of its own, in the folder that `manage.py serve` makes; whoever is asked adds them up.
"""

import hmac
import os
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from authority.telemetry import metrics
from core import clock
from portal import work_status
from portal.environment import METRICS_FOLDER
from portal.health import VERSION

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


View = Callable[[HttpRequest], HttpResponse]


def for_operators(view: View) -> View:
    """Answer whoever holds METRICS_TOKEN; without that setting there is no such page."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not settings.METRICS_TOKEN:
            raise Http404
        sent = request.headers.get("Authorization", "")
        if not hmac.compare_digest(sent.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
            return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
        return view(request)

    return guarded


@for_operators
def version(request: HttpRequest) -> HttpResponse:
    """Say which version runs here; a stranger would look up its holes."""
    return JsonResponse({"version": VERSION})


@for_operators
def page(request: HttpRequest) -> HttpResponse:
    """Answer with the counters of all processes."""
    metrics.flush()
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    registry: CollectorRegistry = REGISTRY
    if os.environ.get(METRICS_FOLDER):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    text = generate_latest(registry) + generate_latest(_gauges())
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _gauges() -> "CollectorRegistry":
    """Return what is the same whichever process is asked: the database, and what the worker has written into it."""
    from prometheus_client import CollectorRegistry, Gauge

    registry = CollectorRegistry()

    def gauge(name: str, description: str, *labels: str) -> Gauge:
        return Gauge(name, description, labels, registry=registry)

    up = gauge("clientdesk_database_up", "Whether the database answers: 1 or 0.")
    ran = gauge("clientdesk_worker_seconds_since_run", "Seconds since each part of the worker last ran.", "part")
    waiting = gauge("clientdesk_deliveries_waiting", "Deliveries that wait in each queue.", "queue")
    late = gauge("clientdesk_delivery_late_seconds", "Seconds for which the oldest delivery has been due.", "queue")
    unsealed = gauge("clientdesk_events_unsealed", "Events that have no place in the chain of the record yet.")
    unsealed_for = gauge("clientdesk_event_unsealed_seconds", "Seconds since the oldest of them happened.")
    offset = gauge("clientdesk_clock_offset_seconds", "By how much the database's clock is ahead of this machine's.")
    offset.set(clock.seconds_behind())
    try:
        for part in work_status.parts():
            ran.labels(part.name).set(part.seconds_since)
        for backlog in work_status.backlogs():
            waiting.labels(backlog.name).set(backlog.waiting)
            late.labels(backlog.name).set(backlog.seconds_late)
        record = work_status.unsealed()
        unsealed.set(record.waiting)
        unsealed_for.set(record.seconds_late)
        up.set(1)
    except Error:
        up.set(0)
    return registry
