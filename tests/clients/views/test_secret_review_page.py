"""The secrets review: counts of secrets, and alternatives for each client."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clients import secret_review
from clients.federation.platforms import PLATFORMS
from clients.models import TrustedIssuer
from tests.factories import ClientFactory, give_secret

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def page(acme, bob, browser_of):
    return lambda: browser_of(bob).get(reverse("clients:secret-review", args=["acme"]))


def test_secrets_are_counted_by_what_is_wrong_with_them(acme, service, page):
    now = timezone.now()
    give_secret(service, expires_at=now + DAY, last_used_at=now)  # in order
    give_secret(service)  # unused, endless
    give_secret(service, last_used_at=now - 91 * DAY, created_at=now - 181 * DAY, expires_at=now + DAY)  # idle, old
    give_secret(service, revoked_at=now)
    counts = page().context["counts"]
    assert counts == {"unused": 1, "idle": 1, "endless": 1, "old": 1}


def test_a_consumer_s_own_limit_says_what_is_old(acme, service, page):
    give_secret(
        service, created_at=timezone.now() - 40 * DAY, last_used_at=timezone.now(), expires_at=timezone.now() + DAY
    )
    assert page().context["counts"]["old"] == 0
    acme.secret_days = 30
    acme.save()
    answer = page()
    assert answer.context["counts"]["old"] == 1
    assert "Secrets expire after 30 days" in answer.text


def test_only_clients_that_depend_on_secrets_are_listed(acme, globex, service, page):
    give_secret(service)
    give_secret(ClientFactory(consumer=globex, client_name="TENANT-B"))
    ClientFactory(consumer=acme, client_name="Signs", token_endpoint_auth_method="private_key_jwt")
    disabled = ClientFactory(consumer=acme, client_name="Switched off", disabled_at=timezone.now())
    give_secret(disabled)
    answer = page()
    assert [each.client for each in answer.context["found"]] == [service]
    assert "TENANT-B" not in answer.text
    assert "One secret of one client" in answer.text


def test_clients_that_need_most_come_first_a_page_at_a_time(acme, service, page, monkeypatch):
    monkeypatch.setattr("clients.views.secret_review.PAGE_SIZE", 2)
    give_secret(service, last_used_at=timezone.now(), expires_at=timezone.now() + DAY)
    for name in ("B", "A"):
        give_secret(ClientFactory(consumer=acme, client_name=name))
    first = page()
    assert [each.client.client_name for each in first.context["found"]] == ["A", "B"]
    assert "Three secrets of three clients" in first.text
    assert "Page 1 of 2" in first.text
    assert [each.client for each in first.client.get(f"{first.request['PATH_INFO']}?page=2").context["found"]] == [
        service
    ]


def test_workspace_without_secrets_says_so(acme, page):
    ClientFactory(consumer=acme, token_endpoint_auth_method="private_key_jwt")
    answer = page()
    assert "No client uses a secret" in answer.text
    assert "Nothing to do" in answer.text


@pytest.mark.parametrize(
    ("fields", "platform", "because"),
    [
        ({"description": "Runs on GitHub Actions every night"}, "github", "its description says “GitHub Actions”"),
        ({"client_name": "deploy (gitlab-ci)"}, "gitlab", "its name says “gitlab-ci”"),
        ({"description": "A CronJob in our k8s cluster"}, "kubernetes", "its description says “CronJob”"),
        ({"description": "AWS Lambda behind a queue"}, "aws", "its description says “AWS”"),
        ({"redirect_uris": ["https://acme.azurewebsites.net/back"]}, "azure", "it leads to acme.azurewebsites.net"),
        ({"client_uri": "https://billing-x.a.run.app"}, "gcp", "it leads to billing-x.a.run.app"),
        ({"description": "Draws charts by law"}, None, None),
        ({"description": "Sells flawsome eksotic goods"}, None, None),
        ({"redirect_uris": ["https://azurewebsites.net.evil.example/"]}, None, None),
        ({"client_uri": "https://["}, None, None),
    ],
)
def test_platform_is_guessed_from_what_is_written_and_says_so(acme, fields, platform, because):
    client = ClientFactory(consumer=acme, **{"client_name": "Sync"} | fields)
    found = secret_review.guess_platform(client, [])
    assert (found and found.platform.name, found and found.evidence) == (platform, because)


def test_name_of_a_secret_counts_too(service):
    secret, _ = give_secret(service, name="GitHub Actions")
    assert secret_review.guess_platform(service, [secret]).evidence == f"the name of {secret} says “GitHub Actions”"


def test_page_offers_alternatives(service, page):
    service.description = "Runs in GitHub Actions"
    service.save()
    give_secret(service)
    text = page().text
    assert "It seems to run on GitHub Actions" in text
    assert "ask the operator to allow that issuer" in text
    issuer = TrustedIssuer.objects.create(
        name="GitHub Actions", platform="github", issuer="https://token.actions.githubusercontent.com"
    )
    answer = page()
    assert answer.context["found"][0].issuer_id == issuer.pk
    assert "set up workload identity federation" in answer.text


def test_every_guess_names_a_platform_that_rules_can_be_made_for():
    assert all(platform.name == name for name, platform in PLATFORMS.items())
    assert all(platform.title for platform in PLATFORMS.values() if platform.keywords or platform.domains)


def test_secrets_page_links_the_review(service, bob, browser_of):
    service.description = "Runs in GitHub Actions"
    service.save()
    give_secret(service)
    text = browser_of(bob).get(reverse("clients:secrets", args=["acme", service.client_id])).text
    assert "seems to run on GitHub Actions (its description says “GitHub Actions”)" in text
    assert reverse("clients:secret-review", args=["acme"]) in text


def test_manager_is_led_to_a_rule_or_to_a_key(service, acme, alice, browser_of):
    give_secret(service, name="GitHub Actions")
    give_secret(other := ClientFactory(consumer=acme, client_name="Charts"))
    issuer = TrustedIssuer.objects.create(
        name="GitHub Actions", platform="github", issuer="https://token.actions.githubusercontent.com"
    )
    browser = browser_of(alice)
    text = browser.get(reverse("clients:secret-review", args=["acme"])).text
    rule = reverse("clients:create-rule", args=["acme", service.client_id, issuer.pk])
    key = reverse("clients:authentication", args=["acme", other.client_id])
    for address in (rule, key):
        assert address in text
        assert browser.get(address).status_code == 200
