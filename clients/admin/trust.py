"""Issuers whose tokens clients may prove themselves with: operators allow them, managers make rules for them."""

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
from clients.policy.federation import issuer as may_be_trusted
from consumers.admin.base import Deed, Desk
from consumers.audit import Actor
from consumers.forms import explain
from core.admin import badge, page_of, several
from core.errors import Refusal
from core.fields import JSONField

PUBLIC = ("github", "gitlab", "gcp", "aws", "azure")  # platforms whose issuer everybody knows
KEPT = "Issuer and platform stay as they are, because rules were made for them. Disabling stops every token at once."


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
        """Put the policy's words at the field that they are about, while everything else may still be corrected."""
        cleaned = super().clean() or {}
        if not self.errors:
            wanted = TrustedIssuer(**{"platform": self.instance.platform, "issuer": self.instance.issuer} | cleaned)
            try:
                may_be_trusted(wanted)
            except Refusal as refusal:
                explain(self, refusal)
        return cleaned


def _stopping(issuer: TrustedIssuer) -> list[str]:
    return [
        "Clients that prove themselves with its tokens get none any more, from their next request on.",
        f"It has {several(issuer.rules.count(), 'rule', 'rules')}, which stay and work again when it is enabled.",
    ]


def _well_known() -> str:
    """Say which issuer the public platforms have; where it has zeros, each account or tenant has its own."""
    known = "; ".join(f"{PlatformName(name).label}: {PLATFORMS[name].issuer}" for name in PUBLIC)
    return f"{known}. Put your own account’s or tenant’s ID in the place of zeros."


@admin.register(TrustedIssuer)
class TrustedIssuerAdmin(Desk):
    form = IssuerForm
    lede = "Platforms that say who runs there. Managers can let their clients prove themselves with these tokens."
    empty = "No issuer is trusted yet. Add GitHub Actions, GitLab, a cloud or a cluster that your consumers run on."
    list_display = ["name", "platform", "address", "whose", "rule_count", "condition"]
    search_fields = ["name", "issuer"]
    search_help_text = "By name or issuer."
    deeds = {
        "disable": Deed(
            label="Disable {}",
            act=lambda issuer, actor: trust_actions.disable_issuer(issuer=issuer, actor=actor),
            done="{} is disabled.",
            effects=_stopping,
            when=lambda issuer: issuer.disabled_at is None,
        ),
        "enable": Deed(
            label="Enable {}",
            act=lambda issuer, actor: trust_actions.enable_issuer(issuer=issuer, actor=actor),
            done="{} is enabled.",
            when=lambda issuer: issuer.disabled_at is not None,
        ),
    }

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("consumer").annotate(rules_in_all=Count("rules"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [
            ("Issuer", {"fields": ["name", "platform", "issuer"], "description": KEPT if obj else _well_known()}),
            ("Its keys", {"fields": ["jwks_uri", "jwks"]}),
            ("Who may use it", {"fields": ["consumer"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["platform", "issuer"] if obj else []

    def save_model(self, request: HttpRequest, obj: TrustedIssuer, form: Any, change: bool) -> None:
        if change:
            trust_actions.update_issuer(issuer=obj, changed=form.changed_data, actor=Actor.of(request))
        else:
            trust_actions.allow_issuer(issuer=obj, actor=Actor.of(request))

    def delete_model(self, request: HttpRequest, obj: TrustedIssuer) -> None:
        trust_actions.remove_issuer(issuer=obj, actor=Actor.of(request))

    def losses(self, thing: TrustedIssuer) -> list[str]:
        if thing.rules.exists():
            return ["Clients have rules for it, so it cannot be removed. Disable it instead, which stops them all."]
        return [f"Managers can make no rules for {thing} any more. No client uses it now."]

    @admin.display(description="Issuer", ordering="issuer")
    def address(self, issuer: TrustedIssuer) -> SafeString:
        return format_html("<code>{}</code>", issuer.issuer)

    @admin.display(description="For", ordering="consumer__name")
    def whose(self, issuer: TrustedIssuer) -> str:
        return page_of(issuer.consumer) if issuer.consumer else "Every consumer"

    @admin.display(description="Rules", ordering="rules_in_all")
    def rule_count(self, issuer: Any) -> int:
        return int(issuer.rules_in_all)

    @admin.display(description="State", ordering="disabled_at")
    def condition(self, issuer: TrustedIssuer) -> SafeString:
        return badge("Disabled", "bad") if issuer.disabled_at else badge("Allowed", "good")
