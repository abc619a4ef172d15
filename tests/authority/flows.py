"""The authorization code flow, step by step, as a client and a person's browser do it."""

import base64
import hashlib
import re
import secrets
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.authority.conftest import Program

BACK = "https://app.example.com/signed-in"


class Flow:
    """One sign-in at a client; `flow.code()` is what the person's browser brings back."""

    def __init__(self, program: Program, browser, **parameters):
        self.program = program
        self.browser = browser
        self.verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        self.request = {
            "response_type": "code",
            "client_id": program.client.client_id,
            "redirect_uri": BACK,
            "scope": "openid shipments:read",
            "state": "a state",
            "nonce": "a nonce",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        } | parameters
        self.request = {name: value for name, value in self.request.items() if value is not None}

    @property
    def address(self):
        return "/oauth2/authorize?" + urlencode(self.request, doseq=True)

    def open(self):
        return self.browser.get(self.address)

    def decide(self, decision="allow", scope=("shipments:read", "shipments:write"), **changed):
        """Answer the page that asks, where one does; return what the browser is told to do then."""
        page = self.open()
        form = re.search(r'<form class="form" method="post" action="([^"]+/decision[^"]*)">', page.content.decode())
        if form is None:
            return page
        signed_request = re.search(r'name="signed_request" value="([^"]+)"', page.content.decode())[1]
        answer = {"signed_request": unescape(signed_request), "decision": decision, "scope": list(scope)} | changed
        return self.browser.post(unescape(form[1]), answer)

    def code(self):
        return returned(self.decide())["code"]

    def exchange(self, code, headers=None, **parameters):
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.request["redirect_uri"],
            "code_verifier": self.verifier,
        }
        if self.program.secret is None:
            form["client_id"] = self.program.client.client_id
        form = {name: value for name, value in (form | parameters).items() if value is not None}
        return self.program.post("/oauth2/token", form, **(headers or {}))

    def refresh(self, refresh_token, headers=None, **parameters):
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token} | parameters
        if self.program.secret is None:
            form["client_id"] = self.program.client.client_id
        return self.program.post("/oauth2/token", form, **(headers or {}))

    def tokens(self):
        return self.exchange(self.code()).json()


def leads_to(response):
    """Return where the browser goes now: by a redirect, or by the page of ours that leads on after a form."""
    if response.status_code == 303:
        return response["Location"]
    lead = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', response.content.decode())
    assert lead, response.content
    return unescape(lead[1])


def returned(response, part="query"):
    """Return the parameters that the browser takes back to the client."""
    address = leads_to(response)
    assert address.startswith(BACK), address
    return {name: values[0] for name, values in parse_qs(getattr(urlsplit(address), part)).items()}
