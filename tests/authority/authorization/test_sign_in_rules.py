"""Who may sign in to an app, as the APIs say whose scopes it asks for."""

import re
from html import unescape

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client as Browser

from clients.actions.apis import set_access
from clients.models import Api, Scope, SelfRegistration
from connections.models import Connection, ConnectionSession, Identity
from consumers.audit import SYSTEM
from consumers.models import Membership, User
from consumers.scopes import AUDIENCE
from tests.authority.conftest import Program
from tests.authority.endpoints.test_rfc8628_device_grant import Device
from tests.authority.flows import Flow, returned
from tests.factories import ApiFactory, ClientFactory, MembershipFactory, ScopeFactory, record_methods, sign_in_to

pytestmark = pytest.mark.django_db


def browser_for(user) -> Browser:
    """Return a browser in which the person has signed in: at their connection, if they have one."""
    browser = Browser()
    sign_in_to(browser, user)
    for identity in Identity.objects.filter(account__user=user):
        ConnectionSession.objects.create(session_key=browser.session.session_key, identity=identity)
    return browser


def is_refused(response) -> bool:
    assert response.status_code in (200, 303, 403), response.content
    return "This account cannot use" in response.text


def okta(*apis, **fields):
    """Return a connection whose people these APIs let sign in."""
    made = Connection.objects.create(
        **{"slug": "okta", "name": "Northwind Okta", "issuer": "https://okta.example", "client_id": "us"}
        | {"sign_in": "offered"}
        | fields
    )
    for api in apis:
        Api.objects.filter(pk=api.pk).update(sign_in="connections")
        api.sign_in_connections.add(made)
    return made


def end_user(connection, email="eve@northwind.example"):
    user = User.objects.create_end_user(email=email, name="Eve North")
    account = SocialAccount.objects.create(user=user, provider=connection.issuer, uid=str(user.pk), extra_data={})
    Identity.objects.create(account=account, connection=connection, email=email)
    return user


# -- Members ----------------------------------------------------------------------------------------------------------


def test_members_sign_in_and_nobody_else(web, alice, bob, mallory, olga):
    for member in (alice, bob):
        assert "access_token" in Flow(web, browser_for(member)).tokens()
    for stranger in (mallory, olga):
        assert is_refused(Flow(web, browser_for(stranger)).open())


def test_way_back_tells_the_client(web, mallory):
    flow = Flow(web, browser_for(mallory))
    page = flow.open()
    assert page.status_code == 403
    assert "Ask one of its managers to invite you." in page.text
    form = re.search(r'action="([^"]+/decision[^"]*)"', page.text)[1]
    signed = re.search(r'name="signed_request" value="([^"]+)"', page.text)[1]
    back = flow.browser.post(unescape(form), {"signed_request": unescape(signed), "decision": "deny"})
    assert returned(back)["error"] == "access_denied"
    allowed = flow.browser.post(unescape(form), {"signed_request": unescape(signed), "decision": "allow"})
    assert is_refused(allowed)


def test_without_asking_the_client_is_told_at_once(web, mallory):
    flow = Flow(web, browser_for(mallory), prompt="none")
    assert returned(flow.open())["error"] == "access_denied"
    assert returned(Flow(web, Browser(), prompt="none").open())["error"] == "login_required"


def test_another_account_can_go_on(web, mallory, alice):
    flow = Flow(web, browser_for(mallory))
    switch = unescape(re.search(r'action="([^"]+/switch[^"]*)"', flow.open().text)[1])
    assert "/account/login/" in flow.browser.post(switch)["Location"]
    sign_in_to(flow.browser, alice)
    assert flow.code()


def test_who_left_gets_no_more_tokens(web, bob):
    flow = Flow(web, browser_for(bob))
    tokens = flow.tokens()
    Membership.objects.filter(user=bob).delete()
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_openid_alone_is_for_members_too(web, alice, mallory):
    assert Flow(web, browser_for(alice), scope="openid").code()
    assert is_refused(Flow(web, browser_for(mallory), scope="openid").open())


def test_client_that_registered_itself_is_for_members_of_whoever_may_use_the_api(web, globex, api, alice, mallory):
    SelfRegistration.objects.create(client=web.client, method="open")
    assert is_refused(Flow(web, browser_for(mallory)).open())
    set_access(consumer=globex, scopes=list(api.scopes.all()), actor=SYSTEM)
    for member in (alice, mallory):
        assert "access_token" in Flow(web, browser_for(member)).tokens()


# -- Connections ------------------------------------------------------------------------------------------------------


def test_end_user_of_a_chosen_connection_signs_in_until_it_is_chosen_no_more(web, api, alice, mallory):
    connection = okta(api)
    flow = Flow(web, browser_for(end_user(connection)))
    tokens = flow.tokens()
    refreshed = flow.refresh(tokens["refresh_token"]).json()
    assert "access_token" in Flow(web, browser_for(alice)).tokens()
    assert is_refused(Flow(web, browser_for(mallory)).open())
    other = okta(slug="other", issuer="https://other.example", name="Other")
    page = Flow(web, browser_for(end_user(other, "o@other.example"))).open()
    assert is_refused(page)
    assert "for people of Northwind Okta" in " ".join(page.text.split())
    api.sign_in_connections.set([other])
    assert flow.refresh(refreshed["refresh_token"]).json()["error"] == "invalid_grant"
    assert is_refused(flow.open())


def test_connection_that_is_off_lets_nobody_in(web, api):
    connection = okta(api)
    flow = Flow(web, browser_for(end_user(connection)))
    tokens = flow.tokens()
    Connection.objects.update(sign_in="off")
    assert is_refused(flow.open())
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_page_of_the_connections_asks_which(web, api):
    okta(api)
    page = Flow(web, Browser()).open()
    assert page.status_code == 200
    assert "Continue with Northwind Okta" in page.text
    assert 'action="/sso/okta/login?next=' in page.text
    assert "Sign in to" in page.text
    Connection.objects.update(sign_in="off")
    assert "Nobody can sign in with an identity provider" in Flow(web, Browser()).open().text


def test_scopes_of_two_apis_are_for_whom_both_let_in(web, api, acme, alice):
    first, second = okta(api), okta(slug="second", issuer="https://second.example", name="Second")
    invoices = ApiFactory(name="Invoices", identifier="https://api.example.com/invoices")
    ScopeFactory(api=invoices, value="invoices:read", name="Read invoices")
    set_access(consumer=acme, scopes=list(Scope.objects.exclude(api__identifier=AUDIENCE)), actor=SYSTEM)
    web.client.scopes += ["invoices:read"]
    web.client.save()
    both = "openid shipments:read invoices:read"
    person = end_user(first)
    assert is_refused(Flow(web, browser_for(person), scope=both).open())
    assert Flow(web, browser_for(person)).code()
    Api.objects.filter(pk=invoices.pk).update(sign_in="connections")
    invoices.sign_in_connections.set([first, second])
    page = Flow(web, Browser(), scope=both).open().text
    assert "Northwind Okta" in page
    assert "Second" not in page
    assert "Allow" in Flow(web, browser_for(person), scope=both).open().text
    Api.objects.filter(pk=invoices.pk).update(sign_in="own_login", login_url="https://login.example.com/")
    assert returned(Flow(web, browser_for(alice), scope=both).open())["error"] == "invalid_scope"


def test_management_api_stays_with_the_people_of_the_portal(web, api, acme, alice):
    connection = okta(api)
    management = Scope.objects.filter(api__identifier=AUDIENCE, value__endswith="clients:read")
    set_access(consumer=acme, scopes=[*api.scopes.all(), *management], actor=SYSTEM)
    web.client.scopes += [management.get().value]
    web.client.save()
    scope = f"openid {management.get().value}"
    assert "Allow" in Flow(web, browser_for(alice), scope=scope).open().text
    flow = Flow(web, browser_for(end_user(connection)), scope=scope)
    token = flow.exchange(returned(flow.decide(scope=[management.get().value]))["code"]).json()["access_token"]
    found = Browser().get("/admin/clients", headers={"Authorization": f"Bearer {token}"})
    assert (found.status_code, found.json()) == (200, [])  # it reaches nothing


# -- How they sign in -------------------------------------------------------------------------------------------------


@pytest.mark.compliance("OpenID Connect Core", "3.1.2.1")
def test_who_signed_in_longer_ago_than_an_api_wants_signs_in_again(web, api, alice):
    Api.objects.filter(pk=api.pk).update(reauthenticate_after=600)
    flow = Flow(web, browser_for(alice))
    record_methods(flow.browser, alice, "password", age=500)
    assert "Allow" in flow.open().text
    assert "/reauthenticate/" in Flow(web, flow.browser, max_age="300").open()["Location"]
    record_methods(flow.browser, alice, "password", age=700)
    assert "/reauthenticate/" in flow.open()["Location"]
    assert "/reauthenticate/" in Flow(web, flow.browser, max_age="9000").open()["Location"]
    assert returned(Flow(web, flow.browser, prompt="none").open())["error"] == "login_required"


def test_two_factors_are_those_of_here_or_of_the_provider(web, api, alice):
    Api.objects.filter(pk=api.pk).update(requires_two_factors=True)
    flow = Flow(web, browser_for(alice))
    page = flow.open()
    assert page.status_code == 403
    assert "Set up a second factor" in page.text
    assert returned(Flow(web, flow.browser, prompt="none").open())["error"] in ("login_required", "consent_required")
    session = flow.browser.session
    session["account_authentication_methods"] = [{"method": "socialaccount", "at": 9e9, "amr": ["pwd", "mfa"]}]
    session.save()
    assert flow.code()


def test_consent_is_asked_for_each_time_where_the_api_wants_it(web, api, alice):
    flow = Flow(web, browser_for(alice))
    assert flow.code()
    assert "code" in returned(flow.open())
    Api.objects.filter(pk=api.pk).update(asks_consent_each_time=True)
    assert "Allow" in flow.open().text
    assert returned(Flow(web, flow.browser, prompt="none").open())["error"] == "consent_required"


# -- Devices ----------------------------------------------------------------------------------------------------------


def test_device_is_allowed_by_whom_the_api_lets_in(acme, acme_access, api, alice, mallory):
    scopes = ["openid", "shipments:read", "shipments:write"]
    program = Program(ClientFactory(consumer=acme, client_name="Yard", template="device", scopes=scopes))
    device = Device(program, browser_for(mallory))
    code = {"user_code": device.begin()["user_code"]}
    assert is_refused(device.browser.post("/device", code))
    assert is_refused(device.decide())
    assert device.error() == "authorization_pending"
    device.browser = browser_for(alice)
    Api.objects.filter(pk=api.pk).update(requires_two_factors=True)
    assert "Set up a second factor" in device.decide().text
    Api.objects.filter(pk=api.pk).update(requires_two_factors=False, reauthenticate_after=60)
    record_methods(device.browser, alice, "password", age=100)
    assert "/reauthenticate/" in device.decide()["Location"]
    record_methods(device.browser, alice, "password")
    assert "connected" in device.decide().text
    end = Device(program, browser_for(end_user(okta(api))))
    end.begin()
    assert "connected" in end.decide().text
    other = Device(program, device.browser)
    other.begin()
    Api.objects.filter(pk=api.pk).update(sign_in="own_login", login_url="https://login.example.com/")
    assert "People sign in to Yard elsewhere" in other.decide().text


def test_member_is_no_end_user_and_nor_is_an_operator(acme):
    connection = okta()
    member, operator = end_user(connection), end_user(connection, "o@northwind.example")
    assert member.is_end_user
    MembershipFactory(consumer=acme, user=member)
    operator.is_staff = True
    operator.save()
    assert not User.objects.filter(is_end_user=True).exists()
