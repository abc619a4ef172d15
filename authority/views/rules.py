"""The trust rule tester: which rule a pasted token matches, and how it differs from the others."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from authority.diagnostics import rule_tester
from authority.forms.rules import RuleTestForm
from clients.views.authentication import get_confidential_client
from consumers.access import workspace
from consumers.models import Membership, Role


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("token")
@sensitive_variables("form", "report")
def try_token(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    client = get_confidential_client(membership, client_id)
    form = RuleTestForm(request.POST if request.method == "POST" else None)
    report, status = None, 200
    if form.is_bound:
        if form.is_valid():
            report = rule_tester.try_token(client, form.cleaned_data["token"])
        else:
            status = 422
    context = {"form": form, "report": report, "client": client, "tab": "authentication", "here": "clients"}
    return render(request, "authority/try_rules.html", context, status=status)
