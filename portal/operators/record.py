"""The operators' pages that verify the record, export its head and its evidence, and start a new chain."""

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from authority.keys import activity_heads, chain_starts
from consumers.activity import chain, verification
from consumers.activity.timeline import describe
from consumers.admin.base import Effect
from consumers.audit import Actor
from consumers.models import Consumer, Event, EventSeal, SignedHead, UnsealedEvent, Verification
from core.admin import pluralize
from core.downloads import file_of
from core.errors import Refusal
from portal import activity_check, evidence

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
    begun = chain_starts.newest()
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
        "first_of_chain": begun.position + 1 if begun else 0,
        "can_start": request.user.is_superuser,
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


@never_cache
@require_POST
def export_evidence(request: HttpRequest) -> HttpResponseBase:
    """Hand out the record as it is, signed, for whoever finds out what happened to it."""
    _require_right(request)
    # PostgreSQL's log holds the values of statements that failed: sessions and digests among them.
    pieces = evidence.export(actor=Actor.of(request), with_log=request.user.is_superuser)
    return file_of(pieces, name="activity-evidence.zip", content_type="application/zip")


class NoteForm(forms.Form):
    verification = forms.IntegerField(widget=forms.HiddenInput)  # what the operator has looked at
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
        help_text="It stays in the activity, for whoever asks later.",
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def start_chain(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Ask what was found out, and start a chain that names the problems of the last verification."""
    _require_right(request)
    if not request.user.is_superuser:
        raise PermissionDenied("Only an operator with full rights can start a new chain.")
    last = Verification.objects.exclude(finished_at=None).first()
    if last is None or not last.problems:
        messages.info(request, "The last verification found nothing that a new chain would have to name.")
        return redirect(PAGE)
    form = NoteForm(request.POST if request.method == "POST" else None, initial={"verification": last.pk})
    if request.method == "POST" and form.is_valid():
        found = Verification.objects.filter(pk=form.cleaned_data["verification"]).first()
        try:
            chain_starts.start(found, note=form.cleaned_data["reason"], actor=Actor.of(request))
        except Refusal as refusal:
            messages.error(request, refusal.description)
        else:
            activity_check.request()
            messages.success(request, "A new chain has started. The worker verifies the record now.")
        return redirect(PAGE)
    context |= {
        "title": "Start a new chain?",
        "button": "Start a new chain",
        "form": form,
        "opts": Event._meta,
        "heading": "Activity",
        "object": "Verify",
        "action": {"reason": "What did you find out?", "is_safe": True},
        "effects": _effects_of_start(last),
        "back": reverse(PAGE),
    }
    status = 422 if form.errors else 200
    return TemplateResponse(request, "admin/action_confirmation.html", context, status=status)


def _effects_of_start(last: Verification) -> list[Effect]:
    number = pluralize(len(last.problems), "problem stays", "problems stay")
    more = "There are more, which the next verification tells. " if len(last.problems) == activity_check.MOST else ""
    return [
        Effect(
            f"{number} in the record,",
            "named by the signed head that begins the new chain.",
            detail=more + " ".join(problem["text"] for problem in last.problems),
            icon="history",
        ),
        Effect(
            "Verifications tell what is new since,",
            "and mail operators about that alone.",
            icon="shield-check",
        ),
        Effect(
            "Every event keeps its place:",
            "nothing is changed or removed, and this cannot be undone.",
            icon="lock",
        ),
        Effect("All operators with full rights are mailed", "what you found out.", icon="mail"),
    ]


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
