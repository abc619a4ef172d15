"""Each page passes axe's WCAG 2.2 AA rules, in light and dark, wide and narrow, and never scrolls sideways."""

from datetime import timedelta

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page

from authority.models import Consent
from clients.actions.permission_requests import request_permission
from clients.actions.workspace_requests import request_workspace
from clients.models import (
    Client,
    ClientSecret,
    InitialAccessToken,
    PermissionRequest,
    TrustedIssuer,
    TrustRule,
    WorkspaceRequest,
)
from clients.vocabulary import AuthMethod
from consumers.actions.portal_links import create_portal_link
from consumers.audit import SYSTEM
from consumers.models import Consumer, Invitation, Membership, PersonalToken, PortalLink, User
from tests.authority.signed_in import sign_in_at
from tests.browser.pages import MANAGER, SIGNED_OUT, WITH_SECOND_FACTOR, pages_of_the_portal
from tests.factories import (
    AccessFactory,
    ApiFactory,
    ClientFactory,
    ConsumerFactory,
    ScopeFactory,
    hold_second_factor,
)

AXE = Axe()
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture(scope="session")
def world(server, mail):
    """What the paths' places stand for, in the demo that is served."""
    server.shell(
        "from consumers.actions.invitations import invite_manager; from consumers.audit import SYSTEM; "
        "invite_manager(consumer=Consumer.objects.get(slug='acme'), email='axe@acme.example', actor=SYSTEM)"
    )
    redirect_uri = "http://127.0.0.1:8400/signed-in"
    # An app that nobody has allowed anything yet, whatever other tests did in this demo.
    app, _ = server.register("web", redirect_uris=(redirect_uri,), scope=("openid", "shipments:read"))
    with server.database():
        acme = Consumer.objects.get(slug="acme")
        _, portal_link = create_portal_link(
            consumer=acme, email="axe@acme.example", return_to="https://app.example.com/", actor=SYSTEM
        )
        workspace, workspace_request = request_workspace(
            email="axe@acme.example", name="Axe", organisation="Axe", reason="A look", actor=SYSTEM
        )
        WorkspaceRequest.objects.filter(pk=workspace.pk).update(state="open", verified_at=timezone.now())
        api = ApiFactory(name="Invoices", identifier="https://api.meridian.example/axe")
        asked, other = (ScopeFactory(api=api, value=f"axe:{verb}", name=f"{verb} invoices") for verb in ("read", "pay"))
        permission_request = request_permission(consumer=acme, scope=asked.value, reason="A look", actor=SYSTEM)
        PermissionRequest.objects.update(state="asked", question="Why?")
        PortalLink.objects.update(expires_at=timezone.now() + timedelta(days=1))  # the pages take minutes
        clients = {key: made["client_id"] for key, made in server.demo["clients"].items()}
        issuer = TrustedIssuer.objects.create(name="CI", platform="github", issuer="https://ci.example.com")
        deploy = ClientFactory(
            consumer=acme, client_name="Deploy", token_endpoint_auth_method=AuthMethod.FEDERATED.value
        )
        TrustRule.objects.create(client=deploy, issuer=issuer, audience="us", claims={"repository": "acme/billing"})
        refusing = _apps_that_refuse(acme, redirect_uri)
        sign_in_at(Client.objects.get(client_id=clients["web"]), User.objects.get(email="alice@acme.example"))
        places = clients | {
            "portal_link": portal_link,
            "workspace_request": workspace_request,
            "permission_request": permission_request.pk,
            "scope": other.pk,
            "deploy": deploy.client_id,
            "issuer": issuer.pk,
            "secret": ClientSecret.objects.live()
            .filter(client__client_id=clients["service"])
            .earliest("created_at")
            .pk,
            "member": Membership.objects.get(consumer=acme, user__email="bob@acme.example").pk,
            "token": PersonalToken.objects.get(user__email="alice@acme.example", name="Demo", revoked_at=None).pk,
            "initial_access_token": InitialAccessToken.objects.get(consumer=acme, name="Demo").pk,
            "app": Consent.objects.get_or_create(
                user=User.objects.get(email="alice@acme.example"), client=Client.objects.get(client_id=app)
            )[0].pk,
            "pending": Invitation.objects.get(email="axe@acme.example").pk,
        }
    link = mail.link_to("axe@acme.example", "/invitations/")
    return places | {
        "no_connection": _authorize(refusing["depot"], redirect_uri, "openid depot:read"),
        "not_admitted": _authorize(refusing["axe"], redirect_uri, "openid"),
        "one_factor": _authorize(refusing["ledger"], redirect_uri, "openid ledger:read"),
        "invitation": link.rstrip("/").rsplit("/", 1)[-1],
        "message": mail.page_of("axe@acme.example"),
        "authorize": _authorize(app, redirect_uri, "openid shipments:read"),
    }


def _apps_that_refuse(acme: Consumer, redirect_uri: str) -> dict[str, str]:
    """Return apps by what Alice lacks there: a connection that is live, membership, and a second factor."""
    consumers = {"depot": acme, "ledger": acme, "axe": ConsumerFactory(name="Axe", slug="axe")}
    rules = {"depot": {"sign_in": "connections"}, "ledger": {"requires_two_factors": True}}
    for name, rule in rules.items():
        api = ApiFactory(name=name.capitalize(), identifier=f"https://api.meridian.example/{name}", **rule)
        AccessFactory(consumer=acme, scope=ScopeFactory(api=api, value=f"{name}:read", name=f"Read the {name}"))
    return {
        name: ClientFactory(
            consumer=consumer,
            client_name=f"App of {name}",
            template="web",
            scopes=["openid", *([f"{name}:read"] if name in rules else [])],
            redirect_uris=[redirect_uri],
        ).client_id
        for name, consumer in consumers.items()
    }


def _authorize(client_id: str, redirect_uri: str, scope: str) -> str:
    return (
        f"/oauth2/authorize?response_type=code&scope={scope.replace(' ', '+')}&state=s&client_id={client_id}"
        f"&redirect_uri={redirect_uri}&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )


def findings(visitor, opened, world) -> list[str]:
    page = visitor.open(opened.path.format(**world))
    assert visitor.status == opened.status, f"{opened.path}: {visitor.status}"
    return complaints(page, opened.path)


def complaints(page: Page, place: str) -> list[str]:
    response = AXE.run(page, options=RULES).response
    found = [
        f"{place}: {violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in response["violations"]
        for node in violation["nodes"]
    ]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append(f"{place}: scrolls sideways at {page.viewport_size}")
    return found


def test_every_page_is_listed():
    assert {opened.name for opened in SIGNED_OUT + MANAGER + WITH_SECOND_FACTOR} - {"404"} == pages_of_the_portal()


def everywhere(test):
    """Run a test in light and wide, and in dark and narrow: colours and layout do not depend on each other."""
    return pytest.mark.browser(pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])(test))


@everywhere
def test_pages_for_everybody_pass(visitor, world, theme, width):
    guest = visitor(width=width, theme=theme)
    assert [finding for opened in SIGNED_OUT for finding in findings(guest, opened, world)] == []


@everywhere
def test_pages_of_a_manager_pass(visitor, server, world, theme, width):
    alice = visitor(width=width, theme=theme)
    alice.sign_in(server.demo["managers"][0]["email"], server.demo["managers"][0]["password"])
    assert [finding for opened in MANAGER for finding in findings(alice, opened, world)] == []


@everywhere
def test_pages_of_a_person_with_a_second_factor_pass(visitor, server, world, theme, width):
    with server.database():
        person = User.objects.get(name="Bob Young")
        hold_second_factor(person)
        code = RecoveryCodes.activate(person).get_unused_codes()[0]
    bob = visitor(width=width, theme=theme)
    bob.sign_in(server.demo["managers"][1]["email"], server.demo["managers"][1]["password"])
    page = bob.page
    page.get_by_role("heading", name="Second factor").wait_for()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/consumers/**")
    try:
        assert [finding for opened in WITH_SECOND_FACTOR for finding in findings(bob, opened, world)] == []
    finally:
        server.shell("from allauth.mfa.models import Authenticator; Authenticator.objects.all().delete()")


@everywhere
def test_where_an_operator_sets_a_second_factor_up_passes(visitor, server, theme, width):
    olga = visitor(width=width, theme=theme)
    olga.sign_in(server.demo["operator"]["email"], server.demo["operator"]["password"])
    assert complaints(olga.open("/operators/security/"), "second factor") == []


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 320)])
def test_refused_forms_open_dialogs_and_the_secret_shown_once_pass(visitor, server, world, theme, width):
    alice = visitor(width=width, theme=theme)
    alice.sign_in(server.demo["managers"][0]["email"], server.demo["managers"][0]["password"])
    page, found, name = alice.page, [], f"{theme:W<100}"

    alice.open("/consumers/acme/clients/new")
    page.get_by_role("button", name="Create client").click()
    page.locator("#errors:focus").wait_for()
    found += complaints(page, "registration refused")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Read shipments").check()
    page.get_by_role("button", name="Create client").click()
    page.locator("#client-secret, #errors").wait_for()
    assert page.locator("#errors").all_inner_texts() == []
    found += complaints(page, "secret shown once")
    page.get_by_role("link", name="I have saved it").click()
    for tab, link, deed in [
        ("Secrets", "Rotate", "Create secret"),
        ("Secrets", "Create secret", ""),
        ("Secrets", "Revoke", ""),
        ("Settings", "Disable client", ""),
        ("Settings", "Delete client", "Delete client"),
    ]:
        page.get_by_role("navigation", name=name).get_by_role("link", name=tab).click()
        page.get_by_role("link", name=link).click()
        dialog = page.get_by_role("dialog")
        dialog.wait_for()
        found += complaints(page, link)
        if link == "Rotate":
            dialog.get_by_label("On a date").check()
        if deed:
            dialog.get_by_role("button", name=deed).click()
            dialog.locator("#errors:focus").wait_for()
            found += complaints(page, f"{link}, refused")
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
    alice.open("/consumers/acme/people/invite/")
    page.get_by_role("button", name="Send invitation").click()
    page.locator("#errors:focus").wait_for()
    found += complaints(page, "invitation refused")
    assert found == []


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width"), [("dark", 1280), ("light", 320)])
def test_open_menus_pass(visitor, server, world, theme, width):
    alice = visitor(width=width, theme=theme)
    alice.sign_in(server.demo["managers"][0]["email"], server.demo["managers"][0]["password"])
    page = alice.open("/consumers/acme/")
    found = []
    if width == 320:
        page.get_by_text("Menu", exact=True).click()
        found += complaints(page, "narrow menu")
    else:
        for opener, menu in [("Workspace", "workspaces"), ("Manager", "account")]:
            page.locator("button.who", has_text=opener).click()
            page.locator(f"#{menu}:popover-open").wait_for()
            found += complaints(page, f"menu {menu}")
            page.keyboard.press("Escape")
            page.locator("button.who:focus").wait_for()
    assert found == []
