"""JSON that readers understand differently, or no database holds, is refused at every door that reads any."""

import base64

import pytest
from django.conf import settings
from django.urls import reverse

from authority.client_authentication import assertions
from clients.actions import registration as registration_actions
from clients.models import TrustedIssuer, TrustRule
from clients.vocabulary import AuthMethod
from consumers.audit import SYSTEM
from tests.authority.conftest import basic, management_token
from tests.factories import ClientFactory, give_secret

pytestmark = [pytest.mark.django_db, pytest.mark.compliance("RFC 7493", "2")]

ISSUER = "https://issuer.example"
HOSTILE = {
    "half a pair": rb'{"iss": "\ud800", "sub": "\ud800", "typ": "\ud800", "kid": "\ud800"}',
    "half a pair in a name": rb'{"\ud800": 1}',
    "half a pair in UTF-8": b'{"iss": "\xed\xa0\x80"}',
    "NUL": rb'{"iss": "\u0000", "sub": "\u0000", "kid": "\u0000", "jti": "\u0000"}',
    "NUL in a value": rb'{"iss": "https://issuer.example", "sub": "\u0000", "jti": "\u0000", "aud": ["\u0000"]}',
    "depth": b'{"iss":' * 2000 + b"1" + b"}" * 2000,
    "depth of lists": b'{"iss":' + b"[" * 2000 + b"]" * 2000 + b"}",
    "more than the parser bears": b"[" * 6000,
    "NaN": b'{"iss": "https://issuer.example", "exp": NaN}',
    "Infinity": b'{"exp": Infinity}',
    "a number beyond all": b'{"exp": 1e999}',
    "five thousand digits": b'{"exp": ' + b"9" * 5000 + b"}",
    "a member twice": b'{"iss": "https://issuer.example", "iss": "https://other.example"}',
    "no object": b'"iss"',
}
ODD = {
    "huge numbers": b'{"iss": "https://issuer.example", "exp": ' + b"9" * 400 + b', "iat": -1e300, "nbf": 1e300}',
    "other types": b'{"iss": [], "sub": {}, "aud": 5, "exp": "x", "typ": 1, "alg": [], "kid": {}, "jwk": "x"}',
}


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


HEADER = encoded(b'{"alg":"ES256","typ":"JWT"}')


def jwts(data):
    """Return JWTs whose payload, or whose header, is the hostile text."""
    proof = encoded(b'{"alg":"ES256","typ":"dpop+jwt"}')
    return [f"{header}.{encoded(data)}.c2ln" for header in (HEADER, proof)] + [f"{encoded(data)}.{HEADER}.c2ln"]


@pytest.fixture
def federated(acme, acme_access):
    registration_actions.enable_open_registration(consumer=acme, actor=SYSTEM)
    issuer = TrustedIssuer.objects.create(name="Elsewhere", platform="oidc", issuer=ISSUER, jwks={"keys": []})
    client = ClientFactory(consumer=acme, token_endpoint_auth_method=AuthMethod.FEDERATED.value)
    TrustRule.objects.create(client=client, issuer=issuer, audience=settings.ISSUER, claims={"sub": "x"})
    return client


@pytest.fixture
def program(acme, acme_access):
    client = ClientFactory(consumer=acme)
    return basic(client.client_id, give_secret(client)[1])


@pytest.fixture
def ask(client, browser_of, alice, federated, program):
    """Send a JWT through each door that takes one; yield the door and the answer."""
    people = browser_of(alice)
    people.raise_request_exception = client.raise_request_exception = False
    assertion = {"grant_type": "client_credentials", "client_assertion_type": assertions.TYPE}
    token = {"Authorization": f"Bearer {management_token(alice)}"}

    workloads = [reverse(name, args=["x"]) for name in ("workload-token", "workload-identity-token")]

    def send(text):
        for named in ({}, {"client_id": federated.client_id}):
            yield "assertion", client.post("/oauth2/token", assertion | named | {"client_assertion": text})
        spiffe = assertion | {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"}
        body = spiffe | {"client_id": federated.client_id, "client_assertion": text}
        yield "SPIFFE", client.post("/oauth2/token", body)
        for path in ("token", "introspect", "revoke", "par", "device-authorization"):
            body = {"grant_type": "client_credentials", "token": text}
            answer = client.post(reverse(path), body, headers={"DPoP": text, "Authorization": program})
            yield f"token and proof at {path}", answer
        for path in ("/oauth2/userinfo", "/admin/clients", *workloads):
            for scheme in ("Bearer", "DPoP"):
                yield path, client.get(path, headers={"Authorization": f"{scheme} {text}", "DPoP": text})
                yield path, client.post(path, {}, headers={"Authorization": f"{scheme} {text}", "DPoP": text})
        for path in ("authorize", "end-session"):
            hints = {"client_id": federated.client_id, "id_token_hint": text, "request": text, "response_type": "code"}
            yield path, client.get(reverse(path), hints)
        for headers in ({}, token, {"Authorization": f"Bearer {text}"}):
            body = {"client_name": "x", "software_statement": text}
            yield "statement", client.post("/oauth2/register", body, "application/json", headers=headers)
        yield "inspector", people.post("/consumers/acme/inspect/", {"pasted": text})
        yield "rules", people.post(f"/consumers/acme/clients/{federated.client_id}/rules/try/", {"token": text})

    return send


@pytest.mark.parametrize("case", HOSTILE | ODD)
def test_a_hostile_jwt_is_refused(ask, case):
    for text in jwts((HOSTILE | ODD)[case]):
        for door, answer in ask(text):
            assert answer.status_code < 500, (door, answer.status_code)
            assert door not in ("assertion", "SPIFFE") or answer.status_code in (400, 401), door


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_body_is_refused(client, browser_of, alice, service, case):
    people = browser_of(alice)
    people.raise_request_exception = client.raise_request_exception = False
    headers = {"Authorization": f"Bearer {management_token(alice)}"}
    json = "application/json"
    answers = {
        "register": client.post("/oauth2/register", HOSTILE[case], json, headers=headers),
        "register without a token": client.post("/oauth2/register", HOSTILE[case], json),
        "create": client.post("/admin/clients?consumer=acme", HOSTILE[case], json, headers=headers),
        "replace": client.put(f"/admin/clients/{service.client_id}", HOSTILE[case], json, headers=headers),
        "patch": client.patch(f"/admin/clients/{service.client_id}", HOSTILE[case], json, headers=headers),
        "pasted": people.post("/consumers/acme/inspect/", {"pasted": HOSTILE[case].decode(errors="replace")}),
    }
    assert {door: answer.status_code for door, answer in answers.items() if answer.status_code >= 500} == {}
    assert all(answer.status_code in (400, 401, 422) for door, answer in answers.items() if door != "pasted")
