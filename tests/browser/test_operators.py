"""Every page of the admin, light and dark, wide and narrow, by the rules of WCAG 2.2 AA."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from clients.actions.permission_requests import request_permission
from clients.actions.workspace_requests import confirm_workspace_request, decline_workspace, request_workspace
from clients.models import Api, Client
from consumers.actions.consumers import update_consumer
from consumers.audit import SYSTEM
from consumers.models import Consumer, Event, User
from core.models import Message
from tests.factories import ScopeFactory

pytestmark = pytest.mark.browser
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
LISTS = [
    "consumers/consumer",
    "clients/client",
    "clients/api",
    "consumers/event",
    "core/message",
    "consumers/user",
]


@pytest.fixture(scope="module")
def addresses(server):
    """Return the address of each list, form, row, deletion and deed."""
    with server.database():
        Message.objects.create(recipients="x@acme.example", subject="Hello", state="failed", last_error="550 unknown")
        acme = Consumer.objects.get(slug="acme")
        client = Client.objects.get(client_id=server.demo["clients"]["service"]["client_id"])
        membership, secret = acme.memberships.first(), client.secrets.first()
        for email in ("axe@gmail.com", "axe@axe.example"):
            asked, token = request_workspace(
                email=email, name="Axe", organisation="Axe", reason="A look", scopes=["shipments:read"], actor=SYSTEM
            )
            confirm_workspace_request(token=token, actor=SYSTEM)
        decline_workspace(request=asked, decision="No such company", actor=SYSTEM)
        invoices = ScopeFactory(api=Api.objects.last(), value="axe:write", name="Write")
        request_permission(consumer=acme, scope=invoices.value, reason="A look", actor=SYSTEM)
        rows = [acme, client, Api.objects.first(), Event.objects.first(), Message.objects.first(), User.objects.first()]
        return [
            "",
            "inspect/",
            "requests/",
            "requests/?state=decided",
            *(f"{name}/" for name in LISTS),
            *(f"{name}/add/" for name in ("consumers/consumer", "clients/api", "consumers/user", "auth/group")),
            *(f"{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/" for row in rows),
            *(f"clients/{row._meta.model_name}/{row.pk}/delete/" for row in rows[1:3]),
            f"consumers/consumer/{acme.pk}/actions/suspend/",
            f"consumers/consumer/{acme.pk}/actions/remove/{membership.pk}/",
            f"clients/client/{client.pk}/actions/revoke/{secret.pk}/",
        ]


@pytest.fixture
def operator(visitor, server):
    def arrive(**options):
        somebody = visitor(**options)
        somebody.sign_in(server.demo["operator"]["email"], server.demo["operator"]["password"])
        return somebody

    return arrive


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])  # neither depends on the other
def test_pages_pass_axe_and_fit_the_screen(operator, addresses, theme, width):
    olga = operator(theme=theme, width=width)
    for address in addresses:
        page = olga.open(f"/operators/{address}")
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found] == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address


def test_enter_in_a_field_saves_and_does_no_deed(operator, addresses, server):
    with server.database():
        acme = Consumer.objects.get(slug="acme")
        members = acme.memberships.count()
    page = operator().open(f"/operators/consumers/consumer/{acme.pk}/change/")
    page.get_by_label("External ID").fill("CRM-1")
    page.get_by_label("External ID").press("Enter")
    page.wait_for_url("**/consumers/consumer/")
    with server.database():
        acme.refresh_from_db()
        assert acme.external_id == "CRM-1"
        assert acme.memberships.count() == members


def test_desk_works_without_scripts(operator, server):
    page = operator(scripts=False).open("/operators/")
    page.get_by_role("link", name="Consumers", exact=True).first.click()
    page.get_by_role("link", name="Add consumer").click()
    page.get_by_label("Name", exact=False).first.fill("Juniper Motors")
    page.get_by_label("Short name").fill("juniper")
    page.get_by_label("Email addresses").fill("sam@juniper.example")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Revoke the invitation of sam@juniper.example").click()
    page.get_by_text("Revoked").first.wait_for()
    page.get_by_role("link", name="Suspend Juniper Motors").click()
    page.get_by_role("button", name="Suspend Juniper Motors").click()
    page.get_by_text("nobody can enter its workspace").wait_for()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_page_that_somebody_changed_meanwhile_says_so(operator, server, theme, width):
    with server.database():
        acme = Consumer.objects.get(slug="acme")
    page = operator(theme=theme, width=width).open(f"/operators/consumers/consumer/{acme.pk}/change/")
    meanwhile = {"external_id": f"CRM-{width}", "claims": {"tier": width, "region": "eu"}}
    with server.database():
        update_consumer(consumer=acme, change=lambda _: meanwhile, actor=SYSTEM)
    page.get_by_label("External ID").fill(f"MINE-{width}")
    page.locator("[name=test_token_lifetime]").fill("600")
    page.get_by_role("button", name="Save", exact=True).first.click()
    told = page.get_by_role("alert").filter(has_text="while you were editing")
    assert f"CRM-{width}" in told.inner_text()
    assert page.get_by_label("External ID").input_value() == f"MINE-{width}"
    assert '"region": "eu"' in page.locator("[name=claims]").input_value()
    assert Axe().run(page, options=RULES).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Save", exact=True).first.click()
    page.wait_for_url("**/consumers/consumer/")
    with server.database():
        acme.refresh_from_db()
        assert (acme.external_id, acme.claims, acme.test_token_lifetime) == (f"MINE-{width}", meanwhile["claims"], 600)
