"""/account/apps/: the clients that a person has authorized, revocation of their access, and signing out everywhere."""

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from authority.authorization import consents, signing_out
from authority.models import Consent
from clients.models import Client, Scope
from clients.vocabulary import IDENTITY_SCOPES
from consumers.audit import Actor
from consumers.models import User


@login_required
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    mine = list(Consent.objects.filter(user=request.user.pk).select_related("client__consumer"))
    named = _scope_names([value for consent in mine for value in consent.scopes])
    apps = [
        (
            consent,
            [name for value, name in named.items() if value in consent.scopes] + consent.resources,
            _initiate_login_url(consent.client),
        )
        for consent in mine
    ]
    return render(request, "authority/apps.html", {"apps": apps})


def _initiate_login_url(client: Client) -> str:
    """Return the client's initiate_login_uri with our issuer, or "" (OpenID Connect Core section 4)."""
    uri: str = client.initiate_login_uri
    if not uri or not client.is_usable(None):
        return ""
    return f"{uri}{'&' if urlsplit(uri).query else '?'}{urlencode({'iss': settings.ISSUER})}"


def _scope_names(values: list[str]) -> dict[str, str]:
    """Return the display names of scopes: identity scopes first, as on the consent page."""
    identity = {value: name for value, (name, _) in IDENTITY_SCOPES.items()} | {"openid": "Know who you are"}
    return identity | dict(Scope.objects.filter(value__in=values).values_list("value", "name"))


@login_required
def revoke(request: HttpRequest, consent_id: int) -> HttpResponse:
    """Ask for confirmation, then revoke the client's consent and all of its tokens for the person."""
    consent = get_object_or_404(Consent.objects.select_related("client__consumer"), pk=consent_id, user=request.user.pk)
    if request.method != "POST":
        return render(request, "authority/revoke_app.html", {"consent": consent})
    consents.revoke(consent=consent, actor=Actor.of(request))
    messages.success(request, f"{consent.client.client_name} can no longer use your account.")
    return redirect("apps")


@login_required
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """Say what signing out everywhere ends; then end it, but for the session in which it is asked."""
    person, key = request.user, request.session.session_key
    assert isinstance(person, User)
    if request.method != "POST":
        access = signing_out.access_of(person, session_key=key)
        return render(request, "authority/sign_out_everywhere.html", {"access": access})
    signing_out.sign_out_everywhere(person=person, session_key=key, actor=Actor.of(request))
    messages.success(request, "You are signed out everywhere else. Your access tokens and apps no longer work.")
    return redirect("usersessions_list")
