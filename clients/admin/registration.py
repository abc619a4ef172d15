"""The admin of dynamic registration: open registration, and metadata sources."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from clients.actions import registration as registration_actions
from clients.models import DocumentHost, OpenRegistration, SoftwareIssuer
from consumers.admin.base import AuditedAdmin
from consumers.audit import Actor
from consumers.forms import add_refusal
from core.errors import Refusal
from core.fields import JSONField


@admin.register(OpenRegistration)
class OpenRegistrationAdmin(AuditedAdmin):
    """At most one row: the consumer for which anybody may register clients."""

    intro = "One consumer at most, for which programs may register clients without an initial access token."
    empty = "Registration needs an initial access token. Name a consumer here to allow it without one."

    list_display = ("consumer", "client_lifetime_days", "idle_days", "max_clients")
    fields = ("consumer", "grant_types", "scopes", "client_lifetime_days", "idle_days", "max_clients")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_add_permission(request)) and not OpenRegistration.objects.exists()

    def save_model(self, request: HttpRequest, obj: OpenRegistration, form: Any, change: bool) -> None:
        row = registration_actions.enable_open_registration(
            consumer=obj.consumer,
            actor=Actor.of(request),
            grant_types=obj.grant_types,
            scopes=obj.scopes,
            client_lifetime_days=obj.client_lifetime_days,
            idle_days=obj.idle_days,
            max_clients=obj.max_clients,
        )
        obj.pk = row.pk

    def delete_model(self, request: HttpRequest, obj: OpenRegistration) -> None:
        registration_actions.disable_open_registration(actor=Actor.of(request))


class MetadataSourceForm(forms.ModelForm):  # type: ignore[type-arg]
    def _post_clean(self) -> None:
        """Add the action's refusal to its field, so that the form shows it."""
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            try:
                registration_actions.check_metadata_source(self.instance)
            except Refusal as refusal:
                add_refusal(self, refusal)

    def validate_constraints(self) -> None:
        """Do nothing: the action refuses the same, with a better message."""


class SoftwareIssuerForm(MetadataSourceForm):
    jwks = JSONField(
        label="Keys", required=False, widget=forms.Textarea(attrs={"rows": 6}), help_text="The public keys themselves."
    )

    class Meta:
        model = SoftwareIssuer
        fields = ["issuer", "jwks_uri", "jwks", "required"]
        labels = {"jwks_uri": "JWKS URL"}  # as Django reads it

    def clean_jwks(self) -> dict[str, Any] | None:
        return self.cleaned_data["jwks"] or None


class MetadataSourceAdmin(AuditedAdmin):
    """Base class of the metadata sources."""

    form = MetadataSourceForm

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        registration_actions.save_metadata_source(source=obj, actor=Actor.of(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        registration_actions.delete_metadata_source(source=obj, actor=Actor.of(request))


@admin.register(DocumentHost)
class DocumentHostAdmin(MetadataSourceAdmin):
    intro = "Apps whose client metadata document is on one of these hosts are clients without registration."
    empty = "No host is trusted yet. Add one whose apps may use the URL of their metadata document as client ID."
    list_display = ("host", "consumer", "client_lifetime_days")
    fields = ("host", "consumer", "grant_types", "scopes", "client_lifetime_days")


@admin.register(SoftwareIssuer)
class SoftwareIssuerAdmin(MetadataSourceAdmin):
    form = SoftwareIssuerForm
    intro = "Issuers of the software statements that programs send when they register (RFC 7591)."
    empty = "No issuer is trusted yet. Add one to accept its software statements."
    list_display = ("issuer", "required")
    fields = ("issuer", "jwks_uri", "jwks", "required")
