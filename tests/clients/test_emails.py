"""Mails to managers about their clients."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from clients.actions import clients as client_actions
from clients.actions import secrets as secret_actions
from clients.actions.secrets import End
from tests.factories import actor_for, give_secret

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (End(at=timezone.now() + timedelta(days=400)), "The old secret works until "),
        (End(after_first_use=True), "a day after the new one is first used"),
        (End(at=timezone.now()), "stopped working immediately"),
        (End(), "valid until it is revoked"),
    ],
)
def test_rotation_tells_every_manager_when_the_old_secret_ends(service, alice, bob, end, said):
    old, text = give_secret(service)
    made, new_text = secret_actions.rotate_secret(secret=old, end=end, actor=actor_for(alice))
    (message,) = mail.outbox  # Bob only views
    assert message.to == [alice.email]
    assert message.subject == "Alice Martin rotated the secret of Billing sync"
    html = message.alternatives[0].content
    for part in (message.body, html):
        assert said in part
        assert f"••••{made.hint}" in part
        assert text not in part
        assert new_text not in part


def test_disabling_tells_how_long_tokens_live_on(service, alice, olga, settings):
    service.granted_scopes().first().api.__class__.objects.update(access_token_lifetime=130)
    client_actions.disable_client(client=service, actor=actor_for(olga))
    (message,) = mail.outbox
    assert "Olga Weber, an operator of Clientdesk, disabled Billing sync" in message.body
    assert "within 3 minutes" in message.body
    assert message.alternatives


def test_people_who_were_deactivated_get_no_mail(service, alice, olga):
    alice.is_active = False
    alice.save()
    client_actions.disable_client(client=service, actor=actor_for(olga))
    assert mail.outbox == []
