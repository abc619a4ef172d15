"""Forms about people, workspaces and personal access tokens."""

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.db.models import Q
from django.utils import timezone

from consumers.activity import vocabulary
from consumers.models import Consumer, EventQuerySet, PersonalToken, Role, User
from consumers.scopes import MANAGEMENT_SCOPES, OPERATORS_ALONE
from core.errors import Refusal
from core.idempotency import new_idempotency_key
from core.limits import longest


class NewPersonForm(forms.Form):
    """The one thing that an invitation leaves open."""

    name = forms.CharField(
        label="Your name",
        max_length=longest(User, "name"),
        widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True}),
    )


class NameForm(forms.Form):
    name = forms.CharField(
        max_length=longest(User, "name"),
        help_text="As your colleagues read it.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


ROLE_HINTS = {
    Role.VIEWER: "Sees clients, usage and activity, but no secrets. Changes nothing.",
    Role.MANAGER: "Also creates clients, manages secrets and invites people.",
}


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices, widget=forms.RadioSelect)

    @property
    def options(self) -> list[tuple[str, str, str, bool]]:
        """Return value, name, hint and whether chosen, of each role."""
        return [(role.value, role.label, hint, self["role"].value() == role) for role, hint in ROLE_HINTS.items()]


class InviteForm(RoleForm):
    emails = forms.CharField(
        label="Email addresses",
        max_length=5000,
        help_text="One on each line. Each gets an email with a link that works once.",
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
    )


def _categories() -> list[tuple[str, str]]:
    return [(category.value, category.label) for category in vocabulary.workspace_categories().values()]


class ActivityFilter(forms.Form):
    """Which events to list. Whatever makes no sense filters nothing."""

    PERIODS: ClassVar[dict[str, str]] = {
        "1": "Last 24 hours",
        "7": "Last 7 days",
        "30": "Last 30 days",
        "365": "Last year",
    }

    q = forms.CharField(label="Search", required=False, max_length=100)
    what = forms.ChoiceField(required=False, choices=lambda: [("", "Anything"), *_categories()])
    when = forms.ChoiceField(required=False, choices=[("", "Any time"), *PERIODS.items()])
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def filtered(self, events: EventQuerySet, *, all_searched: bool = False) -> EventQuerySet:
        """Return the events that the filters leave; the page's start, `before`, is none of them.

        The search is among the newest of these, unless all are to be searched, which takes its time.
        """
        self.is_valid()
        chosen = self.cleaned_data
        if chosen.get("what"):
            events = events.filter(vocabulary.workspace_categories()[chosen["what"]].condition())
        if chosen.get("when"):
            events = events.filter(at__gte=timezone.now() - timedelta(days=int(chosen["when"])))
        if words := chosen.get("q"):
            events = events if all_searched else events.newest()
            events = events.filter(
                Q(actor_label__icontains=words)
                | Q(target_label__icontains=words)
                | Q(ip__startswith=words)
                | Q(detail__email__icontains=words)
                | Q(detail__hint__icontains=words)
            )
        return events

    @property
    def before_id(self) -> int | None:
        self.is_valid()
        return self.cleaned_data.get("before")


TOKEN_LIFETIMES = {"7": "In a week", "30": "In 30 days", "90": "In 90 days", "365": "In a year"}


class PersonalTokenForm(forms.Form):
    """What a new token may do, where, and until when."""

    use_required_attribute = False
    key = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"}), max_length=100)
    name = forms.CharField(
        max_length=longest(PersonalToken, "name"),
        help_text="Where it will be used, such as “Deployment” or “Laptop”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Name the token by where it will be used."},
    )
    consumer = forms.ChoiceField(label="Workspace", required=False, help_text="It never has more access than you do.")
    lifetime = forms.ChoiceField(label="When does it expire?", choices=list(TOKEN_LIFETIMES.items()), initial="90")
    scopes = forms.MultipleChoiceField(
        label="What may it do?",
        choices=[(value, name) for value, (name, _) in MANAGEMENT_SCOPES.items()],
        error_messages={"required": "Choose at least one thing that the token may do."},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = new_idempotency_key()
        self.is_operators = user.has_operator_rights
        everywhere = "Every workspace" if self.is_operators else "Every workspace of mine"
        consumers = Consumer.objects.all() if self.is_operators else user.workspaces()
        self.reach = {str(each.pk): each for each in consumers}
        choices = [("", everywhere), *((pk, str(consumer)) for pk, consumer in self.reach.items())]
        self.fields["consumer"].choices = choices  # type: ignore[attr-defined]

    @property
    def offers(self) -> list[tuple[str, str, str, bool]]:
        """Return value, name, description and whether it is chosen, of each scope that the person can make use of."""
        chosen = set(self["scopes"].value() or [])
        useful = {
            value: words
            for value, words in MANAGEMENT_SCOPES.items()
            if self.is_operators or value not in OPERATORS_ALONE
        }
        return [(value, *words, value in chosen) for value, words in useful.items()]


def add_refusal(form: forms.BaseForm, refusal: Refusal) -> None:
    """Put a refusal, and those that came with it, where the person looks: at its field, or above the form."""
    for problem in (refusal, *refusal.others):
        form.add_error(problem.field if problem.field in form.fields else None, problem.description)
