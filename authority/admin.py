"""Signing keys as operators see them: which, since when, until when; never what is sealed in them.

The toolkit's own pages about tokens are not on the operators' site, which takes pages of our rooms alone.
"""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from authority.models import SigningKey
from consumers.desk import ReadOnlyDesk, badge, listing, moment

TONES: dict[str, str] = {SigningKey.State.ACTIVE: "good", SigningKey.State.REVOKED: "bad"}


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyDesk):
    lede = "Keys are made when an algorithm is first needed. Programs verify tokens with the public halves."
    list_display = [
        "algorithm",
        "condition",
        moment("created_at", "Made"),
        moment("retired_at", "Retired"),
        "shown_kid",
    ]
    list_filter = ["state", "algorithm"]
    search_fields = ["=kid"]
    search_help_text = "By full key ID, as a token's header names it."
    fieldsets = [
        ("Key", {"fields": ["shown_kid", "algorithm", "condition"], "classes": ["facts"]}),
        ("Life", {"fields": ["made", "activated", "retired", "served"], "classes": ["facts"]}),
        ("Published", {"fields": ["public"], "classes": ["facts"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SigningKey]:
        return super().get_queryset(request).defer("sealed")

    @admin.display(description="Key ID", ordering="kid")
    def shown_kid(self, key: SigningKey) -> SafeString:
        return format_html("<code>{}</code>", key.kid)

    @admin.display(description="State", ordering="state")
    def condition(self, key: SigningKey) -> SafeString:
        return badge(key.get_state_display(), TONES.get(key.state, ""))

    @admin.display(description="Made")
    def made(self, key: SigningKey) -> str:
        return moment("created_at", "")(key)

    @admin.display(description="Signs since")
    def activated(self, key: SigningKey) -> str:
        return moment("activated_at", "", "Not yet")(key)

    @admin.display(description="Retired")
    def retired(self, key: SigningKey) -> str:
        return moment("retired_at", "", "No")(key)

    @admin.display(description="Published until")
    def served(self, key: SigningKey) -> str:
        return moment("serve_until", "", "Its last token has ended")(key)

    @admin.display(description="Public key")
    def public(self, key: SigningKey) -> str:
        return listing(f"{name}: {value}" for name, value in sorted(key.public_jwk.items()))
