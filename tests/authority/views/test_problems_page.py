"""The page that says why a client's requests were refused."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from authority.telemetry import writer
from tests.authority.conftest import Program
from tests.factories import give_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(service):
    address = f"/consumers/acme/clients/{service.client_id}/problems/"

    def read(browser, **parameters):
        writer.flush()
        response = browser.get(address, parameters)
        assert response.status_code == 200
        return response.text

    return read


def test_refusals_are_listed_newest_first_with_what_to_do(page, program, service, browser_of, bob):
    old, text = give_secret(service, expires_at=timezone.now() - timedelta(days=1))
    Program(service, text).token()
    Program(service, text).token()
    program.token(scope="nothing")
    told = page(browser_of(bob))
    assert "Two reasons why requests were refused" in told
    assert f"••••{old.hint} expired on" in told
    assert told.index("permission that the client does not have") < told.index("a secret that expired")
    assert told.count("What to do.") == 2
    assert text not in told


def test_badge_on_every_page_of_the_client_counts_the_reasons_of_the_week(page, program, service, browser_of, bob):
    program.token(scope="nothing")
    program.token(scope="else")
    writer.flush()
    service.problems.filter(pk=service.problems.earliest("pk").pk).update(last_at=timezone.now() - timedelta(days=8))
    connect = browser_of(bob).get(service.get_absolute_url()).text
    assert re.search(
        r'<span class="badge" data-tone="bad">\s*1<span class="visually-hidden"> in the last week', connect
    )
    assert "One reason why" in page(browser_of(bob), days="7")
    assert "Two reasons why" in page(browser_of(bob), days="odd")


def test_a_client_without_problems_learns_what_the_page_is_for(page, browser_of, bob):
    told = page(browser_of(bob))
    assert "No refused requests" in told
    assert 'class="problem"' not in told


def test_what_strangers_send_is_shown_as_text(page, program, browser_of, bob):
    program.token(scope="<script>alert(1)</script>")
    told = page(browser_of(bob))
    assert "<script>alert" not in told
    assert "&lt;script&gt;" in told


def test_only_members_see_them(program, service, browser_of, mallory):
    assert browser_of(mallory).get(f"/consumers/acme/clients/{service.client_id}/problems/").status_code == 404
