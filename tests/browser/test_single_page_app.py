"""A page on another origin signs a person in by itself: discovery, code with PKCE, exchange and userinfo by fetch."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from clients.actions import clients as client_actions
from clients.metadata import TEMPLATES
from clients.models import Client
from clients.policy import portal_policy
from consumers.audit import SYSTEM
from consumers.models import Consumer

PAGE = (
    b"<!doctype html><html lang=en><title>Tracker</title><link rel=icon href=about:blank><script src=app.js></script>"
)
SCRIPT = """
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const back = `${location.origin}/`;

async function discover(issuer) {
  return (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
}

async function signIn(issuer, client_id) {
  const verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  sessionStorage.setItem("verifier", verifier);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const question = new URLSearchParams({
    response_type: "code", client_id, redirect_uri: back, scope: "openid profile", state: "of the page",
    code_challenge: base64url(new Uint8Array(digest)), code_challenge_method: "S256",
  });
  location.assign(`${(await discover(issuer)).authorization_endpoint}?${question}`);
}

async function post(address, form) {
  const answer = await fetch(address, { method: "POST", body: new URLSearchParams(form) });
  const text = await answer.text();
  return { status: answer.status, ...(text ? JSON.parse(text) : {}) };
}

async function exchange(issuer, client_id) {
  return post((await discover(issuer)).token_endpoint, {
    grant_type: "authorization_code", client_id, redirect_uri: back,
    code: new URLSearchParams(location.search).get("code"), code_verifier: sessionStorage.getItem("verifier"),
  });
}

async function userinfo(issuer, token) {
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch((await discover(issuer)).userinfo_endpoint, { headers });
  return { status: answer.status, challenge: answer.headers.get("WWW-Authenticate"), ...(await answer.json()) };
}

async function revoke(issuer, client_id, token) {
  return post((await discover(issuer)).revocation_endpoint, { client_id, token });
}
"""


class Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        script = self.path == "/app.js"
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.end_headers()
        self.wfile.write(SCRIPT.encode() if script else PAGE)

    def log_message(self, format: str, *args: object) -> None:
        pass


def serve() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as files:
        threading.Thread(target=files.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{files.server_port}"
        files.shutdown()


site = pytest.fixture(serve, name="site")
other_site = pytest.fixture(serve, name="other_site")


@pytest.fixture
def tracker(server, site) -> Iterator[Client]:
    """A public client whose pages are those of the site, for as long as the test runs."""
    with server.database():
        acme = Consumer.objects.get(slug="acme")
        metadata = TEMPLATES["public"].replace(client_name=f"Tracker at {site}", scope=("openid", "profile"))
        client, _ = client_actions.register_client(
            consumer=acme, metadata=metadata.with_redirect_uris((f"{site}/",)), policy=portal_policy, actor=SYSTEM
        )
    yield client
    with server.database():
        client_actions.delete_client(client=client, actor=SYSTEM)


@pytest.mark.browser
def test_page_of_another_origin_signs_alice_in_by_itself(visitor, server, site, tracker):
    alice, manager = visitor(), server.demo["managers"][0]
    alice.sign_in(manager["email"], manager["password"])
    page = alice.open(site)

    def call(function: str, *arguments: str) -> dict:
        return page.evaluate(f"{function}(...{json.dumps(arguments)})")

    page.evaluate(f"void signIn({json.dumps(server.url)}, {json.dumps(tracker.client_id)})")
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{site}/?*")
    tokens = call("exchange", server.url, tracker.client_id)
    assert tokens["status"] == 200
    assert tokens["scope"] == "openid profile"
    told = call("userinfo", server.url, tokens["access_token"])
    assert (told["status"], told["name"]) == (200, "Alice Martin")

    assert call("exchange", server.url, tracker.client_id)["error"] == "invalid_grant"  # the page reads errors too
    again = call("userinfo", server.url, tokens["access_token"])  # whoever brings a code twice ends its tokens
    assert (again["status"], again["error"]) == (401, "invalid_token")
    assert "invalid_token" in again["challenge"]
    assert call("revoke", server.url, tracker.client_id, tokens["refresh_token"]) == {"status": 200}


@pytest.mark.browser
def test_page_that_nobody_registered_reads_nothing(visitor, server, site, other_site, tracker):
    stranger = visitor()
    page = stranger.open(other_site)
    for call in (
        f"exchange({json.dumps(server.url)}, {json.dumps(tracker.client_id)})",
        f"userinfo({json.dumps(server.url)}, 'a token')",
    ):
        assert page.evaluate(f"{call}.then(() => 'read', (error) => error.message)") == "Failed to fetch"
    assert all("blocked by CORS policy" in complaint for complaint in stranger.complaints)
    assert len(stranger.complaints) == 2
    stranger.complaints.clear()
