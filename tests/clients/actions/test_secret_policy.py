"""The secret policy of a consumer: new and live ones, and warnings before they expire."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from clients.actions import clients as client_actions
from clients.actions import secrets as secret_actions
from clients.actions.secret_policy import NOTICE_PERIOD, set_secret_policy, warn_of_expiring_secrets
from clients.actions.secrets import End
from clients.errors import InvalidClientMetadata
from clients.metadata import TEMPLATES, ClientMetadata
from clients.models import Client, ClientSecret
from clients.policy import portal_policy
from consumers.models import Event
from core.errors import Refusal
from tests.authority.conftest import Program
from tests.factories import ClientFactory, ConsumerFactory, actor_for, give_secret
from tests.forms import save

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def rule(acme, olga):
    def rule(allowed=True, days=None):
        set_secret_policy(consumer=acme, allowed=allowed, days=days, actor=actor_for(olga))
        acme.refresh_from_db()

    return rule


def about(moment):
    return pytest.approx(moment.timestamp(), abs=60)


@pytest.fixture
def subjects(mailoutbox):
    return lambda: [mail.subject for mail in mailoutbox]


# -- New secrets ------------------------------------------------------------------------------------------------------


def test_new_secrets_end_in_time(rule, service, alice):
    rule(days=90)
    made, _ = secret_actions.create_secret(client=service, name="", actor=actor_for(alice))
    assert made.expires_at.timestamp() == about(timezone.now() + 90 * DAY)
    wanted = timezone.now() + 400 * DAY
    late, _ = secret_actions.create_secret(client=service, name="", actor=actor_for(alice), expires_at=wanted)
    assert late.expires_at.timestamp() == about(timezone.now() + 90 * DAY)
    soon, _ = secret_actions.create_secret(
        client=service, name="", actor=actor_for(alice), expires_at=timezone.now() + DAY
    )
    assert soon.expires_at.timestamp() == about(timezone.now() + DAY)
    new, _ = secret_actions.rotate_secret(secret=made, end=End(), actor=actor_for(alice))
    assert new.expires_at.timestamp() == about(timezone.now() + 90 * DAY)


def test_no_action_creates_a_secret_where_none_is_allowed(rule, service, acme, alice):
    old, _ = give_secret(service)
    rule(allowed=False)
    deeds = [
        lambda: secret_actions.create_secret(client=service, name="", actor=actor_for(alice)),
        lambda: secret_actions.rotate_secret(secret=old, end=End(), actor=actor_for(alice)),
        lambda: secret_actions.rotate_client(client=service, actor=actor_for(alice)),
        lambda: client_actions.register_client(
            consumer=acme,
            metadata=TEMPLATES["service"].replace(client_name="New", scope=("shipments:read",)),
            policy=lambda *_: None,
            actor=actor_for(alice),
        ),
    ]
    for deed in deeds:
        with pytest.raises(InvalidClientMetadata, match="may not use client secrets"):
            deed()
    assert ClientSecret.objects.get() == old
    assert Client.objects.get() == service


def test_policy_refuses_new_clients_with_secrets_and_leaves_old_ones_alone(rule, service, acme):
    rule(allowed=False)
    new = TEMPLATES["service"].replace(client_name="New", scope=("shipments:read",))
    with pytest.raises(InvalidClientMetadata) as caught:
        portal_policy(new, acme)
    assert caught.value.field == "token_endpoint_auth_method"
    portal_policy(ClientMetadata.of(service).replace(description="Renamed"), acme, service)
    app = TEMPLATES["public"].replace(
        client_name="App", redirect_uris=("https://app.example.com/back",), scope=("openid",)
    )
    portal_policy(app, acme)


def test_page_says_that_no_secrets_are_allowed(rule, service, alice, browser_of):
    rule(allowed=False)
    form = {"template": "service", "client_name": "New", "scope": "shipments:read"}
    form["proof"] = "client_secret_basic"
    page = browser_of(alice).post(reverse("clients:create", args=["acme"]), form)
    assert page.status_code == 422
    assert "the operator allows none" in page.text
    assert (
        "does not allow new secrets"
        in browser_of(alice).get(reverse("clients:secrets", args=["acme", service.client_id])).text
    )


def test_form_offers_ends_within_the_limit(rule, service, alice, browser_of):
    rule(days=45)
    page = browser_of(alice).get(reverse("clients:create-secret", args=["acme", service.client_id])).text
    assert "In 45 days, the longest that is allowed" in page
    assert "In 30 days" in page
    assert "In 90 days" not in page
    assert "Never" not in page


# -- Secrets that work already ----------------------------------------------------------------------------------------


def test_working_secrets_get_an_end_and_notice(rule, service, alice, subjects):
    fresh, _ = give_secret(service)
    ancient, text = give_secret(service, created_at=timezone.now() - 400 * DAY)
    ending, _ = give_secret(service, expires_at=timezone.now() + 3 * DAY)
    rule(days=90)
    for secret in (fresh, ancient, ending):
        secret.refresh_from_db()
    assert fresh.expires_at.timestamp() == about(timezone.now() + 90 * DAY)
    assert ancient.expires_at.timestamp() == about(timezone.now() + NOTICE_PERIOD)
    assert ending.expires_at.timestamp() == about(timezone.now() + 3 * DAY)
    assert subjects() == ["Secrets of Acme Logistics now expire"]
    assert Event.objects.get(name="consumer.secret_policy.changed").detail == {
        "allowed": True,
        "days": 90,
        "shortened": 2,
    }
    assert Program(service, text).token().status_code == 200
    ancient.expires_at = timezone.now() - DAY
    ancient.save()
    assert Program(service, text).token().status_code == 401


def test_forbidding_ends_working_secrets_after_notice(rule, service, alice, bob, mailoutbox):
    secret, _ = give_secret(service)
    rule(allowed=False)
    secret.refresh_from_db()
    assert secret.expires_at.timestamp() == about(timezone.now() + NOTICE_PERIOD)
    assert [mail.to for mail in mailoutbox] == [["alice@acme.example"]]
    assert "may have no new secrets" in mailoutbox[0].body


def test_secrets_of_other_consumers_are_left_alone(rule, globex, mailoutbox):
    secret, _ = give_secret(ClientFactory(consumer=globex))
    rule(allowed=False, days=1)
    secret.refresh_from_db()
    assert secret.expires_at is None
    assert mailoutbox == []


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_limit_is_within_reason(rule, days):
    with pytest.raises(Refusal):
        rule(days=days)


def test_the_same_rule_again_changes_nothing(rule):
    rule(days=90)
    rule(days=90)
    assert Event.objects.filter(name="consumer.secret_policy.changed").count() == 1


def test_operator_sets_the_rule_on_the_consumer_s_page(acme, olga, browser_of):
    address = reverse("admin:consumers_consumer_change", args=[acme.pk])
    browser = browser_of(olga)
    form = browser.get(address).context["adminform"].form
    data = {name: form[name].value() for name in form.fields}
    data |= {"secret_days": "60", "emails": "", "metadata": "{}", "claims": "{}", "test_token_claims": ""}
    data = {name: value for name, value in data.items() if value not in (None, False)}
    del data["secrets_allowed"]
    answer = save(browser, address, data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    acme.refresh_from_db()
    assert (acme.secrets_allowed, acme.secret_days) == (False, 60)


@pytest.mark.django_db(transaction=True)
def test_no_secret_slips_past_a_rule_that_is_being_set():
    consumer = ConsumerFactory(name="Acme Logistics", slug="acme")
    clients = [ClientFactory(consumer=consumer, scopes=[]) for _ in range(4)]
    from consumers.audit import SYSTEM

    def make(client):
        for _ in range(3):
            try:
                secret_actions.create_secret(client=client, name="", actor=SYSTEM)
            except InvalidClientMetadata:
                break
        connection.close()

    def forbid():
        set_secret_policy(consumer=consumer, allowed=False, days=None, actor=SYSTEM)
        connection.close()

    threads = [threading.Thread(target=make, args=[client]) for client in clients] + [threading.Thread(target=forbid)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not ClientSecret.objects.filter(expires_at=None).exists()


# -- Warnings ---------------------------------------------------------------------------------------------------------


def test_managers_are_warned_twice_and_once_each_time(service, alice, subjects):
    secret, _ = give_secret(service, expires_at=timezone.now() + 20 * DAY, created_at=timezone.now() - 30 * DAY)
    warn_of_expiring_secrets()
    assert subjects() == []
    secret.expires_at = timezone.now() + 13 * DAY
    secret.save()
    for _ in range(3):
        warn_of_expiring_secrets()
    assert len(subjects()) == 1
    assert subjects()[0].startswith("A secret of Billing sync expires on")
    ClientSecret.objects.update(expires_at=timezone.now() + DAY, warned_at=timezone.now() - 12 * DAY)
    for _ in range(3):
        warn_of_expiring_secrets()
    assert len(subjects()) == 2


def test_one_mail_tells_of_all_of_a_client_s_secrets(service, alice, subjects):
    for days in (3, 5):
        give_secret(service, expires_at=timezone.now() + days * DAY, created_at=timezone.now() - 30 * DAY)
    warn_of_expiring_secrets()
    assert len(subjects()) == 1


def test_nobody_is_warned_of_what_they_know(service, alice, globex, mallory, subjects):
    soon = timezone.now() + 3 * DAY
    old = timezone.now() - 30 * DAY
    give_secret(service, expires_at=soon)  # made just now
    give_secret(service, expires_at=soon, created_at=old, rotated_at=timezone.now())
    give_secret(service, expires_at=timezone.now() - DAY, created_at=old)
    give_secret(service, created_at=old)
    disabled = ClientFactory(consumer=globex, disabled_at=timezone.now())
    give_secret(disabled, expires_at=soon, created_at=old)
    warn_of_expiring_secrets()
    assert subjects() == []
