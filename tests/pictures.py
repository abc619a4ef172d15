"""Takes the pictures of pages in docs/images, in a demo of its own: `python -m tests.pictures`.

Where optipng is installed, it compresses them.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests import patient
from tests.browser.conftest import ARGUMENTS, Visitor, chromium_path
from tests.servers import ROOT, running
from tests.signing import KeyPair

IMAGES = ROOT / "docs" / "images"
PORT = "8000"  # the demo's usual one, which pictures show
CLIENTS = "/consumers/acme/clients/"
GITHUB = "https://token.actions.githubusercontent.com"
RULE = {"Repository’s ID": "74", "Owner’s ID": "65", "Environment": "production"}
# A secret that GitHub Actions used until a hundred days ago.
IDLE = """
from datetime import timedelta
now, service = timezone.now(), Client.objects.get(client_name="Billing sync")
service.secrets.update(created_at=now - timedelta(days=220), last_used_at=now - timedelta(days=100))
Client.objects.filter(pk=service.pk).update(description="Books every night’s shipments, on GitHub Actions.")
"""
# An access token as the token endpoint issued it, of which five minutes have passed since it expired.
EXPIRED = """
import time_machine
from datetime import timedelta
from django.test import Client as Browser
from clients.models import ACCESS_TOKEN_LIFETIME
with time_machine.travel(timezone.now() - timedelta(seconds=ACCESS_TOKEN_LIFETIME, minutes=5)):
    browser = Browser(SERVER_NAME="127.0.0.1", headers={{"authorization": "Basic {basic}"}})
    form = "grant_type=client_credentials&scope=shipments:read", "application/x-www-form-urlencoded"
    print(browser.post("/oauth2/token", *form).json()["access_token"])
"""


# -- The demo ---------------------------------------------------------------------------------------------------------


@dataclass
class Demo:
    """A demo that is served: what `manage.py demo --json` printed, and its environment."""

    made: dict[str, Any]
    environ: dict[str, str]

    @property
    def url(self) -> str:
        return str(self.made["portal_url"])

    def client_id(self, key: str) -> str:
        return str(self.made["clients"][key]["client_id"])

    def create(self, path: str, role: str = "manager", /, **body: Any) -> dict[str, Any]:
        """Create something by the management API, and return it."""
        bearer = {"Authorization": f"Bearer {self.made[f'{role}_token']}"}
        answer = patient.post(f"{self.url}/admin/{path}", json=body, headers=bearer)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def shell(self, code: str) -> str:
        return manage(self.environ, "shell", "--verbosity", "0", "--command", code).strip()


def manage(environ: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def serving() -> Iterator[Demo]:
    """Serve a new demo until the block ends, and leave nothing of it."""
    with tempfile.TemporaryDirectory() as data:
        environ = os.environ | {"DATA_DIR": data, "PORT": PORT}
        environ.pop("DATABASE_URL", None)
        demo = Demo(json.loads(manage(environ, "demo", "--json")), environ)
        command = [sys.executable, "manage.py", "serve", "--workers", "1"]
        try:
            with running(command, f"{demo.url}/health/ready", environ):
                yield demo
        finally:
            shutil.rmtree((Path(data) / "postgres").resolve(), ignore_errors=True)  # root's lies behind a link


# -- What is in it ----------------------------------------------------------------------------------------------------


def refused_requests(demo: Demo) -> None:
    """Let requests of the web app be refused: by a quoted secret, by a revoked one, and by a redirect URI."""
    web = demo.made["clients"]["web"]
    path = f"clients/{web['client_id']}/secrets"
    bearer = {"Authorization": f"Bearer {demo.made['manager_token']}"}
    (old,) = patient.get(f"{demo.url}/admin/{path}", headers=bearer).json()
    new = demo.create(path, name="Production")
    patient.delete(f"{demo.url}/admin/{path}/{old['id']}", headers=bearer).raise_for_status()
    for secret in (f'"{new["client_secret"]}"', *[web["client_secret"]] * 3):
        answer = patient.post(
            f"{demo.url}/oauth2/token",
            data={"grant_type": "refresh_token", "refresh_token": "unknown"},
            auth=(web["client_id"], secret),
        )
        assert answer.status_code == 401, answer.text
    asked = {"client_id": web["client_id"], "response_type": "code", "redirect_uri": f"{web['redirect_uris'][1]}/"}
    for _ in range(2):
        assert patient.get(f"{demo.url}/oauth2/authorize", params=asked).status_code == 400


def federated_client(demo: Demo, github: KeyPair) -> str:
    """Create a client that authenticates with tokens of GitHub Actions; return its ID."""
    trusted = {"name": "GitHub Actions", "platform": "github", "issuer": GITHUB, "jwks": github.jwks}
    demo.create("trusted-issuers", "operator", **trusted)
    client = demo.create(
        "clients",
        client_name="Deploy pipeline",
        grant_types=["client_credentials"],
        scope="shipments:read",
        token_endpoint_auth_method="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    )
    return str(client["client_id"])


def token_of_staging(demo: Demo, github: KeyPair) -> str:
    """Return a token of GitHub Actions that matches the rule but for its environment."""
    claims = {
        "iss": GITHUB,
        "sub": "repo:acme/billing:environment:staging",
        "aud": demo.url,
        "iat": int(time.time()),
        "exp": int(time.time()) + 300,
        "repository_id": "74",
        "repository_owner_id": "65",
        "environment": "staging",
    }
    return github.sign(claims)


# -- Pictures ---------------------------------------------------------------------------------------------------------


def take(alice: Visitor, name: str, width: int, end: int | str, top: str = "body") -> None:
    """Write what a window of this width shows.

    It begins above the element that `top` selects; `end` is its height in pixels, or selects what it ends below.
    """
    assert (alice.status, alice.complaints) == (200, [])
    page, path = alice.page, IMAGES / f"{name}.png"
    page.set_viewport_size({"width": width, "height": 900})
    if isinstance(end, str):
        end = 12 + int(page.locator(end).evaluate("element => element.getBoundingClientRect().bottom + scrollY"))
    page.set_viewport_size({"width": width, "height": end})
    page.mouse.move(0, 0)
    page.locator(top).evaluate("element => scrollTo(0, element.getBoundingClientRect().top + scrollY - 40)")
    page.screenshot(path=path, animations="disabled")
    if optipng := shutil.which("optipng"):
        subprocess.run([optipng, "-quiet", "-o5", "-strip", "all", path], check=True)


def take_secret(alice: Visitor) -> str:
    """Take a new secret; return the ID of its client."""
    page = alice.open(f"{CLIENTS}new")
    page.get_by_label("Name", exact=True).fill("Night sync")
    page.get_by_label("Read shipments").check()
    page.get_by_role("button", name="Create client").click()
    client_id = page.locator("#client-id").inner_text()
    take(alice, "secret-shown-once", 1200, 920)
    return client_id


def take_secrets_overview(alice: Visitor, demo: Demo) -> None:
    demo.shell(IDLE)
    alice.open(f"{CLIENTS}secrets/")
    take(alice, "secrets-overview", 1120, "tr:has-text('Dispatch board')")


def take_authentication(alice: Visitor, client_id: str) -> None:
    page = alice.open(f"{CLIENTS}{client_id}/authentication/")
    page.get_by_role("button", name="Create key pair").click()
    page.get_by_role("button", name="Copy private key").wait_for()
    alice.open(f"{CLIENTS}{client_id}/authentication/")
    take(alice, "authentication", 1120, 760)


def take_rules(alice: Visitor, client_id: str) -> None:
    page = alice.open(f"{CLIENTS}{client_id}/authentication/")
    page.get_by_role("link", name="GitHub Actions").click()
    for label, value in RULE.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Create rule").click()
    page.get_by_text("The rule is active.").wait_for()
    alice.open(f"{CLIENTS}{client_id}/authentication/")
    take(alice, "rules", 1120, 1040, "#rules")


def take_tested_token(alice: Visitor, client_id: str, token: str) -> None:
    page = alice.open(f"{CLIENTS}{client_id}/rules/try/")
    page.get_by_role("textbox", name="Token").fill(token)
    page.get_by_role("button", name="Test token").click()
    page.get_by_role("cell", name="staging").wait_for()
    take(alice, "try-a-token", 1120, 960)


def take_workload(alice: Visitor, client_id: str) -> None:
    """Take an identity token, and the guide for a cloud."""
    page = alice.open(f"{CLIENTS}{client_id}/identity/")
    page.get_by_role("button", name="Get an identity token").click()
    page.get_by_role("heading", name="An identity token for").wait_for()
    take(alice, "workload-identity", 1120, "tr:has-text('environment_type')")
    alice.open(f"{CLIENTS}{client_id}/identity/gcp/")
    take(alice, "workload-guide", 1120, "section:has(#s1)")


def take_test_token(alice: Visitor, client_id: str) -> None:
    page = alice.open(f"{CLIENTS}{client_id}/test-token/")
    page.get_by_label("A user").check()
    page.get_by_role("textbox", name="User ID").fill("jane.doe")
    page.get_by_role("textbox", name="Roles").fill("planner")
    page.get_by_label("Read shipments").check()
    page.get_by_label("What is it for?").fill("Trying the API")
    page.get_by_role("button", name="Create test token").click()
    page.get_by_role("heading", name="Copy the test token now").wait_for()
    take(alice, "test-token", 1180, ".panel")


def take_inspector(alice: Visitor, demo: Demo) -> None:
    service = demo.made["clients"]["service"]
    basic = b64encode(f"{service['client_id']}:{service['client_secret']}".encode()).decode()
    page = alice.open("/consumers/acme/inspect/")
    page.get_by_label("Token or error").fill(demo.shell(EXPIRED.format(basic=basic)))
    page.get_by_role("button", name="Inspect").click()
    page.get_by_role("heading", name="It expired 5 minutes ago").wait_for()
    take(alice, "inspector", 1180, 1150)


def take_problems(alice: Visitor, client_id: str) -> None:
    page = alice.open(f"{CLIENTS}{client_id}/problems/")
    page.get_by_role("heading", name="Three reasons why requests were refused").wait_for()
    take(alice, "problems", 1180, ".problems + p")


def main() -> None:
    github = KeyPair("RS256")
    looks: dict[str, Any] = {"color_scheme": "light", "reduced_motion": "reduce"}
    with serving() as demo, sync_playwright() as playwright:
        refused_requests(demo)
        deploy = federated_client(demo, github)
        browser = playwright.chromium.launch(executable_path=chromium_path(playwright), args=ARGUMENTS)
        alice = Visitor(browser.new_context(device_scale_factor=1.5, **looks), demo.url)
        alice.sign_in(demo.made["managers"][0]["email"], demo.made["managers"][0]["password"])
        night_sync = take_secret(alice)
        alice = Visitor(browser.new_context(storage_state=alice.context.storage_state(), **looks), demo.url)
        take_secrets_overview(alice, demo)
        take_authentication(alice, night_sync)
        take_rules(alice, deploy)
        take_tested_token(alice, deploy, token_of_staging(demo, github))
        take_workload(alice, demo.client_id("workload"))
        take_test_token(alice, demo.client_id("service"))
        take_inspector(alice, demo)
        take_problems(alice, demo.client_id("web"))
        browser.close()


if __name__ == "__main__":
    main()
