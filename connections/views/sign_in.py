"""Signing in by an identity provider: the e-mail first, then the way there and back."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.forms import LoginForm
from allauth.account.internal.flows import reauthentication
from allauth.account.utils import get_next_redirect_url, perform_login
from allauth.account.views import LoginView
from allauth.socialaccount.internal import statekit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from connections.accounts import begun
from connections.actions import identities
from connections.forms import EmailForm
from connections.models import Connection
from connections.relying_party import code_flow
from connections.relying_party.claims import Person
from connections.relying_party.failures import SignInFailed
from connections.views import test_sign_in
from connections.views.common import anybody, failed, live_connection
from consumers.audit import Actor
from consumers.models import User
from core.errors import Conflict
from core.rate_limits import rate_limited

# Of sign-ins that begin or end; an office at nine o'clock has one address.
limited = rate_limited("240/m/ip", "connection", any_method=True)


class SignInView(LoginView):
    """The page to sign in on. Where there are connections it asks for the email first, and leads on by its domain."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "ways" in request.GET or not Connection.objects.live().exists():
            response: HttpResponseBase = super().get(request, *args, **kwargs)
            return response
        return self._ask(EmailForm(initial={"email": request.GET.get("login_hint", "")}))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "login" in request.POST:  # a password
            response: HttpResponseBase = super().post(request, *args, **kwargs)
            return response
        form = EmailForm(request.POST)
        if not form.is_valid():
            return self._ask(form, status=422)
        email = form.cleaned_data["email"]
        connection = Connection.objects.of_address(email).first()
        context = self.get_context_data(form=LoginForm(request=request, initial={"login": email}))
        context |= {"connection": connection, "email": email, "domain": email.rpartition("@")[2]}
        return render(request, "connections/ways.html", context)

    def _ask(self, form: EmailForm, status: int = 200) -> HttpResponse:
        """Ask for the address; connections that have no domain are offered to everybody."""
        everybody = Connection.objects.live().filter(domains=None, consumers=None)
        context = self.get_context_data(form=form) | {"everybody": everybody}
        return render(self.request, "connections/sign_in.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@limited
@never_cache
def login(request: HttpRequest, slug: str) -> HttpResponse:
    """Lead to the provider. A provider that starts the sign-in leads here (OpenID Connect Core section 4)."""
    try:
        connection = live_connection(slug)
        issuer = request.GET.get("iss")
        if issuer is not None and issuer != connection.issuer:
            raise SignInFailed("response_issuer", f"iss is {issuer[:200]}.")
        sent = request.POST if request.method == "POST" else request.GET
        return code_flow.begin(
            request,
            connection,
            process="login",
            next_url=get_next_redirect_url(request) or "",
            login_hint=sent.get("login_hint", "")[:254],
        )
    except SignInFailed as failure:
        return failed(request, slug, failure)


@require_GET
@limited
@never_cache
def callback(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the authorization response, for whatever the sign-in was begun."""
    person: Person | None = None
    try:
        state = statekit.unstash_state(request, provider_id=slug, state_id=request.GET.get("state", ""))
        if state is None:
            raise SignInFailed("state")
        if state["process"] == "test":
            return test_sign_in.finish(request, slug, state)
        connection = live_connection(slug)
        person = code_flow.complete(request, connection, state)
        return PROCESSES[state["process"]](request, connection, person, state)
    except SignInFailed as failure:
        return failed(request, slug, failure, person)
    except (Conflict, IntegrityError) as lost:  # a race, such as of two first sign-ins by different connections
        return failed(request, slug, SignInFailed("busy", type(lost).__name__), person)


def _sign_in(request: HttpRequest, connection: Connection, person: Person, state: dict[str, Any]) -> HttpResponse:
    account = identities.sign_in(connection=connection, person=person, actor=anybody(request))
    if request.user.is_authenticated:
        get_adapter(request).logout(request)
    begun.record(request, connection, account, person)
    user = account.user
    # Whoever has no address here has none to confirm.
    confirms = None if user.has_address else EmailVerificationMethod.NONE
    response: HttpResponse = perform_login(
        request, user, email=user.email, email_verification=confirms, redirect_url=state.get("next")
    )
    return response


def _connect(request: HttpRequest, connection: Connection, person: Person, state: dict[str, Any]) -> HttpResponse:
    """Link the identity to whoever is signed in, and began it. Raises SignInFailed."""
    user = request.user
    if not isinstance(user, User) or state["data"] != str(user.pk):
        raise SignInFailed("state")
    if user.is_staff and not connection.for_operators:
        raise SignInFailed("operator")
    try:
        identities.link(user=user, connection=connection, person=person, actor=Actor.of(request))
    except Conflict as conflict:
        messages.error(request, conflict.description)
    else:
        messages.success(request, f"{connection} is connected. You can sign in by it from now on.")
    return redirect("mfa_index")


def _reauthenticate(
    request: HttpRequest, connection: Connection, person: Person, state: dict[str, Any]
) -> HttpResponse:
    """Count the fresh sign-in at the provider as one here, if it is the same person. Raises SignInFailed."""
    account = identities.find(person)
    if account is None or account.user_id != request.user.pk:
        raise SignInFailed("wrong_person")
    begun.record(request, connection, account, person, again=True)
    identities.record_session(account=account, session_key=request.session.session_key or "", sid=person.sid)
    query = urlencode({"next": state.get("next", resolve_url(settings.LOGIN_REDIRECT_URL))})
    return redirect(f"{reverse('connections:reauthenticated')}?{query}")


PROCESSES = {"login": _sign_in, "connect": _connect, "reauthenticate": _reauthenticate}


@require_safe
@login_required
@limited
@never_cache
def reauthenticate(request: HttpRequest, slug: str) -> HttpResponse:
    """Confirm who one is, at the provider."""
    try:
        connection = live_connection(slug)
        next_url = get_next_redirect_url(request) or ""
        return code_flow.begin(
            request,
            connection,
            process="reauthenticate",
            next_url=next_url,
            login_hint=request.user.email,  # type: ignore[union-attr]
            fresh=True,
        )
    except SignInFailed as failure:
        return failed(request, slug, failure)


@require_safe
@login_required
@never_cache
def reauthenticated(request: HttpRequest) -> HttpResponse:
    """Carry out what was suspended until the person has confirmed who they are; it asks again whether they have."""
    response: HttpResponse | None = reauthentication.resume_request(request)
    return response or redirect(settings.LOGIN_REDIRECT_URL)
