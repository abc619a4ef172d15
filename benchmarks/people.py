"""People's tokens: the exchange of codes, each of which is used once, and of refresh tokens, each for the next one."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx

from benchmarks.harness import FORM, Sent, Target, basic
from benchmarks.servers import Clientdesk, manage

VERIFIER = "a-verifier-of-the-benchmark-alone-of-fifty-letters"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
# Alice has let the demo's web client in: rows by what the authorization endpoint calls, but they live for an hour.
ALLOWED = """
import secrets
from datetime import timedelta
from types import SimpleNamespace

from django.db import transaction

from authority.server.validator import Validator

client = Client.objects.get(client_id={client_id!r})
alice, now = User.objects.get(email="alice@acme.example"), timezone.now()
with transaction.atomic():
    for _ in range({count}):
        code = secrets.token_urlsafe(32)
        request = SimpleNamespace(
            client=client, user=alice, redirect_uri=client.redirect_uris[0], resource=[], nonce="a nonce",
            scopes=["openid", "offline_access", "shipments:read"],
            code_challenge={challenge!r}, code_challenge_method="S256",
            context=SimpleNamespace(
                sign_in=SignIn.objects.create(client=client, user=alice, authenticated_at=now, methods=["pwd"])
            ),
        )
        Validator()._create_authorization_code(request, {{"code": code}}, now + timedelta(hours=1))
        print(code)
"""


@dataclass(kw_only=True)
class Exchanging(Target):
    """A token endpoint that is sent codes."""

    codes: list[str] = field(repr=False)
    redirect_uri: str

    load = "list.lua"

    def requests(self, connections: int, seconds: int) -> Sequence[Sent]:
        return [Sent(self.form(code), self.basic) for code in self.codes]

    def form(self, code: str) -> str:
        proof = {"code_verifier": VERIFIER, "redirect_uri": self.redirect_uri}
        return urlencode({"grant_type": "authorization_code", "code": code, **proof})

    def was_sent(self, count: int) -> None:
        del self.codes[:count]


@dataclass(kw_only=True)
class Refreshing(Target):
    """A token endpoint that is sent refresh tokens; with each answer comes the next."""

    tokens: list[str] = field(repr=False)

    load = "refresh.lua"

    def requests(self, connections: int, seconds: int) -> Sequence[Sent]:
        """Begin new chains, some more than there are connections."""
        taken = [self.tokens.pop() for _ in range(connections + 8)]
        return [Sent(token, self.basic) for token in taken]


def refreshing(target: Exchanging, count: int) -> Refreshing:
    """Exchange so many of the codes, and go on with the refresh tokens that they gave."""
    headers = {"Authorization": f"Basic {target.basic}", **FORM}
    with httpx.Client(headers=headers) as http:
        answers = [http.post(target.url, content=target.form(target.codes.pop())) for _ in range(count)]
    tokens = [answer.raise_for_status().json()["refresh_token"] for answer in answers]
    return Refreshing(target.name, target.url, target.basic, target.processes, tokens=tokens)


def of_clientdesk(target: Clientdesk, count: int) -> Exchanging:
    web = target.clients["web"]
    program = ALLOWED.format(client_id=web["client_id"], count=count, challenge=CHALLENGE)
    codes = manage(target.data, "shell", "--verbosity", "0", "--command", program).split()
    proof = basic(web["client_id"], web["client_secret"])
    return Exchanging(
        target.name, target.url, proof, target.processes, codes=codes, redirect_uri=web["redirect_uris"][0]
    )


def of_oidc_provider(target: Target, count: int) -> Exchanging:
    """Have codes made within the server, for its pages of consent are not worth driving."""
    made = httpx.post(str(httpx.URL(target.url).copy_with(path=f"/codes/{CHALLENGE}/{count}")), timeout=300)
    codes = made.raise_for_status().text.split()
    redirect_uri = "https://app.example.com/signed-in"
    return Exchanging(target.name, target.url, target.basic, target.processes, codes=codes, redirect_uri=redirect_uri)
