"""/account/apps/: the apps that a person has authorized and where they are signed in, and the end of both.

It opens for who is signed in to the portal, and for whom the provider's own login has signed in in this browser.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from authority.authorization import client_people, consents, login_sessions, signing_out
from authority.models import Consent, LoginSession
from authority.people import own_apps
from clients.models import Client, Scope
from clients.vocabulary import IDENTITY_SCOPES
from consumers.audit import Actor
from consumers.models import User


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at their own page."""

    user: User
    login: LoginSession | None = None  # at the provider's own login, where nobody is signed in to the portal

    @property
    def is_end_user(self) -> bool:
        return self.login is not None or self.user.is_end_user

    def actor(self, request: HttpRequest) -> Actor:
        return login_sessions.actor_of(request, self.user) if self.login is not None else Actor.of(request)


def _of_visitor(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Open a view to whoever is signed in in this browser, here or by the provider's own login."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(request.user, User):
            return view(request, Visitor(request.user), *args, **kwargs)
        login = login_sessions.current(request)
        if login is None or not login.is_remembered:  # on a shared computer, it may be another who sits there now
            return redirect_to_login(request.get_full_path())
        return view(request, Visitor(login.user, login), *args, **kwargs)

    return guarded


@_of_visitor
@require_safe
def listing(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    if visitor.is_end_user:
        return _end_users_page(request, visitor)
    mine = list(Consent.objects.filter(user=visitor.user).select_related("client__consumer"))
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


def _end_users_page(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    mine = own_apps.of(visitor.user)
    named = _scope_names([value for app in mine for value in app.scopes])
    context = {
        "visitor": visitor,
        "apps": [(app, [name for value, name in named.items() if value in app.scopes] + app.resources) for app in mine],
        "sessions": own_apps.sessions_of(visitor.user, request.session.session_key, visitor.login),
    }
    return render(request, "authority/end_user.html", context)


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


# -- Apps -------------------------------------------------------------------------------------------------------------


@_of_visitor
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, visitor: Visitor, consent_id: int) -> HttpResponse:
    """Ask for confirmation, then revoke the client's consent and all of its tokens for the person."""
    consent = get_object_or_404(Consent.objects.select_related("client__consumer"), pk=consent_id, user=visitor.user)
    if request.method != "POST":
        context = {"visitor": visitor, "client": consent.client, "consent": consent}
        return render(request, "authority/revoke_app.html", context)
    consents.revoke(consent=consent, actor=visitor.actor(request))
    messages.success(request, f"{consent.client.client_name} can no longer use your account.")
    return redirect("apps")


@_of_visitor
@require_http_methods(["GET", "HEAD", "POST"])
def sign_out_of_app(request: HttpRequest, visitor: Visitor, client_id: str) -> HttpResponse:
    """Ask for confirmation, then end the person's sign-ins at a client that needs no consent of theirs."""
    client = get_object_or_404(
        Client.objects.select_related("consumer"), client_id=client_id, pk__in=own_apps.clients_of(visitor.user)
    )
    if request.method != "POST":
        return render(request, "authority/revoke_app.html", {"visitor": visitor, "client": client})
    client_people.end_sign_ins(client=client, user=visitor.user, actor=visitor.actor(request))
    messages.success(request, f"You are signed out of {client.client_name}.")
    return redirect("apps")


# -- Sessions ---------------------------------------------------------------------------------------------------------


@_of_visitor
@require_POST
def end_browser_session(request: HttpRequest, visitor: Visitor, session_id: int) -> HttpResponse:
    """End one of the person's sessions here."""
    session = get_object_or_404(UserSession, pk=session_id, user=visitor.user)
    session.end()
    messages.success(request, "That browser is signed out.")
    return redirect("apps" if visitor.is_end_user else "usersessions_list")


@_of_visitor
@require_POST
def end_login_session(request: HttpRequest, visitor: Visitor, session_id: UUID) -> HttpResponse:
    """End one of the person's sessions at the provider's own login; after this browser's, nothing is left to show."""
    session = get_object_or_404(LoginSession, pk=session_id, user=visitor.user)
    is_here = visitor.login is not None and session.pk == visitor.login.pk
    login_sessions.end(session)
    if not is_here:
        messages.success(request, "That browser is signed out.")
        return redirect("apps")
    response = render(request, "authority/signed_out.html", {"for_end_user": True})
    login_sessions.forget_cookie(response)
    return response


@_of_visitor
@require_http_methods(["GET", "HEAD", "POST"])
def sign_out_everywhere(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Say what signing out everywhere ends; then end it, but for the session in which it is asked."""
    key = request.session.session_key if visitor.login is None else None
    if request.method != "POST":
        context = {"access": signing_out.access_of(visitor.user, session_key=key, login=visitor.login)}
        return render(request, "authority/sign_out_everywhere.html", context | {"visitor": visitor})
    signing_out.sign_out_everywhere(
        person=visitor.user, session_key=key, login=visitor.login, actor=visitor.actor(request)
    )
    if visitor.is_end_user:
        messages.success(request, "You are signed out everywhere else. Your apps no longer work.")
        return redirect("apps")
    messages.success(request, "You are signed out everywhere else. Your access tokens and apps no longer work.")
    return redirect("usersessions_list")
