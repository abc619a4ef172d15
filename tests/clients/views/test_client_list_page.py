"""The client list of a workspace: state, search, filters, order, pages."""

import re
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from clients.models import Client
from clients.queries import able, count_by_state, in_state, with_state
from clients.vocabulary import ClientState
from tests.factories import ClientFactory, give_secret

pytestmark = pytest.mark.django_db

LIST = "/consumers/acme/clients/"


@pytest.fixture
def browser(alice, browser_of):
    return browser_of(alice)


@pytest.fixture
def clients(acme):
    """One client in each state."""
    now = timezone.now()
    made = {
        name: ClientFactory(consumer=acme, client_name=name)
        for name in ("active", "rotating", "disabled", "expired", "no_secret")
    }
    for name in ("active", "rotating", "disabled"):
        give_secret(made[name])
    give_secret(made["rotating"], rotated_at=now, expires_at=now + timedelta(days=2))
    give_secret(made["expired"], expires_at=now - timedelta(days=1))
    Client.objects.filter(client_name="disabled").update(disabled_at=now)
    Client.objects.filter(client_name="active").update(last_used_at=now - timedelta(hours=1))
    Client.objects.filter(client_name="rotating").update(last_used_at=now - timedelta(days=100))
    return made


def names(page) -> list[str]:
    rows = page.text[page.text.index("<tbody>") : page.text.index("</tbody>")]
    return re.findall(r'<a href="[^"]+">([^<]+)</a>\s*<small', rows)


def test_each_client_has_the_state_that_its_secrets_give_it(clients):
    assert {client.client_name: client.state for client in with_state(Client.objects.all())} == {
        name: name for name in clients
    }


@pytest.mark.parametrize("kind", ["service", "public", "signing"])
def test_clients_are_found_by_the_state_that_they_are_shown_in(acme, clients, kind):
    if kind == "public":
        Client.objects.update(token_endpoint_auth_method="none", grant_types=["authorization_code"])
    elif kind == "signing":
        Client.objects.update(token_endpoint_auth_method="private_key_jwt")
    shown = {client.client_name: client.state for client in with_state(Client.objects.all())}
    for state in ClientState.values:
        found = {client.client_name for client in in_state(Client.objects.all(), state)}
        assert found == {name for name, of_it in shown.items() if of_it == state}, state
    assert count_by_state(Client.objects.all()) == Counter(shown.values())
    working = {client.client_name for client in able(Client.objects.all())}
    assert working == {name for name, state in shown.items() if state in ("active", "rotating")}


def test_public_client_without_secrets_is_active(acme):
    ClientFactory(consumer=acme, template="public")
    assert with_state(Client.objects.all()).get().state == "active"


def test_counts_and_first_end_are_of_live_secrets(clients):
    row = with_state(Client.objects.all()).get(client_name="rotating")
    assert row.live_secrets == 2
    assert row.first_end > timezone.now()
    assert with_state(Client.objects.all()).get(client_name="expired").first_end is None


def test_list_shows_each_client_with_its_state_and_secrets(browser, clients):
    page = browser.get(LIST)
    assert names(page) == sorted(clients)
    text = " ".join(page.text.split())
    for part in ("Rotating", "Disabled", "Expired", "No secret", "2 active", "One expires", "in 2 days", "1 hour ago"):
        assert part in text
    assert "Never" in text
    assert "5 clients: 1 active, 1 rotating, 1 disabled, 1 expired, 1 without secret" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=expired", ["expired"]),
        ("state=no_secret", ["no_secret"]),
        ("q=ACT", ["active"]),
        ("q=%20active%20", ["active"]),
        ("used=day", ["active"]),
        ("used=month", ["active"]),
        ("used=long", ["rotating"]),
        ("used=never", ["disabled", "expired", "no_secret"]),
        ("kind=service&state=active", ["active"]),
        ("sort=-name", ["rotating", "no_secret", "expired", "disabled", "active"]),
        ("sort=used", ["active", "rotating", "disabled", "expired", "no_secret"]),
        ("sort=-used", ["disabled", "expired", "no_secret", "rotating", "active"]),
        ("sort=state", ["active", "disabled", "expired", "no_secret", "rotating"]),
    ],
)
def test_search_filters_and_order(browser, clients, query, found):
    assert names(browser.get(f"{LIST}?{query}")) == found


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=%25_%5C",
        "q=" + "x" * 5000,
        "state=nonsense",
        "sort=password",
        "sort=--name",
        "sort=consumer__metadata",
        "kind=__class__",
        "used=';DROP",
        "page=0",
        "page=-1",
        "page=999999999999999999999",
        "page=x",
        "state=active&state=no_secret",
    ],
)
def test_what_cannot_be_read_is_no_error(browser, clients, query):
    assert browser.get(f"{LIST}?{query}").status_code == 200


def test_client_is_found_by_its_id(browser, clients):
    assert names(browser.get(f"{LIST}?q={clients['no_secret'].client_id}")) == ["no_secret"]


def test_kinds_tell_templates_apart(browser, acme):
    for kind in ("service", "web", "public"):
        ClientFactory(consumer=acme, template=kind, client_name=kind)
    for kind in ("service", "web", "public"):
        assert names(browser.get(f"{LIST}?kind={kind}")) == [kind]


def test_nothing_found_says_what_hides_the_rest(browser, clients):
    page = browser.get(f"{LIST}?q=nothing")
    assert "No matching clients" in page.text
    assert "Five clients of Acme Logistics are hidden" in " ".join(page.text.split())


def test_long_lists_come_in_pages_that_keep_the_filters(browser, acme):
    for number in range(60):
        ClientFactory(consumer=acme, client_name=f"Client {number:02}")
    first = browser.get(f"{LIST}?q=client&sort=-name")
    assert names(first)[0] == "Client 59"
    assert "Page 1 of 3" in first.text
    assert '?q=client&amp;sort=-name&amp;page=2"' in first.text
    assert names(browser.get(f"{LIST}?q=client&sort=-name&page=3"))[-1] == "Client 00"
    with_filter = browser.get(f"{LIST}?page=2")
    assert "?sort=-name" in with_filter.text
    assert "?page=2&amp;sort" not in with_filter.text


def test_list_costs_the_same_for_one_client_and_for_many(
    browser, acme, django_assert_max_num_queries, django_assert_num_queries
):
    ClientFactory(consumer=acme)
    browser.get(LIST)
    with django_assert_max_num_queries(13) as one:
        browser.get(LIST)
    for _ in range(20):
        give_secret(ClientFactory(consumer=acme))
    with django_assert_num_queries(len(one)):
        browser.get(LIST)


def test_list_counts_the_tokens_of_thirty_days(browser, clients):
    today = timezone.now().date()
    for back, issued in ((0, 2), (29, 1500), (30, 9)):
        clients["active"].daily_counts.create(day=today - timedelta(days=back), issued=issued, refused=1)
    page = browser.get(f"{LIST}?q=active").text
    assert '<span class="number">1,502</span>' in page
    assert page.count("<rect ") == 2
    assert '<span class="number">0</span>' in browser.get(f"{LIST}?q=rotating").text


def test_htmx_response_contains_the_rows_alone(browser, clients):
    part = browser.get(f"{LIST}?q=no_secret", headers={"HX-Request": "true", "HX-Target": "clients"})
    assert part.text.lstrip().startswith('<div class="stack" id="clients">')
    assert names(part) == ["no_secret"]
    assert "<html" not in part.text


def test_empty_workspace_teaches_the_first_step(browser, bob, globex, browser_of):
    ClientFactory(consumer=globex, client_name="TENANT-B-client")
    page = browser.get(LIST).text
    assert "Create your first client" in page
    assert "/consumers/acme/clients/new?template=public" in page
    assert "TENANT-B" not in page
    viewer = browser_of(bob).get(LIST).text
    assert "A manager of Acme Logistics can create one." in viewer
    assert "/clients/new" not in viewer


def test_names_are_shown_as_text(browser, acme):
    ClientFactory(consumer=acme, client_name="<script>alert(1)</script>")
    for path in (LIST, "/consumers/acme/"):
        page = browser.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
