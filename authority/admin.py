"""Signing keys as operators see them: which, since when, until when, never what is encrypted in them; and their end.

The toolkit's own pages about tokens are not on the operators' site, which takes pages of our rooms alone.
"""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from authority.keys import rotation, signing_keys
from authority.models import Challenge, Consent, LoginSession, SigningKey
from consumers.admin.base import AdminAction, ReadOnlyAdmin
from consumers.admin.people import GroupAdmin
from core.admin import badge, code_list, datetime_column
from core.timefmt import date_time

# Of the provider's own login, which is answered by the management API alone.
GroupAdmin.without_page += [
    (Challenge, "view"),
    (Challenge, "change"),
    (Consent, "view"),
    (Consent, "delete"),
    (LoginSession, "delete"),
]
PUBLISHED: dict[str, str] = {
    SigningKey.State.NEXT: "Already in the published keys",
    SigningKey.State.ACTIVE: "While it signs, and until its last token expires",
    SigningKey.State.REVOKED: "No longer in the published keys",
}
TONES: dict[str, str] = {SigningKey.State.ACTIVE: "good", SigningKey.State.REVOKED: "bad"}


def _rotation_effects(key: SigningKey) -> list[str]:
    following = rotation.next_key(key.purpose, key.algorithm)
    end = date_time(signing_keys.publish_until(key.longest_lifetime))
    effects = [
        "The next key signs all new tokens from now on.",
        f"Tokens signed by this key stay valid. It is published until the last of them has expired: {end}.",
        "Its private key is deleted, and a new next key is created and published.",
    ]
    if following is None or rotation.ready_at(following) > timezone.now():
        ready = timezone.now() + rotation.PUBLISHED_AHEAD if following is None else rotation.ready_at(following)
        effects.insert(0, f"Caches may not know the next key yet, so this will be refused until {date_time(ready)}.")
    return effects


def _revocation_effects(key: SigningKey) -> list[str]:
    delay = int((signing_keys.JWKS_MAX_AGE + signing_keys.JWKS_STALE).total_seconds() // 60)
    effects = [
        "The key is removed from the published keys immediately and cannot be restored.",
        "Every token that it signed is refused here from now on: by introspection, at userinfo, and as a hint.",
        (
            f"APIs that validate signatures on their own notice within {delay} minutes, plus the time for which they "
            f"cache keys."
        ),
    ]
    if key.state == SigningKey.State.ACTIVE:
        effects.insert(1, "The next key signs from then on.")
    return effects


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    intro = (
        "Programs verify tokens with the public keys. The active key signs; the next one is published in advance and "
        "takes over automatically, and a retired one is published until its last token has expired."
    )
    list_display = [
        "alg",
        "condition",
        "shown_kid",
        datetime_column("activated_at", "Signs since", "Not yet"),
        datetime_column("serve_until", "Published until", "–"),
    ]
    list_filter = ["state", "algorithm", "purpose"]
    object_actions = {
        "rotate": AdminAction(
            label="Rotate this key",
            run=lambda key, actor: rotation.rotate(key, actor=actor),
            success="{} is retired. The next key signs now.",
            effects=_rotation_effects,
            is_available=lambda key: key.state == SigningKey.State.ACTIVE,
            is_safe=True,
        ),
        "revoke": AdminAction(
            label="Revoke this key",
            run=lambda key, actor: rotation.revoke(key, actor=actor),
            success="{} is revoked. No token that it signed is accepted here.",
            effects=_revocation_effects,
            is_available=lambda key: key.state != SigningKey.State.REVOKED,
        ),
    }
    search_fields = ["=kid"]
    search_help_text = "By full key ID, as a token's header names it."
    fieldsets = [
        ("Key", {"fields": ["shown_kid", "purpose", "algorithm", "condition"], "classes": ["facts"]}),
        ("Lifecycle", {"fields": ["made", "activated", "retired", "served", "revoked"], "classes": ["facts"]}),
        ("Published", {"fields": ["public"], "classes": ["facts"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SigningKey]:
        return super().get_queryset(request).defer("encrypted_private_key")

    @admin.display(description="Key ID", ordering="kid")
    def shown_kid(self, key: SigningKey) -> SafeString:
        return format_html("<code>{}</code>", key.kid)

    @admin.display(description="Algorithm", ordering="algorithm")
    def alg(self, key: SigningKey) -> str:
        return key.algorithm

    @admin.display(description="State", ordering="state")
    def condition(self, key: SigningKey) -> SafeString:
        return badge(key.get_state_display(), TONES.get(key.state, ""))

    @admin.display(description="Created")
    def made(self, key: SigningKey) -> str:
        return datetime_column("created_at", "")(key)

    @admin.display(description="Signs since")
    def activated(self, key: SigningKey) -> str:
        return datetime_column("activated_at", "", "Not yet")(key)

    @admin.display(description="Retired")
    def retired(self, key: SigningKey) -> str:
        return datetime_column("retired_at", "", "No")(key)

    @admin.display(description="Published until")
    def served(self, key: SigningKey) -> str:
        return datetime_column("serve_until", "", PUBLISHED.get(key.state, "–"))(key)

    @admin.display(description="Revoked")
    def revoked(self, key: SigningKey) -> str:
        return datetime_column("revoked_at", "", "No")(key)

    @admin.display(description="Public key")
    def public(self, key: SigningKey) -> str:
        return code_list(f"{name}: {value}" for name, value in sorted(key.public_jwk.items()))
