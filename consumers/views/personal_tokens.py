"""A person's own pages about their personal access tokens: listed, made, shown once, revoked."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from consumers.actions import personal_tokens as personal_token_actions
from consumers.audit import Actor
from consumers.forms import explain
from consumers.models import Consumer, User
from consumers.scopes import MANAGEMENT_SCOPES
from core.errors import Refusal
from core.idempotency import AlreadyDone, carry_out_once, new_key

LIFETIMES = {"7": "In a week", "30": "In 30 days", "90": "In 90 days", "365": "In a year"}
KEPT = timedelta(days=30)
ONCE = "Its text was shown once, in the answer to your first click. Lost it? Make a new one."


class TokenForm(forms.Form):
    """What a new token may do, where, and until when."""

    use_required_attribute = False
    key = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"}), max_length=100)
    name = forms.CharField(
        max_length=60,
        help_text="Where it will be used, such as “Deployment” or “Laptop”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Name the token by where it will be used."},
    )
    consumer = forms.ChoiceField(label="Workspace", required=False, help_text="It never reaches further than you do.")
    lifetime = forms.ChoiceField(label="When does it end?", choices=list(LIFETIMES.items()), initial="90")
    scopes = forms.MultipleChoiceField(
        label="What may it do?",
        choices=[(value, name) for value, (name, _) in MANAGEMENT_SCOPES.items()],
        error_messages={"required": "Choose at least one thing that the token may do."},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = new_key()
        self.is_operators = user.is_staff
        everywhere = "Every workspace" if user.is_staff else "Every workspace of mine"
        self.reach = {str(each.pk): each for each in (Consumer.objects.all() if user.is_staff else user.workspaces())}
        choices = [("", everywhere), *((pk, str(consumer)) for pk, consumer in self.reach.items())]
        self.fields["consumer"].choices = choices  # type: ignore[attr-defined]

    @property
    def offers(self) -> list[tuple[str, str, str, bool]]:
        """Return value, name, description and whether it is chosen, of each scope that the person can make use of."""
        chosen = set(self["scopes"].value() or [])
        useful = {
            value: words for value, words in MANAGEMENT_SCOPES.items() if self.is_operators or value != "apis:write"
        }
        return [(value, *words, value in chosen) for value, words in useful.items()]


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
    form = TokenForm(request.POST if request.method == "POST" else None, user=user)
    if request.method == "POST" and form.is_valid():
        typed = form.cleaned_data
        try:
            with carry_out_once(key=typed["key"], user=user) as submission:
                token, text = personal_token_actions.create_token(
                    user=user,
                    name=typed["name"],
                    scopes=typed["scopes"],
                    consumer=form.reach.get(typed["consumer"]),
                    expires_at=timezone.now() + timedelta(days=int(typed["lifetime"])),
                    actor=Actor.of(request),
                )
                submission.outcome = "consumers:tokens"
        except AlreadyDone as done:
            messages.info(request, f"This token has been made already. {ONCE}")
            return redirect(done.outcome)
        except Refusal as refusal:
            explain(form, refusal)
        else:
            return render(request, "consumers/token_once.html", {"token": token, "text": text})
    return render(request, "consumers/token_new.html", {"form": form}, status=422 if form.is_bound else 200)


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
        messages.success(request, f"The token {token} is revoked. Whatever still uses it is refused from now on.")
    return redirect("consumers:tokens")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
