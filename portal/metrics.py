"""GET /metrics: the counters of all processes of this server, for Prometheus.

Each process counts in files of its own, in the folder that `manage.py serve` makes; whoever is asked adds them up.
"""

import hmac
import os

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

from authority.telemetry import metrics
from portal.environment import METRICS_FOLDER


def page(request: HttpRequest) -> HttpResponse:
    """Answer whoever holds METRICS_TOKEN; without that setting there is no such page."""
    if not settings.METRICS_TOKEN:
        raise Http404
    sent = request.headers.get("Authorization", "")
    if not hmac.compare_digest(sent.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    metrics.flush()
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    registry: CollectorRegistry = REGISTRY
    if os.environ.get(METRICS_FOLDER):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
