"""The operators' page that verifies the record and exports its signed head."""

import json
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from authority.keys import activity_heads
from consumers.activity import chain, verification
from consumers.activity.timeline import describe
from consumers.audit import Actor
from consumers.models import Consumer, Event, EventSeal, SignedHead, UnsealedEvent, Verification
from portal import activity_check

LINKS = 9  # of the chain that is drawn
SHOWN_HEADS = 20
PAGE = "admin:consumers_event_verify"


@dataclass(frozen=True)
class Link:
    """A part of the chain as it is drawn. `state` is good, broken or unknown."""

    label: str
    state: str


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Show what the last verification found; a POST asks the worker for another one."""
    _require_right(request)
    if request.method == "POST":
        activity_check.request()
        messages.success(request, "The worker verifies the record now. This page shows how far it has come.")
        return redirect(PAGE)
    last = Verification.objects.exclude(finished_at=None).first()
    running = Verification.objects.filter(finished_at=None).first()
    problems = last.problems if last else []
    context |= {
        "title": "The record was changed" if problems else "Verify the record",
        "last": last,
        "seconds": (last.finished_at - last.requested_at).total_seconds() if last and last.finished_at else 0,
        "running": running,
        "percent": _percent(running) if running else 0,
        "problems": problems,
        "sealed": EventSeal.objects.count() if last is None else last.last_position - last.expired,
        "waiting": UnsealedEvent.objects.count(),
        "consumers": Consumer.objects.count(),
        "links": _links(last) if last else [],
        "found": _found(problems),
        "heads": _heads(),
    }
    return TemplateResponse(request, "admin/consumers/event/verify.html", context)


@never_cache
@require_POST
def export_head(request: HttpRequest) -> HttpResponse:
    """Sign the head of the record and hand it out as a file."""
    _require_right(request)
    signed = activity_heads.export(actor=Actor.of(request))
    name = f"activity-head-{signed.position}.json"
    return HttpResponse(
        json.dumps(activity_heads.document(signed), indent=2) + "\n",
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _require_right(request: HttpRequest) -> None:
    if not request.user.has_perm("consumers.view_event"):
        raise PermissionDenied("Ask an operator with full rights for the right to read the activity.")


def _percent(running: Verification) -> int:
    whole = running.last_position + running.last_event
    return 100 * (running.position + running.event) // whole if whole else 100


def _links(last: Verification) -> list[Link]:
    """Return the chain in LINKS parts; the part with the first problem is labelled with its place."""
    places = [problem["position"] for problem in last.problems if problem["position"]]
    broken = min(places, default=0) if last.problems else last.last_position + 1
    ends = sorted({1 + (last.last_position - 1) * n // (LINKS - 1) for n in range(LINKS)}) if last.last_position else []
    links = []
    for end, following in zip(ends, [*ends[1:], last.last_position + 1], strict=True):
        if broken < end:
            links.append(Link(f"{end:,}", "unknown"))
        elif broken < following:
            links.append(Link(f"{broken:,}", "broken"))
        else:
            links.append(Link(f"{end:,}", "good"))
    return links


def _found(problems: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the first event that is not what was sealed: what it says now, and both digests."""
    ids = [problem["event"] for problem in problems if problem["kind"] == "changed"]
    event = Event.objects.filter(pk__in=ids).order_by("pk").first()
    if event is None:
        return None
    seal = EventSeal.objects.filter(event_id=event.pk).order_by("-position").first()
    return {
        "event": event,
        "entry": describe(event),
        "position": seal.position if seal else 0,
        "sealed": bytes(seal.digest).hex() if seal else "",
        "now": verification.digest_now(event.pk).hex(),
    }


def _heads() -> list[dict[str, Any]]:
    """Return the newest signed heads, with whether the chain agrees with each now."""
    rows = list(SignedHead.objects.all()[:SHOWN_HEADS])
    start = verification.anchor(activity_heads.expiry())
    return [
        {
            "row": row,
            "hash": bytes(row.hash).hex(),
            "expired": row.position < start.first,
            "agrees": activity_heads.is_valid(row)
            and not verification.verify_heads([chain.Head(row.position, bytes(row.hash))], start),
        }
        for row in rows
    ]
