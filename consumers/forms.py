"""What people type about people."""

from datetime import timedelta
from typing import Any, ClassVar

from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.db.models import Q
from django.utils import timezone

from consumers.models import Role
from core.errors import Refusal


class NewPersonForm(forms.Form):
    """The one thing that an invitation leaves open."""

    name = forms.CharField(
        label="Your name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )


class NameForm(forms.Form):
    name = forms.CharField(
        max_length=150, help_text="As your colleagues read it.", widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


class AddPasskeyForm(AddWebAuthnForm):
    """Propose a passkey, which signs in alone, rather than a second step."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True


ROLE_HINTS = {
    Role.VIEWER: "Sees clients, usage and activity, but no secrets. Changes nothing.",
    Role.MANAGER: "Also registers clients, handles secrets and invites people.",
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


class ActivityFilter(forms.Form):
    """Which events to list. Whatever makes no sense filters nothing."""

    KINDS: ClassVar[dict[str, tuple[str, Q]]] = {
        "secrets": ("Secrets", Q(name__startswith="client.secret.")),
        "clients": ("Clients", Q(name__startswith="client.") & ~Q(name__startswith="client.secret.")),
        "people": ("People", Q(name__startswith="manager.")),
        "workspace": ("The workspace", Q(name__startswith="consumer.")),
    }
    PERIODS: ClassVar[dict[str, str]] = {
        "1": "Last 24 hours",
        "7": "Last 7 days",
        "30": "Last 30 days",
        "365": "Last year",
    }

    q = forms.CharField(label="Search", required=False, max_length=100)
    what = forms.ChoiceField(
        required=False, choices=[("", "Anything"), *((key, label) for key, (label, _) in KINDS.items())]
    )
    when = forms.ChoiceField(required=False, choices=[("", "Any time"), *PERIODS.items()])
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def condition(self) -> Q:
        """Return what the events must meet; the page's start, `before`, is not part of it."""
        self.is_valid()
        chosen = self.cleaned_data
        found = Q()
        if words := chosen.get("q"):
            found &= (
                Q(actor_label__icontains=words)
                | Q(target_label__icontains=words)
                | Q(ip__startswith=words)
                | Q(detail__email__icontains=words)
                | Q(detail__hint__icontains=words)
            )
        if chosen.get("what"):
            found &= self.KINDS[chosen["what"]][1]
        if chosen.get("when"):
            found &= Q(at__gte=timezone.now() - timedelta(days=int(chosen["when"])))
        return found

    @property
    def before_id(self) -> int | None:
        self.is_valid()
        return self.cleaned_data.get("before")


def explain(form: forms.BaseForm, refusal: Refusal) -> None:
    """Put a refusal, and those that came with it, where the person looks: at its field, or above the form."""
    for problem in (refusal, *refusal.others):
        form.add_error(problem.field if problem.field in form.fields else None, problem.description)
