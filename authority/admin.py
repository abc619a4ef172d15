"""Signing keys as operators see them: which, since when, until when, never what is sealed in them; and their end.

The toolkit's own pages about tokens are not on the operators' site, which takes pages of our rooms alone.
"""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from authority.keys import rotation, signing_keys
from authority.models import SigningKey
from consumers.activity.timeline import when
from consumers.admin.base import Deed, ReadOnlyDesk
from core.admin import badge, listing, moment

PUBLISHED: dict[str, str] = {
    SigningKey.State.NEXT: "It is on the list already",
    SigningKey.State.ACTIVE: "As long as it signs, and its tokens live",
    SigningKey.State.REVOKED: "It is on the list no more",
}
TONES: dict[str, str] = {SigningKey.State.ACTIVE: "good", SigningKey.State.REVOKED: "bad"}


def _rotation_effects(key: SigningKey) -> list[str]:
    following = rotation.next_after(key.purpose, key.algorithm)
    end = when(signing_keys.needed_until(key.longest_lifetime))
    effects = [
        "The next key signs every new token from now on.",
        f"Tokens that this key has signed go on working. It is published until the last of them has ended: {end}.",
        "Its private half is deleted, and a new next key is made and published.",
    ]
    if following is None or rotation.ready_at(following) > timezone.now():
        ready = timezone.now() + rotation.PUBLISHED_AHEAD if following is None else rotation.ready_at(following)
        effects.insert(0, f"Caches may not know the next key yet, so this will be refused until {when(ready)}.")
    return effects


def _revocation_effects(key: SigningKey) -> list[str]:
    delay = int((signing_keys.JWKS_MAX_AGE + signing_keys.JWKS_STALE).total_seconds() // 60)
    effects = [
        "The key leaves the published keys at once and cannot come back.",
        "Every token that it signed is refused here from now on: by introspection, at userinfo, and as a hint.",
        f"APIs that check signatures by themselves notice within {delay} minutes, plus what they keep keys for.",
    ]
    if key.state == SigningKey.State.ACTIVE:
        effects.insert(1, "The next key signs from the same moment. Programs get new tokens from it.")
    return effects


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyDesk):
    lede = (
        "Programs verify tokens with the public halves. The active key signs; the next one is published ahead and "
        "takes over by itself, and a retired one stays until its last token has ended."
    )
    list_display = [
        "alg",
        "condition",
        "shown_kid",
        moment("activated_at", "Signs since", "Not yet"),
        moment("serve_until", "Published until", "–"),
    ]
    list_filter = ["state", "algorithm", "purpose"]
    deeds = {
        "rotate": Deed(
            label="Rotate this key",
            act=lambda key, actor: rotation.rotate(key, actor=actor),
            done="{} is retired. The next key signs now.",
            effects=_rotation_effects,
            when=lambda key: key.state == SigningKey.State.ACTIVE,
            is_safe=True,
        ),
        "revoke": Deed(
            label="Revoke this key",
            act=lambda key, actor: rotation.revoke(key, actor=actor),
            done="{} is revoked. No token that it signed is accepted here.",
            effects=_revocation_effects,
            when=lambda key: key.state != SigningKey.State.REVOKED,
        ),
    }
    search_fields = ["=kid"]
    search_help_text = "By full key ID, as a token's header names it."
    fieldsets = [
        ("Key", {"fields": ["shown_kid", "purpose", "algorithm", "condition"], "classes": ["facts"]}),
        ("Life", {"fields": ["made", "activated", "retired", "served", "revoked"], "classes": ["facts"]}),
        ("Published", {"fields": ["public"], "classes": ["facts"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[SigningKey]:
        return super().get_queryset(request).defer("sealed")

    @admin.display(description="Key ID", ordering="kid")
    def shown_kid(self, key: SigningKey) -> SafeString:
        return format_html("<code>{}</code>", key.kid)

    @admin.display(description="Algorithm", ordering="algorithm")
    def alg(self, key: SigningKey) -> str:
        return key.algorithm

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
        return moment("serve_until", "", PUBLISHED.get(key.state, "–"))(key)

    @admin.display(description="Revoked")
    def revoked(self, key: SigningKey) -> str:
        return moment("revoked_at", "", "No")(key)

    @admin.display(description="Public key")
    def public(self, key: SigningKey) -> str:
        return listing(f"{name}: {value}" for name, value in sorted(key.public_jwk.items()))
