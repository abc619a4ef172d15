"""Test it now: what one click with the secret on the screen shows, and that nothing keeps the secret."""

import re

import pytest

from authority.models import RevokedToken
from authority.telemetry import writer
from clients import secrets
from consumers.models import Event
from core.models import Submission
from tests.factories import give_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def press(browser_of, alice):
    def pressed(client, text, **headers):
        address = f"/consumers/acme/clients/{client.client_id}/try/"
        return browser_of(alice).post(address, {"secret": text}, headers=headers)

    return pressed


def test_a_real_token_is_shown_claim_by_claim_and_revoked(press, service, program):
    answer = press(service, program.secret, HX_Target="tried")
    assert re.search(r"It works: a token in \d+ ms", answer.text)
    assert "Read shipments" in answer.text
    assert "<html" not in answer.text
    parts = re.findall(r'-part">([\w-]+)<', answer.text)
    assert program.introspect(".".join(parts)) == {"active": False}
    assert RevokedToken.objects.count() == 1
    writer.flush()
    assert service.daily_counts.get().issued == 1


def test_without_a_script_the_page_comes_back_with_secret_and_result(press, service, program):
    answer = press(service, program.secret)
    assert program.secret in answer.text
    assert "It works: a token" in answer.text
    assert "no-store" in answer["Cache-Control"]


def test_the_secret_is_kept_nowhere(press, service, program, browser_of, alice, caplog):
    press(service, program.secret)
    everything = str(list(Event.objects.values())) + str(list(Submission.objects.values())) + caplog.text
    assert program.secret not in everything
    assert program.secret not in str(browser_of(alice).session.items())
    assert program.secret not in browser_of(alice).get(f"/consumers/acme/clients/{service.client_id}/secrets/").text


def test_client_of_the_other_method_is_tested_by_its_method(press, service, program):
    service.token_endpoint_auth_method = "client_secret_post"
    service.save()
    assert "It is valid" in press(service, program.secret).text


def test_opaque_token_is_shown_as_it_is(press, service, program):
    service.access_token_strategy = "opaque"
    service.save()
    answer = press(service, program.secret)
    assert "It works: a token" in answer.text
    assert "opaque token" in answer.text


def test_client_that_signs_people_in_learns_that_its_secret_works(press, web):
    answer = press(web.client, web.secret)
    assert "The secret works" in answer.text
    writer.flush()
    assert not web.client.problems.exists()


def test_refusal_says_why(press, service, program):
    service.scopes = []
    service.save()
    answer = press(service, program.secret, HX_Target="tried")
    assert "A scope was asked for that the client may not have" in answer.text or "invalid_scope" in answer.text


@pytest.mark.parametrize("text", ["", "hunter2", "one that is gone", "nul\0"])
def test_only_secrets_of_the_client_are_tried(press, service, program, text):
    answer = press(service, secrets.generate() if text == "one that is gone" else text)
    assert answer.status_code == 302
    writer.flush()
    assert not service.problems.exists()


def test_a_secret_of_another_client_is_none_of_this(press, service, program, web):
    assert press(service, web.secret).status_code == 302
    _, old = give_secret(service, revoked_at=service.created)
    assert press(service, old).status_code == 302
