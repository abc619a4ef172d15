"""Two operators have the same page open: what one saved is not taken back unseen by the other."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from clients.models import Access, DocumentHost, OpenRegistration, Scope, TrustedIssuer
from consumers.actions.consumers import update_consumer
from consumers.admin.base import AuditedAdmin
from consumers.models import User
from tests.factories import UserFactory, actor_for
from tests.forms import Forms

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(browser_of, olga):
    return browser_of(olga)


def page(obj):
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def form_of(answer):
    """Return the form of an object's page, as a browser fills it in."""
    return next(form for form in Forms(answer.text).found if "shown" in form.names)


def sent(answer, **typed):
    """Return what a browser sends of the page after a person has typed; None clears a box."""
    values = {name: list(value) for name, value in form_of(answer).sent.items()}
    for name, value in typed.items():
        values[name] = [] if value is None else value if isinstance(value, list) else [value]
    return {name: value for name, value in values.items() if value}


def table(answer):
    """Return the rows of what changed meanwhile, each as its cells' words."""
    found = re.search(r'<section class="notice meanwhile".*?</section>', answer.text, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", found[0], re.DOTALL)[1:]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in row] for row in cells]


def test_a_person_who_was_deactivated_meanwhile_does_not_come_back_by_a_rename(operator):
    person = UserFactory(name="Vera", email="vera@provider.example", is_staff=True, is_superuser=True)
    opened = operator.get(page(person))
    User.objects.filter(pk=person.pk).update(is_active=False, is_superuser=False)
    answer = operator.post(page(person), sent(opened, name="Vera Sohn"))
    person.refresh_from_db()
    assert (answer.status_code, person.name, person.is_active, person.is_superuser) == (409, "Vera", False, False)
    assert table(answer) == [["Active", "Yes", "No"], ["Full rights", "Yes", "No"]]
    again = operator.post(page(person), sent(answer))
    person.refresh_from_db()
    assert (again.status_code, person.name, person.is_active, person.is_superuser) == (302, "Vera Sohn", False, False)


def test_who_typed_into_a_field_that_changed_keeps_it_and_is_told(operator, acme, olga):
    opened = operator.get(page(acme))
    values = {"name": "Acme Freight", "claims": {"tier": 3}, "access_token_lifetime": 600}
    update_consumer(consumer=acme, change=lambda _: values, actor=actor_for(olga))
    answer = operator.post(page(acme), sent(opened, name="Acme & Sons", metadata='{"plan": "gold"}'))
    acme.refresh_from_db()
    assert (answer.status_code, acme.name, acme.metadata) == (409, "Acme Freight", {})
    assert "Olga Weber changed this consumer" in answer.text
    kept = "You entered something else, which is kept below."
    assert table(answer) == [
        ["Name", "Acme Logistics", f"Acme Freight {kept}"],
        ["Longest access token lifetime", "–", "600"],
        ["Claims", "–", "{ &quot;tier&quot;: 3 }"],
    ]
    again = operator.post(page(acme), sent(answer))
    acme.refresh_from_db()
    assert (again.status_code, acme.name, acme.metadata) == (302, "Acme & Sons", {"plan": "gold"})
    assert (acme.claims, acme.access_token_lifetime) == ({"tier": 3}, 600)


def test_permissions_of_a_consumer_are_compared_and_merged(operator, acme, api, acme_access):
    _, write = acme_access
    opened = operator.get(page(acme))
    write.delete()
    answer = operator.post(page(acme), sent(opened, name="Acme Freight"))
    assert answer.status_code == 409
    words = f"{api.name}: Book and change shipments shipments:write"
    assert table(answer) == [["Permissions", words, "–"]]
    assert operator.post(page(acme), sent(answer)).status_code == 302
    assert list(Access.objects.values_list("scope__value", flat=True)) == ["shipments:read"]


def test_scopes_of_an_api_that_changed_came_or_went_are_told_and_what_was_typed_stays(operator, api, olga):
    read, write = api.scopes.order_by("pk")
    opened = operator.get(page(api))
    read.delete()
    Scope.objects.filter(pk=write.pk).update(name="Change shipments")
    Scope.objects.create(api=api, value="shipments:track", name="Track")
    typed = {"scopes-1-description": "Costs money", "scopes-2-value": "shipments:new", "scopes-2-name": "New"}
    answer = operator.post(page(api), sent(opened, **typed))
    assert answer.status_code == 409
    assert table(answer) == [
        ["Scope shipments:write: Name", "Book and change shipments", "Change shipments"],
        ["Scope shipments:track", "–", "Added"],
        ["Scope shipments:read", "shipments:read", "Deleted"],
    ]
    assert operator.post(page(api), sent(answer)).status_code == 302
    assert list(api.scopes.order_by("value").values_list("value", "name", "description")) == [
        ("shipments:new", "New", ""),
        ("shipments:track", "Track", ""),
        ("shipments:write", "Change shipments", "Costs money"),
    ]


def test_claims_of_a_client_and_rights_of_a_group_are_compared(operator, service):
    group = Group.objects.create(name="Support")
    view, change = Permission.objects.filter(codename__in=["view_api", "change_api"]).order_by("-codename")
    group.permissions.set([view])
    opened = [operator.get(page(obj)) for obj in (service, group)]
    type(service).objects.filter(pk=service.pk).update(claims={"tier": 1})
    group.permissions.set([change])
    answers = [
        operator.post(page(service), sent(opened[0], claims='{"tier": 2}')),
        operator.post(page(group), sent(opened[1], name="Helpers")),
    ]
    assert [answer.status_code for answer in answers] == [409, 409]
    assert table(answers[1]) == [["May", "APIs: Read", "APIs: Change"]]
    service.refresh_from_db()
    group.refresh_from_db()
    assert (service.claims, group.name) == ({"tier": 1}, "Support")


@pytest.mark.parametrize("shown", ["", "nonsense", "of-another"])
def test_a_form_that_does_not_say_what_it_showed_saves_nothing(operator, alice, acme, shown):
    opened = operator.get(page(alice))
    if shown == "of-another":
        shown = form_of(operator.get(page(acme))).sent["shown"][0]
    answer = operator.post(page(alice), sent(opened, name="Alice M.", shown=shown))
    alice.refresh_from_db()
    assert (answer.status_code, alice.name) == (409, "Alice Martin")
    assert "out of date" in answer.text
    assert operator.post(page(alice), sent(answer)).status_code == 302
    alice.refresh_from_db()
    assert alice.name == "Alice M."


def test_every_page_of_the_operators_says_what_it_showed(operator, olga, acme, api, service):
    things = [
        *(olga, acme, api, service, Group.objects.create(name="Support")),
        TrustedIssuer.objects.create(name="One", platform="oidc", issuer="https://one.example"),
        OpenRegistration.objects.create(consumer=acme),
        DocumentHost.objects.create(consumer=acme, host="one.example"),
    ]
    for thing in things:
        assert form_of(operator.get(page(thing))).sent["shown"] != [""], thing
    assert all(isinstance(model_admin, AuditedAdmin) for model_admin in admin.site._registry.values())
