"""The page that an invitation's link opens. A GET consumes nothing: mail scanners follow links."""

from collections.abc import Callable
from typing import NamedTuple

from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from consumers.actions import invitations as invitation_actions
from consumers.audit import Actor, request_origin
from consumers.forms import NewPersonForm, add_refusal
from consumers.models import Invitation, User
from core.errors import Conflict, Refusal
from core.rate_limits import rate_limited


class Offer(NamedTuple):
    """Another way to sign in to accept an invitation. One that is required leaves no other."""

    label: str
    url: str
    is_required: bool


# What a room above offers to whoever has such an address, leading back to a page.
OffersFor = Callable[[str, str], list[Offer]]
_offers: list[OffersFor] = []


def register_offers(offers_for: OffersFor) -> None:
    """Offer these ways to sign in on the page of an invitation."""
    if offers_for not in _offers:
        _offers.append(offers_for)


@require_http_methods(["GET", "HEAD", "POST"])
@rate_limited("20/m/ip")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show the invitation; POST accepts or declines it."""
    opened = invitation_actions.find_open_invitation(token)
    if opened is None:
        return _not_open(request, token)
    if request.method == "POST":
        return _try_to_answer(request, token, opened)
    return _show(request, opened, NewPersonForm())


def _try_to_answer(request: HttpRequest, token: str, opened: Invitation) -> HttpResponse:
    form = NewPersonForm(request.POST if "name" in request.POST else None)
    try:
        return _answer(request, token, opened, form)
    except invitation_actions.InvitationClosed:  # somebody was faster
        return _not_open(request, token)
    except Refusal as refusal:
        if refusal.field:
            add_refusal(form, refusal)
            return _show(request, opened, form, status=422)
        return _show(request, opened, form, status=409 if isinstance(refusal, Conflict) else 403)


def _answer(request: HttpRequest, token: str, opened: Invitation, form: NewPersonForm) -> HttpResponse:
    """Accept or decline, as whoever sent the form. Raises Refusal."""
    if "decline" in request.POST:
        invitation_actions.decline_invitation(
            token=token, actor=Actor(kind="person", id="", label="", **request_origin(request))
        )
        return render(request, "consumers/declined.html", {"invitation": opened})
    if isinstance(request.user, User):
        invitation_actions.accept_invitation(token=token, user=request.user, actor=Actor.of(request))
        messages.success(request, f"Welcome to {opened.consumer}.")
        return redirect(settings.WORKSPACE_URL, opened.consumer.slug)
    if User.objects.of_address(opened.email).exists() or not form.is_valid():
        return _show(request, opened, form, status=422)
    user, _ = invitation_actions.join_as_new_person(
        token=token,
        name=form.cleaned_data["name"],
        actor=Actor(kind="person", id="", label="", **request_origin(request)),
    )
    messages.success(request, f"Welcome to {opened.consumer}. Next time, sign in with a code to {user.email}.")
    dashboard = reverse(settings.WORKSPACE_URL, args=[opened.consumer.slug])
    record_authentication(request, user, method="invitation")  # by the mail that it came with
    signed_in: HttpResponse = perform_login(request, user, email=user.email, redirect_url=dashboard)
    return signed_in


def _show(request: HttpRequest, opened: Invitation, form: NewPersonForm, status: int = 200) -> HttpResponse:
    """Show the invitation with the one way to accept it that fits whoever looks at it."""
    context = {
        "invitation": opened,
        "form": form,
        "is_theirs": request.user.is_authenticated
        and EmailAddress.objects.filter(user=request.user, email__iexact=opened.email, verified=True).exists(),
        "offers": [offer for offers_for in _offers for offer in offers_for(opened.email, request.path)],
        "has_account": User.objects.of_address(opened.email).exists(),
    }
    return render(request, "consumers/invitation.html", context, status=status)


def _not_open(request: HttpRequest, token: str) -> HttpResponse:
    """Say the same of used, expired, revoked, altered and made-up links, so that none tells which it is.

    Whoever is signed in and has joined by the link is led into the workspace.
    """
    if isinstance(request.user, User) and (joined := invitation_actions.find_joined(token, request.user)):
        return redirect(settings.WORKSPACE_URL, joined.slug)
    return render(request, "consumers/invitation_closed.html", status=404)
