"""People come from where they are: real providers, a real browser, each path from the first page to the last."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from clients.actions.sign_in_rules import set_sign_in
from clients.models import Api, Client, SignInBy
from connections.actions import connections as actions
from connections.actions import domains
from connections.models import Connection, Identity, JoiningRule
from consumers.audit import SYSTEM
from consumers.models import Consumer, Membership, Role, User
from tests import patient
from tests.browser.identity_providers import SECRET, RealProvider, oidc_provider, toolkit
from tests.browser.test_accessibility import complaints
from tests.browser.test_passkeys import with_authenticator

pytestmark = pytest.mark.browser


def add(server, slug: str, issuer: str, *trusted: str, **fields) -> None:
    """Add a connection as an operator would, with domains that the operator vouches for."""
    secret = "" if slug.endswith("keys") else SECRET
    method = "client_secret_basic" if secret else "private_key_jwt"
    with server.database():
        connection = actions.create_connection(
            connection=Connection(
                name=slug.replace("-", " ").title(),
                slug=slug,
                issuer=issuer,
                client_id=f"portal-at-{slug}",
                client_authentication=method,
                sign_in="offered",
                scopes=["openid", "profile", "email", *([] if "toolkit" in slug else ["groups"])],
                **fields,
            ),
            client_secret=secret,
            actor=SYSTEM,
        )
        for name in trusted:
            domain = domains.add_domain(connection=connection, name=name, actor=SYSTEM)
            domains.verify_domain(domain=domain, by="a test", actor=SYSTEM)


@pytest.fixture(autouse=True)
def local_providers(settings):
    """Let this process name providers on loopback addresses too, as the server does."""
    settings.FETCH_LOCAL_HOSTS = ["127.0.0.1"]


@pytest.fixture
def clean(server) -> Iterator[None]:
    """Leave no connection behind: it would change the page that other tests sign in on."""
    yield
    with server.database():
        Api.objects.update(sign_in=SignInBy.MEMBERS)
        for connection in Connection.objects.all():
            Connection.objects.filter(pk=connection.pk).update(sign_in="offered", required_at=None)
            actions.delete_connection(connection=connection, actor=SYSTEM)


@pytest.fixture
def okta(server, clean, tmp_path) -> Iterator[RealProvider]:
    """A provider that knows Alice of Acme, and the portal by a secret."""
    alice = {"email": "alice@acme.example", "email_verified": True, "name": "Alice Martin", "groups": []}
    with oidc_provider(server, "acme-okta", tmp_path, alice=alice) as provider:
        add(server, "acme-okta", provider.issuer, "acme.example")
        yield provider


def begin(visitor, email: str, name: str):
    """Enter the address, and go to where it leads."""
    page = visitor.open("/account/login/")
    page.get_by_label("Email address").fill(email)
    page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_role("button", name=f"Continue with {name}").click()
    return page


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_manager_signs_in_by_the_domain_of_her_address(okta, server, visitor, scripts):
    alice = visitor(scripts=scripts)
    page = begin(alice, "alice@acme.example", "Acme Okta")
    okta.sign_in(page, "alice")
    expect(page).to_have_url(re.compile(r"/consumers/acme/$"))
    page = alice.open("/consumers/acme/people/")
    expect(page.get_by_role("row", name="Alice Martin")).to_contain_text("Acme Okta")
    page = alice.open("/account/sessions/")
    expect(page.get_by_role("row", name="This one")).to_contain_text("Acme Okta")
    page = alice.open("/consumers/acme/activity/")
    expect(page.get_by_text("signed in").first).to_be_visible()


def test_provider_signs_out_and_the_portal_does(okta, server, visitor):
    alice = visitor()
    page = begin(alice, "alice@acme.example", "Acme Okta")
    okta.sign_in(page, "alice")
    page = alice.open(f"{okta.issuer}/session/end")
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_load_state()
    for _ in range(50):
        page = alice.open("/consumers/acme/")
        if "/account/login/" in page.url:
            break
        page.wait_for_timeout(100)
    expect(page).to_have_url(re.compile("/account/login/"))


def test_newcomer_joins_by_a_group_and_leaves_with_it(okta, server, visitor):
    with server.database():
        connection, acme = Connection.objects.get(), Consumer.objects.get(slug="acme")
        domains.create_rule(
            rule=JoiningRule(connection=connection, consumer=acme, kind="group", value="api", role=Role.VIEWER),
            actor=SYSTEM,
        )
    okta.change("nora", email="nora@acme.example", email_verified=True, name="Nora New", groups=["api"])
    nora = visitor()
    page = begin(nora, "nora@acme.example", "Acme Okta")
    okta.sign_in(page, "nora")
    expect(page).to_have_url(re.compile(r"/consumers/acme/$"))
    page = nora.open("/consumers/acme/people/")
    expect(page.get_by_role("row", name="Nora New")).to_contain_text("by Acme Okta")
    okta.change("nora", groups=[])
    again = visitor()
    page = begin(again, "nora@acme.example", "Acme Okta")
    okta.sign_in(page, "nora")
    page.wait_for_load_state()
    assert again.open("/consumers/acme/").url.endswith("/consumers/acme/")
    assert again.status == 404
    with server.database():
        nora_user = User.objects.get(email="nora@acme.example")
        assert not Membership.objects.filter(user=nora_user).exists()
        nora_user.delete()


def test_end_user_signs_in_to_an_app_for_the_first_time(okta, server, visitor):
    back = "http://127.0.0.1:8400/signed-in"
    app, secret = server.register("web", redirect_uris=(back,), scope=("openid", "email", "shipments:read"))
    with server.database():
        api = Api.objects.get(scopes__value="shipments:read")
        chosen, name = [Connection.objects.get()], Client.objects.get(client_id=app).client_name
        set_sign_in(api=api, values={"sign_in": "connections"}, connections=chosen, actor=SYSTEM)
    okta.change("eve", email="eve@elsewhere.example", email_verified=True, name="Eve North", groups=[])
    eve, verifier = visitor(), "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    request = {"response_type": "code", "client_id": app, "redirect_uri": back, "state": "s"}
    request |= {"scope": "openid email shipments:read"}
    page = eve.open(
        "/oauth2/authorize?" + urlencode(request | {"code_challenge": challenge, "code_challenge_method": "S256"})
    )
    assert complaints(page, "sign in by") == []
    eve.context.route(lambda url: url.startswith(back), lambda route: route.fulfill(body="Back"))
    page.get_by_role("button", name="Continue with Acme Okta").click()
    okta.sign_in(page, "eve")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(lambda url: url.startswith(back))
    code = parse_qs(urlsplit(page.url).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
    tokens = patient.post(f"{server.url}/oauth2/token", data=form, auth=(app, secret)).json()
    said = json.loads(base64.urlsafe_b64decode(tokens["id_token"].split(".")[1] + "=="))
    assert (said["email"], said["email_verified"]) == ("eve@elsewhere.example", False)  # no domain of the connection
    expect(eve.open("/account/apps/").get_by_text(name).first).to_be_visible()
    eve.open("/consumers/acme/")
    assert eve.status == 404


def test_stranger_is_told_why_not(okta, server, visitor):
    okta.change("sam", email="sam@acme.example", email_verified=True)
    sam = visitor()
    page = begin(sam, "sam@acme.example", "Acme Okta")
    okta.sign_in(page, "sam")
    expect(page.get_by_role("heading", level=1)).to_have_text("This portal does not know you yet")


def test_unverified_address_is_led_to_prove_the_account_and_connect(okta, server, visitor):
    """From the refusal by way of a password to the connected account."""
    okta.change("alice", email="alice@acme.example", email_verified=False)
    alice = visitor()
    page = begin(alice, "alice@acme.example", "Acme Okta")
    okta.sign_in(page, "alice")
    expect(page.get_by_role("heading", level=1)).to_have_text("Show first that the account is yours")
    page.get_by_role("link", name="Sign in and connect Acme Okta").click()
    person = next(each for each in server.demo["managers"] if each["email"] == "alice@acme.example")
    page.get_by_text("Use a password instead").click()
    form = page.locator("form", has=page.get_by_label("Password", exact=True))
    form.get_by_label("Email").fill(person["email"])
    form.get_by_label("Password", exact=True).fill(person["password"])
    form.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connect Acme Okta?")
    page.get_by_role("button", name="Sign in at Acme Okta").click()
    page.wait_for_url(lambda url: not url.startswith(okta.issuer) and "/connect/" not in url)
    expect(page.get_by_text("Acme Okta is connected")).to_be_visible()
    with server.database():
        assert Identity.objects.get().account.user.email == "alice@acme.example"


def test_required_connection_is_the_only_way_in(okta, server, visitor):
    with server.database():
        Connection.objects.update(sign_in="required", required_at=timezone.now())
    alice = visitor()
    page = alice.open("/account/login/")
    page.get_by_label("Email address").fill("alice@acme.example")
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_text("Email me a code")).to_have_count(0)
    expect(page.get_by_text("Use a passkey")).to_have_count(0)
    page.get_by_role("button", name="Continue with Acme Okta").click()
    okta.sign_in(page, "alice")
    expect(page).to_have_url(re.compile(r"/consumers/acme/$"))


def test_operator_tests_a_connection_and_reads_it_claim_by_claim(okta, server, visitor):
    with server.database():
        Connection.objects.update(sign_in="off")
    olga = visitor()
    olga.sign_in_another_way(server.demo["operator"]["email"], server.demo["operator"]["password"])
    page = olga.open("/operators/connections/connection/")
    page.get_by_role("link", name="Acme Okta").click()
    page.get_by_role("button", name="Test connection").click()
    okta.sign_in(page, "alice")
    expect(page.get_by_text("The test succeeded")).to_be_visible()
    expect(page.get_by_role("row", name="email ", exact=False).first).to_contain_text("alice@acme.example")
    expect(page.get_by_text("Issuer matches")).to_be_visible()
    expect(page.get_by_text("Nobody’s account was changed")).to_be_visible()
    with server.database():
        assert not Identity.objects.exists()
        assert Connection.objects.get().tested_at


def test_second_issuer_takes_the_portals_own_key(server, clean, visitor, tmp_path):
    mallory = {"email": "mallory@globex.example", "email_verified": True, "name": "Mallory Stern"}
    with oidc_provider(server, "globex-keys", tmp_path, mallory=mallory) as provider:
        add(server, "globex-keys", provider.issuer, "globex.example", groups_claim="")
        mallory = visitor()
        page = begin(mallory, "mallory@globex.example", "Globex Keys")
        provider.sign_in(page, "mallory")
        expect(page).to_have_url(re.compile(r"/consumers/globex/$"))


def test_toolkit_as_provider_lets_an_invited_person_in(server, clean, visitor, tmp_path):
    with toolkit(server, "tom-toolkit", tmp_path) as issuer:
        add(server, "tom-toolkit", issuer, "toolkit.example", groups_claim="")
        with server.database():
            domains.create_rule(
                rule=JoiningRule(
                    connection=Connection.objects.get(),
                    consumer=Consumer.objects.get(slug="globex"),
                    kind="domain",
                    value="toolkit.example",
                ),
                actor=SYSTEM,
            )
        tom = visitor()
        page = begin(tom, "tom@toolkit.example", "Tom Toolkit")
        expect(page).to_have_url(re.compile(r"/consumers/globex/$"))
        page = tom.open("/consumers/globex/people/")
        expect(page.get_by_role("row", name="Tom Toolkit").first).to_contain_text("Viewer")
    with server.database():
        User.objects.get(email="tom@toolkit.example").delete()


def test_code_and_passkey_stay_where_a_connection_is_offered(okta, visitor):
    page = visitor(width=390, theme="dark").open("/account/login/")
    page.get_by_label("Email address").fill("bob@acme.example")
    page.get_by_label("Email address").press("Enter")
    expect(page.get_by_role("button", name="Email me a code")).to_be_visible()
    page.get_by_role("button", name="Email me a code").click()
    expect(page).to_have_url(re.compile("/account/login/code/"))


def test_superuser_comes_back_by_a_passkey_where_the_provider_is_required(okta, server, visitor, mail):
    """The provider is down, and required of everybody: the way back in, of which all operators hear."""
    olga = visitor()
    olga.base_url = server.url.replace("127.0.0.1", "localhost")
    with_authenticator(olga)
    email, password = server.demo["operator"]["email"], server.demo["operator"]["password"]
    olga.sign_in_another_way(email, password)
    page = olga.open("/account/2fa/webauthn/add/")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("heading", name="Save your recovery codes now").wait_for()
    with server.database():
        connection = Connection.objects.get()
        domain = domains.add_domain(connection=connection, name=email.partition("@")[2], actor=SYSTEM)
        domains.verify_domain(domain=domain, by="a test", actor=SYSTEM)
        Connection.objects.update(sign_in="required", required_at=timezone.now(), for_operators=True)
    olga.open("/account/logout/").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/account/login/**")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda url: "/account/login" not in url)
    page = olga.open("/operators/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page = olga.open("/operators/consumers/event/")
    expect(page.get_by_text("although Acme Okta is required").first).to_be_visible()
    for _ in range(300):
        told = [patient.get(server.url + path).text for path in mail.pages_of(email)]
        if any("signed in by a passkey" in text for text in told):
            break
        page.wait_for_timeout(200)
    assert any("signed in by a passkey" in text for text in told)
    with server.database():
        User.objects.get(email=email).authenticator_set.all().delete()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_pages_of_connections_pass_axe(okta, server, visitor, theme, width):
    guest = visitor(theme=theme, width=width)
    page = guest.open("/account/login/")
    found = complaints(page, "the address first")
    page.get_by_label("Email address").fill("alice@acme.example")
    page.get_by_role("button", name="Continue", exact=True).click()
    found += complaints(page, "the ways in")
    with server.database():
        Connection.objects.update(sign_in="required", required_at=timezone.now())
        Connection.objects.get().consumers.add(Consumer.objects.get(slug="acme"))
    page = guest.open("/account/login/")
    page.get_by_label("Email address").fill("alice@acme.example")
    page.get_by_role("button", name="Continue", exact=True).click()
    found += complaints(page, "the one way in")
    page.get_by_role("button", name="Continue with Acme Okta").click()
    okta.sign_in(page, "alice")
    page = guest.open("/account/2fa/")
    found += complaints(page, "one's own identities")
    guest.open("/account/logout/").get_by_role("button", name="Sign out").click()
    olga = visitor(theme=theme, width=width)
    olga.sign_in_another_way(server.demo["operator"]["email"], server.demo["operator"]["password"])
    page = olga.open("/operators/connections/connection/")
    found += complaints(page, "the connections")
    page.get_by_role("link", name="Acme Okta").click()
    found += complaints(page, "a connection")
    page.get_by_role("button", name="Test connection").click()
    okta.sign_in(page, "alice")
    found += complaints(page, "a test")
    for address in ("add/", "add/?preset=okta"):
        page = olga.open(f"/operators/connections/connection/{address}")
        found += complaints(page, address)
    assert found == []
