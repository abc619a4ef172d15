"""The home page of a workspace: its title is its news."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from authority.models import Problem
from clients.actions.secrets import End, rotate_secret
from clients.models import Client
from consumers.actions.invitations import invite_manager
from tests.factories import ClientFactory, actor_for, give_secret

pytestmark = pytest.mark.django_db

HOME = "/consumers/acme/"


def heading(page: str) -> str:
    return " ".join(re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)[1].split())


@pytest.fixture
def browser(alice, browser_of):
    return browser_of(alice)


def used(client) -> None:
    Client.objects.filter(pk=client.pk).update(last_used_at=timezone.now())


def test_all_is_well_when_nothing_needs_anybody(browser, service):
    give_secret(service)
    used(service)
    page = browser.get(HOME).text
    assert heading(page) == "All is well"
    assert ">just now</time>" in page


@pytest.mark.parametrize(
    ("fields", "news"),
    [
        ({"expires_at": 13}, "A secret of Billing sync expires in 13 days"),
        ({"expires_at": -1}, "Every secret of Billing sync has expired"),
        (None, "Billing sync has no secret"),
    ],
)
def test_secrets_that_end_are_news(browser, service, fields, news):
    if fields:
        give_secret(service, expires_at=timezone.now() + timedelta(days=fields["expires_at"], minutes=1))
    page = browser.get(HOME).text
    assert heading(page) == "One thing needs your attention"
    assert news in page


def test_a_secret_that_ends_in_three_weeks_is_no_news(browser, service):
    give_secret(service, expires_at=timezone.now() + timedelta(days=21))
    assert "All is well" in browser.get(HOME).text


def test_rotation_is_news_until_it_is_over(browser, service, alice):
    old, _ = give_secret(service)
    rotate_secret(secret=old, end=End(after_first_use=True), actor=actor_for(alice))
    assert "A secret of Billing sync is being replaced" in browser.get(HOME).text
    old.refresh_from_db()
    old.expires_at = timezone.now()
    old.save()
    assert "All is well" in browser.get(HOME).text


def test_client_that_was_never_used_is_news_after_a_week(browser, service):
    give_secret(service)
    assert "never asked" not in browser.get(HOME).text
    Client.objects.filter(pk=service.pk).update(created=timezone.now() - timedelta(days=8))
    page = browser.get(HOME).text
    assert "Billing sync has never requested a token" in page
    assert "8 days ago" in page


def test_invitation_that_ended_unanswered_is_news(browser, acme, alice, service):
    give_secret(service)
    invitation = invite_manager(consumer=acme, email="new@acme.example", actor=actor_for(alice))
    invitation.expires_at = timezone.now() - timedelta(hours=1)
    invitation.save()
    assert "The invitation of new@acme.example has expired" in browser.get(HOME).text


def test_disabled_clients_need_nobody(browser, service):
    give_secret(service, expires_at=timezone.now() + timedelta(days=1))
    Client.objects.filter(pk=service.pk).update(disabled_at=timezone.now())
    assert "All is well" in browser.get(HOME).text


def test_worst_news_comes_first_and_things_are_counted_in_words(browser, acme, service):
    give_secret(service, expires_at=timezone.now() + timedelta(days=1))
    ClientFactory(consumer=acme, client_name="Old importer")
    page = browser.get(HOME).text
    assert heading(page) == "Two things need your attention"
    assert page.index("Old importer has no secret") < page.index("A secret of Billing sync expires")


def test_viewer_reads_the_news_without_its_deeds(service, bob, browser_of):
    page = browser_of(bob).get(HOME).text
    assert heading(page) == "One thing needs a manager"
    assert "Create a secret" not in page


def test_empty_workspace_teaches_the_first_step(browser, acme):
    page = browser.get(HOME).text
    assert "Welcome. Create your first client." in page
    assert "/consumers/acme/clients/new?template=service" in page


def test_news_of_other_workspaces_is_not_told(browser, globex, service, mallory):
    give_secret(service)
    ClientFactory(consumer=globex, client_name="TENANT-B-client")
    invitation = invite_manager(consumer=globex, email="tenant-b@example.com", actor=actor_for(mallory))
    invitation.expires_at = timezone.now()
    invitation.save()
    page = browser.get(HOME).text
    assert "TENANT-B" not in page
    assert "tenant-b" not in page


def test_refused_requests_are_news_for_a_day_with_their_latest_reason(browser, service):
    give_secret(service)
    now = timezone.now()
    for kind, ago in (("wrong_secret", timedelta(hours=2)), ("scope_not_granted", timedelta(hours=1))):
        Problem.objects.create(
            client=service,
            endpoint="token",
            kind=kind,
            detail={},
            error="invalid_client",
            count=3,
            first_at=now - ago,
            last_at=now - ago,
            last_ip="192.0.2.7",
        )
    page = browser.get(HOME).text
    assert heading(page) == "One thing needs your attention"
    assert "Requests of Billing sync are being refused" in page
    assert "three requests, the last 1 hour ago, from 192.0.2.7" in page
    assert f'href="/consumers/acme/clients/{service.client_id}/problems/"' in page
    Problem.objects.update(last_at=now - timedelta(days=2))
    assert "All is well" in browser.get(HOME).text


def test_many_clients_with_the_same_trouble_are_one_thing(browser, acme):
    for _ in range(4):
        ClientFactory(consumer=acme)
    page = browser.get(HOME).text
    assert heading(page) == "One thing needs your attention"
    assert "Four clients have no secret" in page
    assert 'href="/consumers/acme/clients/?state=no_secret"' in page
    for client in Client.objects.all():
        give_secret(client)
    Client.objects.update(created=timezone.now() - timedelta(days=8))
    page = browser.get(HOME).text
    assert "Four clients have never requested a token" in page
    assert 'href="/consumers/acme/clients/?used=never"' in page


def test_many_secrets_and_invitations_with_the_same_trouble_are_one_thing_each(browser, acme, alice, service):
    soon = timezone.now() + timedelta(days=3)
    for number in range(4):
        client = ClientFactory(consumer=acme)
        give_secret(client, expires_at=soon)
        give_secret(client, expires_at=soon, rotated_at=timezone.now())
        invite_manager(consumer=acme, email=f"{number}@acme.example", role="viewer", actor=actor_for(alice))
    acme.invitations.update(expires_at=timezone.now() - timedelta(days=1))
    give_secret(service)
    page = browser.get(HOME).text
    assert heading(page) == "Three things need your attention"
    assert "Four secrets are being replaced" in page
    assert "Four secrets expire within 14 days" in page
    assert "Four invitations have expired" in page
