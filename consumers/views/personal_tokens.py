"""A person's pages about their personal access tokens: list, create, revoke."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from consumers.access import token_refusal
from consumers.actions import personal_tokens as personal_token_actions
from consumers.audit import Actor
from consumers.forms import PersonalTokenForm, add_refusal
from consumers.models import User
from consumers.scopes import PREFIX
from core.errors import Refusal
from core.idempotency import AlreadySubmitted, idempotent

KEPT = timedelta(days=30)
ONCE = "It was shown once, in the response to your first click. Lost it? Create a new one."


@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List one's own tokens: those that work, and those that ended within 30 days."""
    found = _person(request).personal_tokens.select_related("consumer").filter(expires_at__gt=timezone.now() - KEPT)
    listed = sorted(found, key=lambda token: token.ended_at is not None)
    return render(request, "consumers/tokens.html", {"tokens": listed})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("text")
def create(request: HttpRequest) -> HttpResponse:
    """Make a token. The answer to the POST itself shows it; nothing keeps it for a later page."""
    user = _person(request)
    if (refused := token_refusal(request, user, [PREFIX])) is not None:
        return refused
    form = PersonalTokenForm(request.POST if request.method == "POST" else None, user=user)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            with idempotent(key=typed["key"], user=user) as submission:
                token, text = personal_token_actions.create_token(
                    user=user,
                    name=typed["name"],
                    scopes=typed["scopes"],
                    consumer=form.reach.get(typed["consumer"]),
                    expires_at=timezone.now() + timedelta(days=int(typed["lifetime"])),
                    actor=Actor.of(request),
                )
                submission.outcome = "consumers:tokens"
        except AlreadySubmitted as done:
            messages.info(request, f"This token has already been created. {ONCE}")
            return redirect(done.outcome)
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            return render(request, "consumers/token_created.html", {"token": token, "text": text})
    return render(request, "consumers/token_create.html", {"form": form}, status=422 if form.is_bound else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End one of one's own tokens, after a word on who still uses it."""
    token = _person(request).personal_tokens.filter(pk=token_id).first()
    if token is None:
        raise Http404
    if request.method != "POST":
        return render(request, "consumers/token_revoke.html", {"token": token})
    try:
        personal_token_actions.revoke_token(token=token, actor=Actor.of(request))
    except Refusal as refusal:
        messages.info(request, refusal.description)
    else:
        messages.success(request, f"The token {token} is revoked. Requests that still use it will fail.")
    return redirect("consumers:tokens")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
