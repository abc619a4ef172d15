"""What an API team copies from us: each example, as it runs, against the server, as it runs."""

import base64
import json
import time

import httpx
import pytest

from authority.keys import signing_keys
from core.jose import jws
from tests import patient
from tests.examples.conftest import AUDIENCE, claims


def get(api: str, token: str | None = None) -> httpx.Response:
    return patient.get(api, headers={"Authorization": f"Bearer {token}"} if token else {})


def post(api: str, token: str) -> httpx.Response:
    return patient.post(api, headers={"Authorization": f"Bearer {token}"}, json={"destination": "Oslo"})


@pytest.fixture
def signed(server):
    """Sign whatever a test says with the server's own key, so that only what is said can be wrong."""

    def sign(typ: str = "at+jwt", algorithm: str = "ES256", **changes) -> str:
        said = claims(server.url) | changes
        with server.database():
            signer = signing_keys.signer(algorithm, seconds=3600)
        return jws.encode({name: value for name, value in said.items() if value is not None}, signer, typ=typ)

    return sign


def test_api_accepts_a_token_that_the_server_issued(api, server):
    answer = get(api, server.token("shipments:read"))
    assert answer.status_code == 200, answer.text
    assert answer.json()[0]["destination"] == "Rotterdam"


def test_api_knows_the_client_that_calls(api, server):
    client_id, secret = server.service()
    answer = post(api, server.token("shipments:write", (client_id, secret)))
    assert answer.status_code == 201, answer.text
    assert answer.json()["booked_by"] == client_id
    assert answer.json() in get(api, server.token("shipments:read")).json()


@pytest.mark.compliance("RFC 6750", "3")
def test_api_asks_for_a_token_without_naming_an_error(api):
    answer = get(api)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.compliance("RFC 6750", "3.1")
def test_api_names_the_scope_that_a_token_lacks(api, server):
    answer = post(api, server.token("shipments:read"))
    assert answer.status_code == 403
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="shipments:write"'


@pytest.mark.parametrize("scope", [None, "", "shipments", "shipments:reader other:read"])
def test_api_reads_scopes_word_by_word(api, signed, scope):
    assert get(api, signed(scope=scope)).status_code == 403


def test_api_accepts_what_the_next_tests_change(api, signed):
    assert get(api, signed()).status_code == 200
    assert get(api, signed(algorithm="RS256")).status_code == 200
    assert get(api, signed(typ="application/at+jwt")).status_code == 200
    assert get(api, signed(aud=["https://other.example", AUDIENCE])).status_code == 200


@pytest.mark.compliance("RFC 9068", "4")
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"aud": "https://api.meridian.example/invoices"}, id="for another API"),
        pytest.param({"aud": None}, id="for no API"),
        pytest.param({"iss": "https://other.example"}, id="of another issuer"),
        pytest.param({"exp": int(time.time()) - 30}, id="expired"),
        pytest.param({"exp": None}, id="without an end"),
        pytest.param({"nbf": int(time.time()) + 3600}, id="not valid yet"),
        pytest.param({"client_id": None}, id="without a client"),
        pytest.param({"sub": None}, id="without a subject"),
        pytest.param({"jti": None}, id="without an identifier"),
        pytest.param({"typ": "JWT"}, id="ID token"),
        pytest.param({"typ": "logout+jwt"}, id="logout token"),
    ],
)
def test_api_refuses_a_token_that_is(api, signed, changes):
    refused(get(api, signed(**changes)))


def refused(answer: httpx.Response) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_api_refuses_a_token_that_has_been_tampered_with(api, signed):
    header, claims, signature = signed().split(".")
    written = json.loads(base64.urlsafe_b64decode(claims + "=="))
    written["scope"] = "shipments:read shipments:write"
    refused(post(api, f"{header}.{jws.pack(written)}.{signature}"))


@pytest.mark.compliance("RFC 8725", "3.1")
def test_api_refuses_an_unsigned_token(api, signed):
    _, claims, _ = signed().split(".")
    for algorithm in ("none", "None", "HS256"):
        refused(get(api, f"{jws.pack({'alg': algorithm, 'typ': 'at+jwt'})}.{claims}."))


def test_api_refuses_the_key_of_somebody_else_under_the_server_s_name(api, signed):
    header, claims, _ = signed().split(".")
    kid = json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]
    impostor = jws.Signer(kid=kid, algorithm="ES256", private_key=jws.generate("ES256"))
    refused(get(api, jws.encode(json.loads(base64.urlsafe_b64decode(claims + "==")), impostor, typ="at+jwt")))


@pytest.mark.parametrize("token", ["x", "a.b.c", "..", "eyJ0eXAiOiJhdCtqd3QifQ.e30.", "é".encode().hex()])
def test_api_refuses_what_is_no_token(api, token):
    refused(get(api, token))
