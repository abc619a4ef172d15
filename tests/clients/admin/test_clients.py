"""The admin of clients: finding, disabling and deleting them."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.models import Client, ClientSecret
from consumers.models import Consumer
from tests.clients.admin_helpers import events, page
from tests.factories import AccessFactory, ClientFactory, ScopeFactory, give_secret
from tests.forms import save


@pytest.fixture
def operator(browser_of, olga):
    return browser_of(olga)


@pytest.fixture
def others(globex):
    AccessFactory(consumer=globex, scope=ScopeFactory())
    return [
        ClientFactory(consumer=globex, client_name="Storefront", template="web"),
        ClientFactory(consumer=globex, client_name="Till app", template="public", disabled_at=timezone.now()),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"Billing sync", "Storefront", "Till app"}),
        ({"kind": "service"}, {"Billing sync"}),
        ({"kind": "web"}, {"Storefront"}),
        ({"kind": "public"}, {"Till app"}),
        ({"state": "disabled"}, {"Till app"}),
        ({"q": "globex"}, {"Storefront", "Till app"}),
        ({"kind": "nonsense"}, {"Billing sync", "Storefront", "Till app"}),
    ],
)
def test_clients_of_all_consumers_are_found(operator, service, others, query, found):
    answer = operator.get(reverse("admin:clients_client_changelist"), query)
    assert {client.client_name for client in answer.context["cl"].queryset} == found


def test_states_are_those_that_managers_see_and_the_suspension_of_the_consumer(operator, acme, others):
    works = ClientFactory(consumer=acme, client_name="Night sync")
    give_secret(works)
    bare = ClientFactory(consumer=acme, client_name="Bare")
    Consumer.objects.filter(slug="globex").update(suspended_at=timezone.now())
    found = {
        "active": (works.client_name, "Active"),
        "no_secret": (bare.client_name, "No secret"),
        "disabled": ("Till app", "Disabled"),
        "suspended": ("Storefront", "Consumer suspended"),
    }
    for state, (name, words) in found.items():
        answer = operator.get(reverse("admin:clients_client_changelist"), {"state": state})
        assert [client.client_name for client in answer.context["cl"].queryset] == [name]
        assert re.findall(r'state_badge"><span class="badge"[^>]*>([^<]+)<', answer.text) == [words]


def test_list_and_page_name_the_consumer_of_a_client(operator, acme, service):
    there = f'<a href="{reverse("admin:consumers_consumer_change", args=[acme.pk])}">{acme}</a>'
    assert there in operator.get(reverse("admin:clients_client_changelist")).text
    assert there in operator.get(reverse("admin:clients_client_change", args=[service.pk])).text


def test_clients_are_found_by_consumer_and_by_full_id(operator, acme, service, others):
    for query in ({"consumer": str(acme.pk)}, {"q": service.client_id}):
        answer = operator.get(reverse("admin:clients_client_changelist"), query)
        assert list(answer.context["cl"].queryset) == [service]
    assert operator.get(reverse("admin:clients_client_changelist"), {"consumer": "x'--"}).status_code == 200


def test_operator_disables_enables_and_deletes_a_client(operator, service):
    assert "invalid_client" in operator.get(page(service, "disable")).content.decode()
    operator.post(page(service, "disable"))
    service.refresh_from_db()
    assert service.is_disabled
    operator.post(page(service, "enable"))
    service.refresh_from_db()
    assert not service.is_disabled
    operator.post(reverse("admin:clients_client_delete", args=[service.pk]), {"post": "yes"})
    assert not Client.objects.exists()
    assert len(events("client.disabled", "client.enabled", "client.deleted")) == 3


def test_operator_revokes_a_secret_and_only_the_clients_own(operator, service, others):
    secret, _ = give_secret(service)
    foreign, _ = give_secret(others[0])
    assert f"••••{secret.hint}" in operator.get(page(service)).content.decode()
    assert operator.post(page(service, "revoke", foreign)).status_code == 404
    operator.post(page(service, "revoke", secret))
    assert list(ClientSecret.objects.filter(revoked_at=None)) == [foreign]
    assert events("client.secret.revoked")[0].detail["hint"] == secret.hint


def test_forged_form_of_a_client_changes_nothing(operator, service, globex):
    before = Client.objects.values().get()
    form = {
        "client_name": "Mine",
        "consumer": str(globex.pk),
        "client_id": "cl_mine",
        "disabled_at": "2020-01-01",
        "user": "1",
    }
    save(operator, page(service), form)
    assert Client.objects.values().get() == before
    assert operator.post(reverse("admin:clients_client_add"), form).status_code == 403
