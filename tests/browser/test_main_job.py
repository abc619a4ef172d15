"""The whole job in a real Chromium: an operator defines, managers manage, a program gets tokens, a stranger nothing."""

import json
import subprocess
import uuid

import pytest

from tests import patient
from tests.examples.conftest import python_api, python_command, uv  # noqa: F401  # fixtures

pytestmark = pytest.mark.browser


@pytest.fixture
def harbour() -> str:
    """A name for a consumer that no other test has made."""
    return f"harbour-{uuid.uuid4().hex[:8]}"


def sign_in(visitor, account) -> None:
    visitor.sign_in(account["email"], account["password"])


def define(olga, server, slug: str) -> None:
    """As the operator: an API with its scopes, and a consumer with two managers."""
    page = olga.open("/operators/")
    assert "/account/login/" in page.url
    sign_in(olga, server.demo["operator"])

    page = olga.open("/operators/clients/api/add/")
    page.get_by_label("Identifier").fill(f"https://api.meridian.example/{slug}")
    page.get_by_label("Name", exact=False).first.fill(f"Customs of {slug}")
    page.locator("[name=scopes-0-value]").fill(f"{slug}:declare")
    page.locator("[name=scopes-0-name]").fill("Declare goods")
    page.get_by_role("button", name="Save", exact=True).click()
    assert "was added" in page.locator(".messagelist").inner_text()

    page = olga.open("/operators/consumers/consumer/add/")
    page.get_by_label("Short name").fill(slug)
    page.get_by_label("Name:", exact=True).fill("Harbour Foods")
    page.get_by_label(f"{slug}:declare").check()
    page.get_by_label("shipments:read").check()
    page.get_by_label("Email addresses").fill(f"ann@{slug}.example, ben@{slug}.example")
    page.get_by_role("button", name="Save and continue editing").click()
    for name in ("ann", "ben"):
        page.get_by_text(f"{name}@{slug}.example").first.wait_for()


def accept(guest, mail, slug: str, name: str) -> None:
    """As somebody new: read the mail, open the link (twice: looking consumes nothing), join."""
    link = mail.link_to(f"{name.lower()}@{slug}.example", "/invitations/")
    guest.open(link)
    page = guest.open(link)
    page.get_by_label("name").fill(f"{name} Harbour")
    page.get_by_role("button", name="Join Harbour Foods").click()
    page.wait_for_url(f"**/consumers/{slug}/")


def register(manager, slug: str) -> tuple[str, str]:
    """Register a service; return its page's address and what the copy button put on the clipboard."""
    page = manager.open(f"/consumers/{slug}/clients/new")
    page.get_by_role("textbox", name="Name", exact=True).fill("Yard planner")
    page.get_by_label("Declare goods").check()
    page.get_by_label("Read shipments").check()
    page.get_by_role("button", name="Create client").click()
    secret = manager.copy("Copy client secret")
    return page.url, secret


def run(command: str) -> dict:
    """Run what was pasted, in a shell that knows nothing else."""
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_operator_defines_managers_manage_and_a_stranger_sees_nothing(visitor, server, mail, harbour, python_api):  # noqa: F811
    define(visitor(), server, harbour)
    ann = visitor()
    accept(ann, mail, harbour, "Ann")

    home, secret = register(ann, harbour)
    assert secret.startswith("cdsk_")
    command = ann.copy("Copy the curl example")
    token = run(command)["access_token"]
    assert patient.get(python_api, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert patient.post(python_api, headers={"Authorization": f"Bearer {token}"}).status_code == 403

    for look_again in (ann.page.reload, ann.page.reload, ann.page.go_back, ann.page.go_forward):
        look_again()
        assert secret not in ann.page.content()
    assert secret not in str(ann.context.storage_state())

    ben = visitor()
    accept(ben, mail, harbour, "Ben")
    page = ben.open(f"/consumers/{harbour}/clients/")
    page.get_by_role("link", name="Yard planner").click()
    page.get_by_role("navigation", name="Yard planner").get_by_role("link", name="Secrets").click()
    page.wait_for_url("**/secrets/")  # and for the scripts, which open dialogs
    page.get_by_role("link", name="Rotate").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Immediately").check()
    dialog.get_by_role("button", name="Create secret").click()
    new_secret = page.locator("#client-secret").inner_text()
    assert new_secret != secret
    assert run(command)["error"] == "invalid_client"
    assert "access_token" in run(command.replace(secret, new_secret))
    assert "rotated" in ann.open(f"/consumers/{harbour}/activity/").locator("main").inner_text()

    mallory = visitor()
    sign_in(mallory, server.demo["managers"][2])
    client = home.removeprefix(server.url)
    everything = ["", "people/", "people/invite/", "activity/", "clients/", "clients/new"]
    pages = [f"/consumers/{harbour}/{page}" for page in everything]
    pages += [client + page for page in ("", "secrets/", "secrets/new/", "settings/", "activity/", "delete/")]
    for page in pages:
        mallory.open(page)
        assert mallory.status == 404, page


def test_a_manager_works_without_scripts(visitor, server):
    alice = visitor(scripts=False)
    sign_in(alice, server.demo["managers"][0])

    page = alice.open("/consumers/acme/clients/new")
    page.get_by_label("Single-page or mobile app").check()
    page.get_by_role("textbox", name="Name", exact=True).fill("No script")
    page.get_by_label("Allowed redirect URIs").fill("http://no-script.example/signed-in")
    page.get_by_role("button", name="Create client").click()
    page.locator("main", has_text="use https").wait_for()
    assert page.get_by_role("textbox", name="Name", exact=True).input_value() == "No script"
    page.get_by_label("Allowed redirect URIs").fill("https://no-script.example/signed-in")
    page.get_by_role("button", name="Create client").click()
    page.locator("h1", has_text="No script").wait_for()

    page = alice.open("/consumers/acme/clients/new")
    page.get_by_role("textbox", name="Name", exact=True).fill("Without scripts")
    page.get_by_label("Read shipments").check()
    page.get_by_role("button", name="Create client").click()
    secret = page.locator("#client-secret").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download .env").click()
    assert f"CLIENT_SECRET={secret}" in download.value.path().read_text()

    page.reload()
    assert secret not in page.content()
    assert "shown once" in page.locator("main").inner_text()
    page.get_by_role("navigation", name="Without scripts").get_by_role("link", name="Secrets").click()
    page.get_by_role("link", name="Rotate").click()
    page.get_by_label("In a day", exact=False).first.check()
    page.get_by_role("button", name="Create secret").click()
    assert page.locator("#client-secret").inner_text() != secret

    page.get_by_role("link", name="I have saved it").click()
    page.get_by_role("navigation", name="Without scripts").get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("textbox").fill("Without scripts")
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/clients/")
    assert "Without scripts" not in page.locator("main table").inner_text()
