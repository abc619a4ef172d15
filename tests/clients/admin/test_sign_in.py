"""The operators' page “Who may sign in” of an API, and the roles by group on the API's own page."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Permission

from clients.models import Api, ApiRole, GroupRole, RoleGrant
from clients.vocabulary import RoleSource
from connections.models import Connection, Domain, Identity
from consumers.scopes import AUDIENCE
from tests.clients.admin.test_roles import tables
from tests.clients.admin_helpers import events, page, said
from tests.factories import UserFactory, hold_second_factor
from tests.forms import save


@pytest.fixture
def operator(browser_of, olga):
    return browser_of(olga)


@pytest.fixture
def okta(db):
    made = Connection.objects.create(
        slug="okta", name="Northwind Okta", issuer="https://okta.example", client_id="us", sign_in="offered"
    )
    Domain.objects.create(connection=made, name="northwind.example", challenge="c", verified_at=made.created_at)
    user = UserFactory()
    account = SocialAccount.objects.create(user=user, provider=made.issuer, uid="1", extra_data={})
    Identity.objects.create(account=account, connection=made, groups=["Drivers"])
    return made


def sign_in_page(api) -> str:
    return f"/operators/clients/api/{api.pk}/sign-in/"


def rule(**fields):
    return {"sign_in": "members", "after_number": "", "after_unit": "hours", "sign_in_connections": []} | fields


def test_operator_lets_the_people_of_a_connection_in(operator, api, okta):
    shown = operator.get(sign_in_page(api)).text
    for text in ("Northwind Okta", "northwind.example", "1 person", "Managers and viewers of its workspace"):
        assert text in shown
    assert f'href="{sign_in_page(api)}"' in operator.get(page(api)).text
    typed = rule(
        sign_in="connections",
        sign_in_connections=str(okta.pk),
        after_number="12",
        requires_two_factors="on",
        asks_consent_each_time="on",
    )
    answer = save(operator, sign_in_page(api), typed, follow=True)
    assert answer.redirect_chain == [(sign_in_page(api), 302)]
    assert "People of Northwind Okta can sign in at once" in said(answer)
    api.refresh_from_db()
    assert (api.sign_in, api.reauthenticate_after) == ("connections", 12 * 3600)
    assert api.requires_two_factors
    assert api.asks_consent_each_time
    assert list(api.sign_in_connections.all()) == [okta]
    (event,) = events("api.sign_in.changed")
    assert event.actor_label == "Olga Weber"
    assert events("api.updated") == []
    kept = operator.get(sign_in_page(api)).text
    assert 'value="12"' in kept
    assert '<option value="hours" selected>' in kept
    feed = operator.get(f"/operators/consumers/event/?target={api.pk}").text
    assert "set who may sign in to apps that use the API" in feed
    assert "added Northwind Okta" in feed


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"sign_in": "own_login"}, "Enter the address of your login."),
        ({"sign_in": "connections"}, "Choose a connection by which people can sign in."),
        ({"sign_in": "own_login", "login_url": "http://login.example.com"}, "use https"),
        ({"after_number": "400", "after_unit": "days"}, "a year at most"),
        ({"sign_in": "everybody"}, "Select a valid choice"),
        ({"sign_in_connections": "x"}, "not a valid value"),
    ],
)
def test_rule_that_cannot_work_is_told_at_its_field(operator, api, okta, typed, told):
    answer = save(operator, sign_in_page(api), rule(**typed))
    assert answer.status_code == 200
    assert told in answer.text
    assert events("api.sign_in.changed") == []


def test_meanwhile_changed_rule_is_not_overwritten_unseen(operator, api, okta):
    shown = operator.get(sign_in_page(api)).context["shown"]
    Api.objects.filter(pk=api.pk).update(requires_two_factors=True)
    answer = operator.post(sign_in_page(api), rule(asks_consent_each_time="on", shown=shown))
    assert answer.status_code == 409
    api.refresh_from_db()
    assert api.requires_two_factors
    assert not api.asks_consent_each_time


def test_page_is_of_apis_that_there_are_and_for_those_who_may(operator, api, browser_of):
    for pk in (0, 10**30, Api.objects.get(identifier=AUDIENCE).pk):
        assert operator.get(f"/operators/clients/api/{pk}/sign-in/").status_code == 404
    reader = hold_second_factor(UserFactory(is_staff=True))
    browser = browser_of(reader)
    assert browser.get(sign_in_page(api)).status_code == 403
    reader.user_permissions.add(Permission.objects.get(codename="view_api"))
    Api.objects.update(reauthenticate_after=86400)
    shown = browser.get(sign_in_page(api))
    assert shown.status_code == 200
    assert 'name="sign_in"' not in shown.text
    assert browser.post(sign_in_page(api), rule(requires_two_factors="on")).status_code == 403


def test_group_gives_a_role_until_its_row_is_deleted(operator, api, okta):
    driver = ApiRole.objects.create(api=api, value="driver", name="Driver")
    kept = [{"id": driver.pk, "api": api.pk, "name": "Driver", "description": ""}]

    def saved(**row):
        form = tables(kept) | {"group_roles-TOTAL_FORMS": "1", "group_roles-INITIAL_FORMS": str(int("id" in row))}
        return save(operator, page(api), form | {f"group_roles-0-{name}": value for name, value in row.items()})

    answer = saved(connection=str(okta.pk), group="Drivers", role=str(driver.pk))
    assert answer.status_code == 302, answer.text
    made = GroupRole.objects.get()
    assert str(made) == "Drivers at Northwind Okta: driver"
    person = Identity.objects.get().account.user
    RoleGrant.objects.create(role=driver, user=person, source=RoleSource.CONNECTION, connection=okta)
    assert "Groups of Northwind Okta" in operator.get("/operators/clients/rolegrant/").text
    row = {"id": str(made.pk), "connection": str(okta.pk), "group": "Drivers", "role": str(driver.pk)}
    assert saved(**row).status_code == 302
    assert len(events("api.group_roles.changed")) == 1
    assert saved(**row, DELETE="on").status_code == 302
    assert not GroupRole.objects.exists()
    assert not RoleGrant.objects.exists()
