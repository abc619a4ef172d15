"""The admin of trusted issuers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clients.actions import trust as trust_actions
from clients.federation.platforms import PLATFORMS, PlatformName
from clients.models import TrustedIssuer
from clients.policy.federation import trusted_issuer
from consumers.admin.base import AdminAction, AuditedAdmin
from consumers.audit import Actor
from consumers.forms import add_refusal
from core.admin import admin_link, badge, pluralize
from core.errors import Refusal
from core.fields import JSONField

PUBLIC_PLATFORMS = ("github", "gitlab", "gcp", "aws", "azure")  # platforms with a well-known issuer
IMMUTABLE = (
    "Issuer and platform cannot be changed, because rules depend on them. Disabling refuses all its tokens immediately."
)


class IssuerForm(forms.ModelForm):  # type: ignore[type-arg]
    jwks = JSONField(
        label="Keys",
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=TrustedIssuer._meta.get_field("jwks").help_text,
    )

    class Meta:
        model = TrustedIssuer
        fields = ["name", "platform", "issuer", "jwks_uri", "jwks", "consumer"]

    def clean_jwks(self) -> dict[str, Any] | None:
        return self.cleaned_data["jwks"] or None

    def clean(self) -> dict[str, Any]:
        """Add the policy's refusals to their fields."""
        cleaned = super().clean() or {}
        if not self.errors:
            issuer = TrustedIssuer(**{"platform": self.instance.platform, "issuer": self.instance.issuer} | cleaned)
            try:
                trusted_issuer(issuer)
            except Refusal as refusal:
                add_refusal(self, refusal)
        return cleaned


def _disable_effects(issuer: TrustedIssuer) -> list[str]:
    return [
        "Clients that authenticate with its tokens get no access tokens, from their next request on.",
        f"It has {pluralize(issuer.rules.count(), 'rule', 'rules')}, which stay and work again when it is enabled.",
    ]


def _well_known() -> str:
    """Return the issuers of the public platforms; zeros stand for the ID of an account or tenant."""
    known = "; ".join(f"{PlatformName(name).label}: {PLATFORMS[name].issuer}" for name in PUBLIC_PLATFORMS)
    return f"{known}. Put your own account’s or tenant’s ID instead of the zeros."


@admin.register(TrustedIssuer)
class TrustedIssuerAdmin(AuditedAdmin):
    form = IssuerForm
    intro = (
        "Platforms that issue tokens to the workloads that run there. Managers can let their clients authenticate with "
        "these tokens."
    )
    empty = "No issuer is trusted yet. Add GitHub Actions, GitLab, a cloud or a cluster that your consumers run on."
    list_display = ["name", "platform", "issuer_code", "available_to", "rule_count", "state_badge"]
    search_fields = ["name", "issuer"]
    search_help_text = "By name or issuer."
    object_actions = {
        "disable": AdminAction(
            label="Disable {}",
            run=lambda issuer, actor: trust_actions.disable_issuer(issuer=issuer, actor=actor),
            success="{} is disabled.",
            effects=_disable_effects,
            is_available=lambda issuer: issuer.disabled_at is None,
        ),
        "enable": AdminAction(
            label="Enable {}",
            run=lambda issuer, actor: trust_actions.enable_issuer(issuer=issuer, actor=actor),
            success="{} is enabled.",
            is_available=lambda issuer: issuer.disabled_at is not None,
        ),
    }

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("consumer").annotate(rules_in_all=Count("rules"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [
            ("Issuer", {"fields": ["name", "platform", "issuer"], "description": IMMUTABLE if obj else _well_known()}),
            ("Its keys", {"fields": ["jwks_uri", "jwks"]}),
            ("Access", {"fields": ["consumer"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["platform", "issuer"] if obj else []

    def save_model(self, request: HttpRequest, obj: TrustedIssuer, form: Any, change: bool) -> None:
        if change:
            trust_actions.update_issuer(issuer=obj, values=form.cleaned_data, actor=Actor.of(request))
        else:
            trust_actions.create_issuer(issuer=obj, actor=Actor.of(request))

    def delete_model(self, request: HttpRequest, obj: TrustedIssuer) -> None:
        trust_actions.delete_issuer(issuer=obj, actor=Actor.of(request))

    def deletion_effects(self, obj: TrustedIssuer) -> list[str]:
        if obj.rules.exists():
            return ["Clients have rules for it, so it cannot be deleted. Disable it instead, which stops them all."]
        return [f"Managers can no longer create rules for {obj}. No client uses it now."]

    @admin.display(description="Issuer", ordering="issuer")
    def issuer_code(self, issuer: TrustedIssuer) -> SafeString:
        return format_html("<code>{}</code>", issuer.issuer)

    @admin.display(description="For", ordering="consumer__name")
    def available_to(self, issuer: TrustedIssuer) -> str:
        return admin_link(issuer.consumer) if issuer.consumer else "Every consumer"

    @admin.display(description="Rules", ordering="rules_in_all")
    def rule_count(self, issuer: Any) -> int:
        return int(issuer.rules_in_all)

    @admin.display(description="State", ordering="disabled_at")
    def state_badge(self, issuer: TrustedIssuer) -> SafeString:
        return badge("Disabled", "bad") if issuer.disabled_at else badge("Active", "good")
