"""The admin of APIs: adding, changing and deleting them with their scopes."""

import pytest
from django.urls import reverse

from clients.models import Access, Api, Scope
from consumers.models import Event
from consumers.scopes import AUDIENCE
from tests.clients.admin_helpers import events, page
from tests.factories import ApiFactory, ScopeFactory
from tests.forms import save

ADD_API = "/operators/clients/api/add/"

# The tables of roles and claims, of an API that has none.
TABLES = ("roles", "group_roles", "claims")
NO_ROWS = {f"{table}-{count}_FORMS": "0" for table in TABLES for count in ("TOTAL", "INITIAL")}


@pytest.fixture
def operator(browser_of, olga):
    return browser_of(olga)


def api_form(*rows: dict, **fields) -> dict:
    """Return the form of an API with its scopes' rows; a row with an id is one that exists."""
    form = {
        "name": "Shipments",
        "identifier": "https://api.example.com/shipments",
        "description": "Book and follow freight",
        "signing_algorithm": "ES256",
        "access_token_lifetime": "600",
        "scopes-TOTAL_FORMS": len(rows),
        "scopes-INITIAL_FORMS": sum("id" in row for row in rows),
        **NO_ROWS,
    } | fields
    for number, row in enumerate(rows):
        form |= {f"scopes-{number}-{name}": value for name, value in row.items()}
    return form


def test_operator_adds_an_api_with_its_scopes(operator):
    read = {"value": "shipments:read", "name": "Read shipments", "description": "Bookings and routes"}
    write = {"value": "shipments:write", "name": "Book shipments", "description": ""}
    answer = operator.post(ADD_API, api_form(read, write), follow=True)
    api = Api.objects.exclude(identifier=AUDIENCE).get()
    assert answer.status_code == 200
    assert (api.identifier, api.access_token_lifetime) == ("https://api.example.com/shipments", 600)
    assert list(api.scopes.values_list("value", flat=True)) == ["shipments:read", "shipments:write"]
    assert [(event.target_label, event.actor_label) for event in events("api.created")] == [("Shipments", "Olga Weber")]


def test_api_whose_scope_is_wrong_is_not_added_and_the_form_is_kept(operator):
    answer = operator.post(ADD_API, api_form({"value": "read all", "name": "Read", "description": "Everything"}))
    assert answer.status_code == 200
    assert "Everything" in answer.content.decode()
    assert not Api.objects.exclude(identifier=AUDIENCE).exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("value", ["openid", "offline_access"])
def test_scopes_of_openid_connect_belong_to_no_api(operator, value):
    operator.post(ADD_API, api_form({"value": value, "name": "Sign in", "description": ""}))
    assert not Scope.objects.exclude(api__identifier=AUDIENCE).exists()


def test_identifier_and_scope_values_stay_whatever_a_form_says(operator, api):
    scope = api.scopes.first()
    row = {"id": scope.pk, "api": api.pk, "value": "everything", "name": "Read all shipments", "description": ""}
    save(operator, page(api), api_form(row, identifier="https://evil.example/", name="Freight"))
    api.refresh_from_db()
    scope.refresh_from_db()
    assert (api.name, api.identifier) == ("Freight", "https://api.example.com/shipments")
    assert (scope.name, scope.value) == ("Read all shipments", "shipments:read")
    (event,) = events("api.updated")
    assert (event.detail["changed"], event.detail["added"]) == (["shipments:read"], [])


def test_scope_in_use_is_not_deleted_and_the_reason_names_the_consumer(operator, acme, acme_access, api):
    scope = api.scopes.first()
    row = {"id": scope.pk, "api": api.pk, "name": scope.name, "description": "", "DELETE": "on"}
    answer = save(operator, page(api), api_form(row))
    assert "Acme Logistics" in answer.content.decode()
    assert Scope.objects.filter(pk=scope.pk).exists()


def test_unused_scope_is_deleted(operator, api):
    scope = api.scopes.first()
    row = {"id": scope.pk, "api": api.pk, "name": scope.name, "description": "", "DELETE": "on"}
    save(operator, page(api), api_form(row))
    assert list(api.scopes.values_list("value", flat=True)) == ["shipments:write"]
    assert events("api.updated")[0].detail["removed"] == ["shipments:read"]


@pytest.mark.parametrize("forged", [{"DELETE": "on"}, {}])
def test_forged_row_of_another_api_changes_nothing(operator, api, forged):
    other = ScopeFactory(api=ApiFactory(identifier="https://api.example.com/bills", name="Bills"), value="bills:read")
    row = {"id": other.pk, "api": api.pk, "name": "Taken over", "description": "", **forged}
    answer = save(operator, page(api), api_form(row, name=api.name, description="", access_token_lifetime="3600"))
    other.refresh_from_db()
    assert answer.status_code in (200, 302)
    assert (other.name, other.api.name) == ("Read shipments", "Bills")
    assert api.scopes.count() == 2
    assert not Event.objects.exists()


def test_deleting_an_api_says_who_loses_access_and_does_it(operator, api, acme_access, service):
    address = reverse("admin:clients_api_delete", args=[api.pk])
    told = operator.get(address).content.decode()
    assert "Acme Logistics" in told
    assert "Billing sync of Acme Logistics" in told
    operator.post(address, {"post": "yes"})
    assert not Access.objects.exists()
    assert not service.granted_scopes().exists()
    assert events("api.deleted")[0].detail["identifier"] == "https://api.example.com/shipments"


@pytest.mark.parametrize("deed", [{}, {"DELETE": "on"}])
def test_a_forged_row_reaches_no_scope_of_another_api(operator, deed):
    mine, foreign = ApiFactory(), ApiFactory(identifier="https://api.example.com/invoices")
    other = ScopeFactory(api=foreign, value="invoices:read", name="Read invoices")
    forged = {"id": other.pk, "api": mine.pk, "value": "stolen", "name": "Stolen", "description": ""} | deed
    answer = save(operator, f"/operators/clients/api/{mine.pk}/change/", api_form(forged, identifier=mine.identifier))
    assert answer.status_code < 500
    other.refresh_from_db()
    assert (other.value, other.api) == ("invoices:read", foreign)


def test_a_production_api_allows_no_test_tokens(operator):
    api = ApiFactory()
    address, form = page(api), api_form(allows_test_tokens="on")
    save(operator, address, form)
    api.refresh_from_db()
    assert (api.allows_test_tokens, api.is_production) == (True, False)
    answer = save(operator, address, form | {"is_production": "on"})
    assert "A production API takes no test tokens" in answer.text
    api.refresh_from_db()
    assert not api.is_production
