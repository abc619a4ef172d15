"""People of an API's connections: end users from their first sign-in to an app on."""

import base64
import json
import re
from html import unescape

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.test import Client as Browser

from authority.people.roles import roles_of
from clients.actions.sign_in_rules import set_sign_in
from clients.models import Api, ApiRole, GroupRole, RoleGrant
from connections.actions.connections import delete_connection
from connections.actions.identities import unlink
from connections.models import Connection, Domain, Identity, JoiningRule
from consumers.audit import SYSTEM
from consumers.models import Event, Membership, User
from tests.authority.conftest import Program
from tests.authority.flows import Flow, returned
from tests.connections.provider import ScriptedProvider, connect
from tests.factories import ClientFactory, give_secret, sign_in_to

pytestmark = pytest.mark.django_db
SCOPES = ["openid", "profile", "email", "shipments:read", "shipments:write"]


@pytest.fixture
def app(acme, acme_access):
    client = ClientFactory(consumer=acme, client_name="Driver app", template="web", scopes=SCOPES)
    return Program(client, give_secret(client)[1])


@pytest.fixture
def chosen(api, okta):
    """The connection, whose people the API lets sign in."""
    set_sign_in(api=api, values={"sign_in": "connections"}, connections=[okta], actor=SYSTEM)
    return okta


def sign_in(app, provider, browser=None, scope="openid profile email shipments:read"):
    """Go from the app to the provider and back; return the flow, and where the browser is then."""
    flow = Flow(app, browser or Browser(), scope=scope)
    page = flow.open()
    form = re.search(r'<form method="post" action="(/sso/[^"]+)"', page.text)
    assert form, page.text
    sent = provider.asked(flow.browser.post(unescape(form[1])))
    return flow, provider.return_to(flow.browser, sent)


def tokens_of(app, provider, **options):
    flow, back = sign_in(app, provider, **options)
    assert back.status_code == 302, back.content.decode()
    assert back["Location"].startswith("/oauth2/authorize?"), back["Location"]
    flow.browser.get(back["Location"])
    return flow, flow.tokens()


def claims_of(token: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def test_first_sign_in_makes_an_end_user_and_the_second_finds_them(app, chosen, provider):
    provider.claims |= {"sub": "e1", "email": "eve@acme.example", "name": "Eve North"}
    flow, tokens = tokens_of(app, provider)
    user = User.objects.get()
    assert (user.email, user.name, user.is_end_user) == ("eve@acme.example", "Eve North", True)
    said = claims_of(tokens["id_token"])
    assert said["sub"] == str(user.pk)
    assert (said["name"], said["email"], said["email_verified"]) == ("Eve North", "eve@acme.example", True)
    assert Event.objects.filter(name="person.provisioned").count() == 1
    assert not mail.outbox
    _, more = tokens_of(app, provider)
    assert claims_of(more["id_token"])["sub"] == str(user.pk)
    assert User.objects.get() == user
    assert flow.refresh(tokens["refresh_token"]).status_code == 200
    assert flow.browser.get("/consumers/acme/").status_code == 404
    assert flow.browser.get("/operators/").status_code in (302, 404)


def test_unproven_address_is_nobodys_here(app, chosen, provider, alice):
    """The address of a member is not linked: whoever says that it is theirs gets an account of their own."""
    provider.claims |= {"sub": "e2", "email_verified": False}
    _, tokens = tokens_of(app, provider)
    user = User.objects.exclude(pk=alice.pk).get()
    assert user.is_end_user
    assert not user.has_address
    assert not EmailAddress.objects.filter(user=user).exists()
    assert SocialAccount.objects.get().user == user
    said = claims_of(tokens["id_token"])
    assert said["sub"] == str(user.pk)
    assert (said["email"], said["email_verified"]) == ("alice@acme.example", False)
    assert not mail.outbox
    _, again = tokens_of(app, provider)
    assert claims_of(again["id_token"])["sub"] == str(user.pk)


def test_unproven_person_gets_no_rights_in_the_portal_by_a_group(app, chosen, provider, acme):
    JoiningRule.objects.create(connection=chosen, consumer=acme, kind="group", value="API team", role="manager")
    Connection.objects.update(for_operators=True, operator_claim_value="API team")
    provider.claims |= {"sub": "e3", "email": "x@elsewhere.example", "groups": ["API team"]}
    tokens_of(app, provider)
    user = User.objects.get()
    assert user.is_end_user
    assert not user.is_staff
    assert not Membership.objects.exists()
    provider.claims |= {"email": "x@acme.example"}  # proven now: it becomes theirs, and the rules apply
    Connection.objects.update(for_operators=False, operator_claim_value="")
    tokens_of(app, provider)
    user.refresh_from_db()
    assert (user.email, user.is_end_user) == ("x@acme.example", False)
    assert EmailAddress.objects.get(user=user).primary
    assert Membership.objects.get().user == user


def test_member_signs_in_by_the_connection_as_themselves(app, chosen, provider, alice):
    _, tokens = tokens_of(app, provider)
    assert claims_of(tokens["id_token"])["sub"] == str(alice.pk)
    assert User.objects.get() == alice


def test_connection_that_no_api_has_chosen_makes_nobody_an_end_user(app, chosen, provider, publisher, api):
    other = ScriptedProvider(publisher, "/other", claims={"sub": "1", "email": "o@acme.example"})
    connection = connect(other, slug="other")
    answer = other.sign_in(Browser(), connection)
    assert answer.status_code == 403
    set_sign_in(api=api, values={"sign_in": "members"}, actor=SYSTEM)
    provider.claims |= {"sub": "e4", "email": "eve@acme.example"}
    assert provider.sign_in(Browser(), chosen).status_code == 403
    assert not User.objects.exists()


# -- Roles by group ---------------------------------------------------------------------------------------------------


def test_roles_follow_the_groups_of_each_connection(app, chosen, provider, publisher, api, acme):
    driver, chief = (ApiRole.objects.create(api=api, value=value, name=value) for value in ("driver", "chief"))
    second = ScriptedProvider(publisher, "/second", claims={"sub": "s1", "email_verified": True, "groups": ["All"]})
    other = connect(second, slug="second", name="Second")
    Domain.objects.create(connection=other, name="northwind.example", challenge="c", verified_at=other.created_at)
    api.sign_in_connections.add(other)
    for connection, group, role in ((chosen, "Drivers", driver), (chosen, "Chiefs", chief), (other, "All", driver)):
        GroupRole.objects.create(connection=connection, group=group, role=role)
    provider.claims |= {"sub": "e5", "email": "eve@acme.example", "groups": ["Drivers", "Chiefs", "Others"]}
    flow, tokens = tokens_of(app, provider)
    assert claims_of(tokens["access_token"])["roles"] == ["chief", "driver"]
    provider.claims |= {"groups": ["Drivers"]}
    tokens_of(app, provider)
    refreshed = flow.refresh(tokens["refresh_token"]).json()
    assert claims_of(refreshed["access_token"])["roles"] == ["driver"]

    user = User.objects.get()
    account = SocialAccount.objects.create(user=user, provider=second.issuer, uid="s1", extra_data={})
    Identity.objects.create(account=account, connection=other)
    second.sign_in(Browser(), other)
    assert set(RoleGrant.objects.values_list("connection__slug", "role__value")) == {
        ("acme-okta", "driver"),
        ("second", "driver"),
    }
    provider.claims |= {"groups": []}
    tokens_of(app, provider)
    assert list(RoleGrant.objects.values_list("connection__slug")) == [("second",)]
    set_sign_in(api=api, values={}, connections=[chosen], actor=SYSTEM)
    delete_connection(connection=other, actor=SYSTEM)
    assert not RoleGrant.objects.exists()


def test_role_by_group_counts_at_the_consumers_of_the_connection(app, chosen, provider, api, acme, globex):
    driver = ApiRole.objects.create(api=api, value="driver", name="Driver")
    GroupRole.objects.create(connection=chosen, group="Drivers", role=driver)
    chosen.consumers.set([acme, globex])
    provider.claims |= {"sub": "e6", "email": "eve@acme.example", "groups": ["Drivers"]}
    _, tokens = tokens_of(app, provider)
    assert claims_of(tokens["access_token"])["roles"] == ["driver"]
    eve = RoleGrant.objects.get(consumer=globex).user
    assert roles_of(eve, globex.pk, api.identifier) == ["driver"]
    chosen.consumers.set([acme])
    assert roles_of(eve, globex.pk, api.identifier) == [], "at once"
    chosen.consumers.set([])
    _, tokens = tokens_of(app, provider)
    assert claims_of(tokens["access_token"])["roles"] == ["driver"]
    assert [grant.consumer for grant in RoleGrant.objects.all()] == [None]


@pytest.mark.parametrize("end", ["unlinked", "off"])
def test_role_by_group_ends_with_the_identity_and_the_connection(app, chosen, provider, api, acme, end):
    driver = ApiRole.objects.create(api=api, value="driver", name="Driver")
    GroupRole.objects.create(connection=chosen, group="Drivers", role=driver)
    provider.claims |= {"sub": "e6", "email": "eve@acme.example", "groups": ["Drivers"]}
    tokens_of(app, provider)
    eve = RoleGrant.objects.get().user
    assert roles_of(eve, acme.pk, api.identifier) == ["driver"]
    if end == "unlinked":
        unlink(identity=Identity.objects.get(account__user=eve), actor=SYSTEM)
    else:
        Connection.objects.update(sign_in="off")
    assert roles_of(eve, acme.pk, api.identifier) == []


def test_people_of_another_customers_provider_stay_out(app, chosen, provider, globex):
    chosen.consumers.set([globex])
    provider.claims |= {"sub": "e8", "email": "eve@acme.example"}
    page = Flow(app, Browser()).open().text
    assert str(chosen) not in page, "nor does anybody learn who is a customer"
    chosen.consumers.set([])
    flow, back = sign_in(app, provider)
    chosen.consumers.set([globex])
    assert flow.browser.get(back["Location"]).status_code == 403


def test_end_user_signs_in_at_the_provider_and_in_no_other_way(app, chosen, provider):
    provider.claims |= {"sub": "e9", "email": "eve@acme.example"}
    tokens_of(app, provider)
    browser = Browser()
    sign_in_to(browser, User.objects.get(email="eve@acme.example"))  # such as by a passkey
    assert Flow(app, browser).open().status_code == 403


def test_provider_s_second_factor_counts(app, chosen, provider, api):
    Api.objects.filter(pk=api.pk).update(requires_two_factors=True)
    provider.claims |= {"sub": "e7", "email": "eve@acme.example", "amr": ["pwd"]}
    flow, back = sign_in(app, provider)
    page = flow.browser.get(back["Location"])
    assert page.status_code == 403
    assert "Set up a second factor" in page.text
    provider.claims |= {"amr": ["pwd", "otp", "mfa"]}
    _, tokens = tokens_of(app, provider)
    assert "mfa" in claims_of(tokens["id_token"])["amr"]


def test_access_tokens_that_are_asked_about_say_the_roles(app, chosen, provider, api):
    driver = ApiRole.objects.create(api=api, value="driver", name="Driver")
    GroupRole.objects.create(connection=chosen, group="Drivers", role=driver)
    provider.claims |= {"sub": "e8", "email": "eve@acme.example", "groups": ["Drivers"]}
    flow, tokens = tokens_of(app, provider)
    assert app.introspect(tokens["access_token"])["roles"] == ["driver"]
    assert returned(flow.open())["code"]
