"""An identity provider that says what a test wants it to, also what no honest one says."""

import html
import json
import re
import time
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from connections.models import Connection, Domain
from core.http_fetch import documents
from tests.publisher import Publisher, answer
from tests.signing import KeyPair

CLIENT_ID = "portal-at-acme"
SECRET = "a secret of the portal's own"


@cache
def _key_of_all() -> KeyPair:
    return KeyPair("RS256", kid="idp-1")


def _first_key() -> KeyPair:
    """Return the key that a provider begins with, the same of all: to make an RSA key takes as long as a test."""
    return copy(_key_of_all())


@dataclass
class ScriptedProvider:
    """A provider at a path of a publisher, whose people are described by `claims`."""

    publisher: Publisher
    path: str = ""
    key: KeyPair = field(default_factory=_first_key)
    claims: dict[str, Any] = field(default_factory=dict)  # of the ID token; None leaves one out
    headers: dict[str, Any] = field(default_factory=dict)  # of the ID token
    userinfo: dict[str, Any] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    token_status: str = "200 OK"
    token_body: dict[str, Any] | None = None  # in place of an honest response
    nonce: str = ""
    sends_issuer: bool = True

    def __post_init__(self) -> None:
        self.publish()

    @property
    def issuer(self) -> str:
        return self.publisher.url + self.path

    def publish(self) -> None:
        """Serve the discovery document and the keys as they are now."""
        documents.reset()
        self.publisher.publish(
            f"{self.path}/.well-known/openid-configuration",
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/jwks",
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": self.sends_issuer,
            }
            | self.metadata,
        )
        self.publisher.publish(f"{self.path}/jwks", self.key.jwks)
        self.publisher.publish(f"{self.path}/token", self._token)
        self.publisher.publish(f"{self.path}/userinfo", self._userinfo)

    def id_token(self) -> str:
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "sub": "00u1",
            "aud": CLIENT_ID,
            "nonce": self.nonce,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
        } | self.claims
        return self.key.sign({name: value for name, value in said.items() if value is not None}, **self.headers)

    def logout_token(self, **claims: Any) -> str:
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 120,
            "jti": f"logout-{time.time_ns()}",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        } | claims
        return self.key.sign({name: value for name, value in said.items() if value is not None}, typ="logout+jwt")

    def _token(self, link: Any) -> None:
        body = self.token_body
        if body is None:
            body = {"access_token": "at-1", "token_type": "Bearer", "id_token": self.id_token()}
        link.sendall(answer(json.dumps(body).encode(), self.token_status))

    def _userinfo(self, link: Any) -> None:
        said = self.userinfo if self.userinfo is not None else {"sub": self.claims.get("sub", "00u1")}
        link.sendall(answer(json.dumps(said).encode()))

    # -- What a browser does ------------------------------------------------------------------------------------------

    def begin(self, browser: Any, address: str, **options: Any) -> dict[str, str]:
        """Follow the portal's way to the provider; return the parameters of the authorization request."""
        return self.asked(browser.get(address, **options))

    def asked(self, response: Any) -> dict[str, str]:
        """Return the parameters of the request that the portal's response leads to, by redirect or by a page."""
        if response.status_code == 302:
            address = response["Location"]
        else:
            assert response.status_code == 200, response.content.decode()
            found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', response.content.decode())
            assert found, response.content.decode()
            address = html.unescape(found.group(1))
        assert address.startswith(f"{self.issuer}/authorize?"), address
        sent = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.nonce = sent["nonce"]
        return sent

    def return_to(self, browser: Any, sent: dict[str, str], **answered: str | None) -> Any:
        """Come back from the provider with its answer; a parameter that is None is left out."""
        said: dict[str, str | None] = {"code": "c-1", "state": sent["state"]}
        if self.sends_issuer:
            said["iss"] = self.issuer
        said |= answered
        query = urlencode({name: value for name, value in said.items() if value is not None})
        return browser.get(f"{urlsplit(sent['redirect_uri']).path}?{query}")

    def sign_in(self, browser: Any, connection: Connection, *, next_url: str = "", **answered: str | None) -> Any:
        """Go there and back; return the portal's response."""
        query = f"?{urlencode({'next': next_url})}" if next_url else ""
        sent = self.begin(browser, f"/sso/{connection.slug}/login{query}")
        return self.return_to(browser, sent, **answered)


def connect(provider: ScriptedProvider, *domains: str, slug: str = "acme-okta", **fields: Any) -> Connection:
    """Return a connection to the provider, offered, that is trusted for the domains."""
    from django.utils import timezone

    from core.encryption import fernet

    made = {
        "name": "Acme Okta",
        "slug": slug,
        "issuer": provider.issuer,
        "client_id": CLIENT_ID,
        "client_authentication": "client_secret_basic",
        "encrypted_client_secret": fernet().encrypt(SECRET.encode()),
        "sign_in": "offered",
        "tested_at": timezone.now(),
    } | fields
    if made["sign_in"] == "required":
        made["required_at"] = timezone.now()
    connection = Connection.objects.create(**made)
    for domain in domains:
        Domain.objects.create(connection=connection, name=domain, challenge="c", verified_at=timezone.now())
    return connection
