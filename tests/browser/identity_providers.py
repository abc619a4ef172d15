"""Real identity providers: oidc-provider by Node, and django-oauth-toolkit, each a program of its own."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.live import Server
from tests.node import node_with_packages
from tests.servers import free_port, running

HERE = Path(__file__).parent.parent / "connections" / "idp"
SECRET = "a-secret-of-the-portal"


@dataclass
class RealProvider:
    """A running provider. `people` are described by what its ID tokens say of them, and may be changed."""

    issuer: str
    file: Path
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def people(self) -> dict[str, Any]:
        return self.settings["people"]  # type: ignore[no-any-return]

    def change(self, login: str, **claims: Any) -> None:
        self.people[login] = self.people.get(login, {}) | claims
        self.file.write_text(json.dumps(self.settings))

    def sign_in(self, page: Page, login: str) -> None:
        """Do at the provider what a person does: name oneself, and let the portal know who one is."""
        page.wait_for_url(f"{self.issuer}/interaction/**")
        page.locator("input[name=login]").fill(login)
        page.locator("input[name=password]").fill("any")
        page.get_by_role("button", name="Sign-in").click()
        page.wait_for_load_state()
        if page.url.startswith(self.issuer):  # the first time it asks whether to let the portal know
            page.get_by_role("button", name="Continue").click()
        page.wait_for_url(lambda url: not url.startswith(self.issuer))


@contextmanager
def oidc_provider(server: Server, slug: str, folder: Path, **people: Any) -> Iterator[RealProvider]:
    """Run oidc-provider with the portal registered: by a secret, or by the portal's keys where it has none."""
    port = free_port()
    issuer, file = f"http://127.0.0.1:{port}", folder / f"{slug}.json"
    client = {
        "client_id": f"portal-at-{slug}",
        "redirect_uris": [f"{server.url}/sso/{slug}/callback"],
        "backchannel_logout_uri": f"{server.url}/sso/{slug}/logout",
        "backchannel_logout_session_required": True,
    }
    if slug.endswith("keys"):
        client |= {
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": f"{server.url}/.well-known/jwks.json",
            "token_endpoint_auth_signing_alg": "RS256",
        }
    else:
        client["client_secret"] = SECRET
    settings = {"issuer": issuer, "port": port, "clients": [client], "people": people, "backchannel": True}
    file.write_text(json.dumps(settings))
    command = [node_with_packages(HERE), "idp.mjs", str(file)]
    with running(command, f"{issuer}/.well-known/openid-configuration", dict(os.environ), cwd=HERE):
        yield RealProvider(issuer, file, settings)


@contextmanager
def toolkit(server: Server, slug: str, folder: Path) -> Iterator[str]:
    """Run django-oauth-toolkit as a provider; yield its issuer."""
    port = free_port()
    redirect_uri = f"{server.url}/sso/{slug}/callback"
    command = [sys.executable, "toolkit.py", str(port), str(folder), f"portal-at-{slug}", SECRET, redirect_uri]
    environ = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    issuer = f"http://127.0.0.1:{port}/o"
    with running(command, f"{issuer}/.well-known/openid-configuration", environ, cwd=HERE):
        yield issuer
