"""What operators see of the token authority."""

import base64

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_grant_model, get_id_token_model, get_refresh_token_model

from authority.keys import rotation, signing_keys
from authority.models import SigningKey
from consumers.models import Event

pytestmark = pytest.mark.django_db


def test_keys_are_listed_and_what_is_encrypted_is_not_shown(browser_of, olga):
    signing_keys.signer("ES256", seconds=3600)
    key = SigningKey.objects.get()
    browser = browser_of(olga)
    for address in (
        reverse("admin:authority_signingkey_changelist"),
        reverse("admin:authority_signingkey_change", args=[key.pk]),
    ):
        page = browser.get(address)
        assert page.status_code == 200
        assert key.kid in page.content.decode()
        for encrypted in (
            bytes(key.encrypted_private_key).decode(),
            base64.b64encode(bytes(key.encrypted_private_key)).decode(),
        ):
            assert encrypted not in page.content.decode()


def test_keys_cannot_be_added_or_deleted_by_hand(browser_of, olga):
    signing_keys.signer("ES256", seconds=3600)
    key = SigningKey.objects.get()
    browser = browser_of(olga)
    assert browser.post("/operators/authority/signingkey/add/", {"kid": "x"}).status_code == 403
    assert browser.post(reverse("admin:authority_signingkey_delete", args=[key.pk]), {"post": "yes"}).status_code == 403
    browser.post(reverse("admin:authority_signingkey_change", args=[key.pk]), {"state": "revoked", "kid": "x"})
    key.refresh_from_db()
    assert (key.state, SigningKey.objects.count()) == ("active", 1)


def test_tokens_and_codes_have_no_pages():
    for model in (
        get_access_token_model(),
        get_refresh_token_model(),
        get_grant_model(),
        get_id_token_model(),
    ):
        assert not admin.site.is_registered(model)


def test_operators_rotate_and_revoke_after_reading_what_happens(browser_of, olga):
    rotation.maintain()
    active = SigningKey.objects.get(algorithm="ES256", state="active")
    following = SigningKey.objects.get(algorithm="ES256", state="next")
    browser = browser_of(olga)

    def deed(key, name):
        return reverse("admin:authority_signingkey_action", args=[key.pk, name])

    assert "Caches may not know the next key yet" in browser.get(deed(active, "rotate")).content.decode()
    refused = browser.post(deed(active, "rotate"), follow=True)
    assert "Rotate after " in refused.content.decode()
    SigningKey.objects.update(created_at=timezone.now() - rotation.PUBLISHED_AHEAD)
    assert "Caches may not know" not in browser.get(deed(active, "rotate")).content.decode()
    assert "is retired. The next key signs now." in browser.post(deed(active, "rotate"), follow=True).content.decode()
    following.refresh_from_db()
    assert following.state == "active"
    assert "The next key signs from then on." in browser.get(deed(following, "revoke")).content.decode()
    browser.post(deed(following, "revoke"))
    following.refresh_from_db()
    assert following.state == "revoked"
    page = browser.get(reverse("admin:authority_signingkey_change", args=[following.pk])).content.decode()
    assert "Rotate this key" not in page
    assert "Revoke this key" not in page
    assert Event.objects.get(name="key.revoked").actor_label == olga.name
