"""How clients may register themselves, as operators decide it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from clients.actions import registration as registration_actions
from clients.models import DocumentHost, OpenRegistration, SoftwareIssuer
from consumers.admin.base import Desk
from consumers.audit import Actor
from consumers.forms import explain
from core.errors import Refusal
from core.fields import JSONField


@admin.register(OpenRegistration)
class OpenRegistrationAdmin(Desk):
    """One row at most: the consumer into which anybody may register clients."""

    lede = "One consumer at most, into which programs may register clients without asking anybody."
    empty = "Nobody registers clients without a token. Name a consumer here to let anybody do so."

    list_display = ("consumer", "client_days", "idle_days", "most_clients")
    fields = ("consumer", "grant_types", "scopes", "client_days", "idle_days", "most_clients")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_add_permission(request)) and not OpenRegistration.objects.exists()

    def save_model(self, request: HttpRequest, obj: OpenRegistration, form: Any, change: bool) -> None:
        door = registration_actions.open_registration(
            consumer=obj.consumer,
            actor=Actor.of(request),
            grant_types=obj.grant_types,
            scopes=obj.scopes,
            client_days=obj.client_days,
            idle_days=obj.idle_days,
            most_clients=obj.most_clients,
        )
        obj.pk = door.pk

    def delete_model(self, request: HttpRequest, obj: OpenRegistration) -> None:
        registration_actions.close_registration(actor=Actor.of(request))


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]
    def _post_clean(self) -> None:
        """Put the rules' words at the field that they are about, while everything else may still be corrected."""
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            try:
                registration_actions.check_source(self.instance)
            except Refusal as refusal:
                explain(self, refusal)

    def validate_constraints(self) -> None:
        """Leave it to the rules, which say the same in words."""


class PublisherForm(SourceForm):
    jwks = JSONField(
        label="Keys", required=False, widget=forms.Textarea(attrs={"rows": 6}), help_text="The public keys themselves."
    )

    class Meta:
        model = SoftwareIssuer
        fields = ["issuer", "jwks_uri", "jwks", "required"]
        labels = {"jwks_uri": "Address of the keys"}  # as Django reads it

    def clean_jwks(self) -> dict[str, Any] | None:
        return self.cleaned_data["jwks"] or None


class SourceAdmin(Desk):
    """Somebody whom the operator trusts to describe clients."""

    form = SourceForm

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        registration_actions.save_source(source=obj, actor=Actor.of(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        registration_actions.delete_source(source=obj, actor=Actor.of(request))


@admin.register(DocumentHost)
class DocumentHostAdmin(SourceAdmin):
    lede = "Apps that describe themselves in a document on one of these hosts are clients without registering."
    empty = "No host is trusted yet. Add one whose apps shall be clients by their address alone."
    list_display = ("host", "consumer", "client_days")
    fields = ("host", "consumer", "grant_types", "scopes", "client_days")


@admin.register(SoftwareIssuer)
class SoftwareIssuerAdmin(SourceAdmin):
    form = PublisherForm
    lede = "Whoever signs what programs say of themselves when they register."
    empty = "No issuer is trusted yet. Add one, and clients may register with its software statements."
    list_display = ("issuer", "required")
    fields = ("issuer", "jwks_uri", "jwks", "required")
