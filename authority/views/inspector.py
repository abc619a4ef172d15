"""The inspector's page, in a workspace and for operators. What is pasted comes by POST and is stored nowhere."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from authority.diagnostics.inspector.inspector import inspect
from authority.diagnostics.inspector.report import Viewer
from authority.forms.inspector import TOO_MUCH, InspectForm
from consumers.access import View, workspace
from consumers.models import Membership, Role


def before_csrf(view: View) -> View:
    """Let a view check the length of a body before the CSRF middleware reads it.

    Django reads no body of more than DATA_UPLOAD_MAX_MEMORY_SIZE and answers a page that says nothing of what to do.
    The view ends in `respond`, which checks the CSRF token of whatever it reads.
    """
    return csrf_exempt(view)


@before_csrf
@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def inspector(request: HttpRequest, membership: Membership) -> HttpResponse:
    return respond(request, Viewer(membership.consumer), "authority/inspector.html")


def respond(request: HttpRequest, viewer: Viewer, template: str, around: dict[str, Any] | None = None) -> HttpResponse:
    """Show the form, and below it the reports on what was pasted. A body that is too long is refused unread."""
    context = (around or {}) | {"here": "inspector"}
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        form = InspectForm({}, viewer=viewer)
        form.errors["pasted"] = form.error_class([TOO_MUCH])
        return render(request, template, context | {"form": form}, status=422)
    return _inspect(request, viewer, template, context)


@csrf_protect
@sensitive_post_parameters("pasted")
@sensitive_variables()
def _inspect(request: HttpRequest, viewer: Viewer, template: str, context: dict[str, Any]) -> HttpResponse:
    form = InspectForm(request.POST if request.method == "POST" else None, viewer=viewer)
    reports = inspect(form.cleaned_data["pasted"], viewer, form.cleaned_data["api"]) if form.is_valid() else []
    status = 422 if form.is_bound and form.errors else 200
    return render(request, template, context | {"form": form, "reports": reports}, status=status)
