"""The inspector's page, in a workspace and for operators. What is pasted comes by POST, and nothing keeps it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from authority.forms.inspector import InspectForm
from authority.inspection.inspector import inspect
from authority.inspection.report import Viewer
from consumers.access import workspace
from consumers.models import Membership, Role


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def inspector(request: HttpRequest, membership: Membership) -> HttpResponse:
    return answer(request, Viewer(membership.consumer), "authority/inspector.html")


@sensitive_post_parameters("pasted")
@sensitive_variables()
def answer(request: HttpRequest, viewer: Viewer, template: str, around: dict[str, Any] | None = None) -> HttpResponse:
    """Show the form, and below it what is to be said about what was pasted."""
    form = InspectForm(request.POST if request.method == "POST" else None, viewer=viewer)
    reports = inspect(form.cleaned_data["pasted"], viewer, form.cleaned_data["api"]) if form.is_valid() else []
    context = (around or {}) | {"form": form, "reports": reports, "here": "inspector"}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, template, context, status=status)
