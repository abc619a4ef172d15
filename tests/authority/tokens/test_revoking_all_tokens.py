"""All tokens of a client, or of all clients of a consumer, end at once, to the millisecond."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from authority.tokens import access_tokens
from clients.actions import clients as client_actions
from clients.events import ClientEvent
from consumers.actions import consumers as consumer_actions
from consumers.audit import SYSTEM
from consumers.models import Event

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("strategy", ["jwt", "opaque"])
@pytest.mark.parametrize("whose", ["client", "consumer"])
def test_tokens_of_before_end_and_those_of_the_same_second_live(program, stranger, time_machine, strategy, whose):
    program.client.access_token_strategy = strategy
    program.client.save()
    second = timezone.now().replace(microsecond=0)
    time_machine.move_to(second + timedelta(milliseconds=100), tick=False)
    before = program.token().json()["access_token"]
    time_machine.move_to(second + timedelta(milliseconds=500), tick=False)
    if whose == "client":
        client_actions.revoke_tokens(client=program.client, actor=SYSTEM)
    else:
        consumer_actions.revoke_tokens(consumer=program.client.consumer, actor=SYSTEM)
    time_machine.move_to(second + timedelta(milliseconds=501), tick=False)
    after = program.token().json()["access_token"]
    assert program.introspect(before) == {"active": False}
    assert program.introspect(after)["active"]
    assert program.introspect(after)["iat"] == int(second.timestamp())


def test_jti_has_the_millisecond_and_is_random_otherwise():
    first, second = (access_tokens.new_jti(1_800_000_000_123_456_789) for _ in range(2))
    assert first != second
    for jti in (first, second):
        assert (jti[12], jti[16] in "89ab", len(jti)) == ("7", True, 32)
        told = access_tokens.issued_at({"jti": jti, "iat": 0})
        assert round(told.timestamp() * 1000) == 1_800_000_000_123


def test_token_whose_jti_has_no_time_counts_from_its_second():
    assert access_tokens.issued_at({"jti": "0" * 12 + "4" + "0" * 19, "iat": 1000}).timestamp() == 1000


def test_manager_revokes_them_on_a_page_that_says_what_happens(browser_of, alice, bob, program):
    address = reverse("clients:revoke-tokens", args=["acme", program.client.client_id])
    token = program.token().json()["access_token"]
    assert browser_of(bob).post(address).status_code == 403
    browser = browser_of(alice)
    assert "Revoke all tokens of Billing sync?" in browser.get(address).content.decode()
    assert program.introspect(token)["active"]
    assert browser.post(address).status_code == 302
    assert not program.introspect(token)["active"]
    event = Event.objects.get(name=ClientEvent.CLIENT_TOKENS_REVOKED)
    assert (event.actor_label, event.target_label) == ("Alice Martin", "Billing sync")


@pytest.mark.parametrize("what", ["client", "consumer"])
def test_operator_revokes_them(browser_of, olga, program, what):
    thing = program.client if what == "client" else program.client.consumer
    app = "clients_client" if what == "client" else "consumers_consumer"
    address = reverse(f"admin:{app}_action", args=[thing.pk, "revoke-tokens"])
    token = program.token().json()["access_token"]
    browser = browser_of(olga)
    assert "APIs that only check signatures" in browser.get(address).content.decode()
    assert browser.post(address).status_code == 302
    assert not program.introspect(token)["active"]
