"""What a workload's identity tokens say, as people type it."""

from typing import Any

from django import forms

from clients.forms.base import LinesField, RuledChoiceField, RuledField
from clients.metadata import ClientMetadata
from clients.vocabulary import EnvironmentType
from clients.workloads import LIFESPAN, LONGEST

LIFETIMES = {LONGEST: "10 hours", 3600: "1 hour", 900: "15 minutes", 300: "5 minutes"}


class WorkloadFields(forms.Form):
    """Where the workload runs, whom it proves itself to, and how long each token holds."""

    project = RuledField(
        help_text="Such as billing. Letters, digits, “-”, “_” and “.”.",
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    deployment = RuledField(
        required=False,
        help_text="Its name among the project’s deployments. Left empty, it is the project and the environment.",
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    environment_type = RuledChoiceField(
        label="Environment", choices=EnvironmentType.choices, initial=EnvironmentType.PRODUCTION
    )
    audience = LinesField(
        label="Audiences",
        required=False,
        help_text="One per line: the services that it may prove itself to. The first is meant where it names none. "
        "You can add them later; its guides say what each cloud wants here.",
    )
    identity_token_lifespan = RuledChoiceField(label="Each token holds for")

    def offer_lifetimes(self, seconds: int | None = None) -> None:
        """Offer the usual lifetimes, and the one that was set by another door."""
        offered = LIFETIMES | ({seconds: f"{seconds:,} seconds"} if seconds and seconds not in LIFETIMES else {})
        self.fields["identity_token_lifespan"].choices = list(offered.items())  # type: ignore[attr-defined]

    def of_workload(self, base: ClientMetadata) -> ClientMetadata:
        """Return the base with what was typed about the workload."""
        typed: dict[str, Any] = self.cleaned_data
        environment = typed["environment_type"] or base.environment_type
        project = typed["project"]
        lifespans = {name: seconds for name, seconds in base.lifespans.items() if name != LIFESPAN}
        if (seconds := int(typed["identity_token_lifespan"] or LONGEST)) != LONGEST:
            lifespans[LIFESPAN] = seconds
        return base.but(
            project=project,
            deployment=typed["deployment"] or (f"{project}-{environment}" if project else ""),
            environment_type=environment,
            audience=typed["audience"],
            lifespans=lifespans,
        )
