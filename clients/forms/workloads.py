"""Form fields of a workload's identity tokens."""

from typing import Any

from django import forms

from clients.forms.base import LinesField, PolicyChoiceField, PolicyField
from clients.metadata import ClientMetadata
from clients.vocabulary import EnvironmentType
from clients.workloads import LIFESPAN, MAX_LIFETIME

LIFETIMES = {MAX_LIFETIME: "10 hours", 3600: "1 hour", 900: "15 minutes", 300: "5 minutes"}


class WorkloadFields(forms.Form):
    """Claims, audiences and lifetime of a workload's identity tokens."""

    project = PolicyField(
        help_text="Such as billing. Letters, digits, “-”, “_” and “.”.",
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    deployment = PolicyField(
        required=False,
        help_text="Its name among the project’s deployments. Leave empty to use the project and the environment.",
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    environment_type = PolicyChoiceField(
        label="Environment", choices=EnvironmentType.choices, initial=EnvironmentType.PRODUCTION
    )
    identity_token_audience = LinesField(
        label="Audiences",
        required=False,
        help_text=(
            "One per line: the services that may receive its identity tokens. The first is the default. You can add "
            "them later; the guides show what each cloud expects."
        ),
    )
    identity_token_lifespan = PolicyChoiceField(label="Token lifetime")

    def offer_lifetimes(self, seconds: int | None = None) -> None:
        """Offer LIFETIMES, and another one that the API has set."""
        offered = LIFETIMES | ({seconds: f"{seconds:,} seconds"} if seconds and seconds not in LIFETIMES else {})
        self.fields["identity_token_lifespan"].choices = list(offered.items())  # type: ignore[attr-defined]

    def workload_metadata(self, base: ClientMetadata) -> ClientMetadata:
        """Return the base with the entered values."""
        entered: dict[str, Any] = self.cleaned_data
        environment = entered["environment_type"] or base.environment_type
        project = entered["project"]
        lifespans = {name: seconds for name, seconds in base.lifespans.items() if name != LIFESPAN}
        if (seconds := int(entered["identity_token_lifespan"] or MAX_LIFETIME)) != MAX_LIFETIME:
            lifespans[LIFESPAN] = seconds
        return base.replace(
            project=project,
            deployment=entered["deployment"] or (f"{project}-{environment}" if project else ""),
            environment_type=environment,
            identity_token_audience=entered["identity_token_audience"],
            lifespans=lifespans,
        )
