"""The tester of a client's rules: paste a token, and see which rule it meets or in what it differs."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from authority.diagnostics import rule_tester
from clients.forms.base import Form
from clients.views.authentication import find_proving
from consumers.access import workspace
from consumers.models import Membership, Role


class TokenForm(Form):
    token = forms.CharField(
        label="Token",
        strip=True,
        max_length=20_000,
        help_text="A JWT as the platform made it. It is judged here and kept nowhere.",
        widget=forms.Textarea(attrs={"class": "mono", "rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Paste a token of the platform.", "max_length": "This is too long for a token."},
    )


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("token")
@sensitive_variables("form", "report")
def try_token(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    client = find_proving(membership, client_id)
    form = TokenForm(request.POST if request.method == "POST" else None)
    report, status = None, 200
    if form.is_bound:
        if form.is_valid():
            report = rule_tester.try_token(client, form.cleaned_data["token"])
        else:
            status = 422
    context = {"form": form, "report": report, "client": client, "tab": "authentication", "here": "clients"}
    return render(request, "authority/try_rules.html", context, status=status)
