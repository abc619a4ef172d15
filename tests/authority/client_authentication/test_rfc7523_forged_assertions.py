"""RFC 7523 section 3 and RFC 8725: whatever is not an honest assertion proves nothing."""

import base64
import hashlib
import hmac
import json
import time
from string import Formatter

import pytest

from authority.diagnostics.problem_messages import MESSAGES
from authority.diagnostics.problem_messages.assertions import OWN
from authority.models import SpentIdentifier
from authority.telemetry import request_trace
from tests.authority.signing import KEY, Signing, refused
from tests.factories import ClientFactory
from tests.signing import TYPE, KeyPair, own_claims, pack, to_base64

pytestmark = pytest.mark.django_db


# -- What is refused --------------------------------------------------------------------------------------------------

NOW = time.time()
WRONG_CLAIMS = {
    "aud of the token endpoint": {"aud": "ISSUER/oauth2/token"},
    "aud of another": {"aud": "https://other.example"},
    "aud with a slash": {"aud": "ISSUER/"},
    "aud in other letters": {"aud": "HTTP://127.0.0.1"},
    "aud of us and another": {"aud": ["ISSUER", "https://other.example"]},
    "aud of us twice": {"aud": ["ISSUER", "ISSUER"]},
    "no aud": {"aud": None},
    "empty aud": {"aud": []},
    "aud as an object": {"aud": {"a": "ISSUER"}},
    "iss of another": {"iss": "cl_other"},
    "no iss": {"iss": None},
    "iss of us": {"iss": "ISSUER"},
    "sub of another": {"sub": "cl_other"},
    "no sub": {"sub": None},
    "sub as a list": {"sub": ["x"]},
    "no exp": {"exp": None},
    "ended": {"exp": NOW - 120},
    "exp far ahead": {"exp": NOW + 86_400},
    "exp beyond all time": {"exp": 1e300},
    "exp as a text": {"exp": str(int(NOW + 60))},
    "exp as true": {"exp": True},
    "negative exp": {"exp": -1},
    "huge exp": {"exp": 10**400},
    "future iat": {"iat": NOW + 6000},
    "iat as a text": {"iat": "now"},
    "future nbf": {"nbf": NOW + 6000},
    "no jti": {"jti": None},
    "empty jti": {"jti": ""},
    "jti as a number": {"jti": 1},
    "NUL in sub": {"sub": "cl_\0"},
    "surrogate in sub": {"sub": "cl_\ud800"},
}


@pytest.mark.compliance("RFC 7523", "3")
@pytest.mark.parametrize("case", WRONG_CLAIMS)
def test_wrong_claims_are_an_invalid_client(signing, case):
    claims = json.loads(json.dumps(WRONG_CLAIMS[case]).replace("ISSUER", signing.issuer))
    refused(signing.token(signing.assertion(**claims)))
    assert not SpentIdentifier.objects.exists()


WRONG_HEADERS = {
    "none": {"alg": "none"},
    "None": {"alg": "None"},
    "no alg": {"alg": None},
    "HS256": {"alg": "HS256"},
    "another curve": {"alg": "ES384"},
    "another kind of key": {"alg": "RS256"},
    "alg as a list": {"alg": ["ES256"]},
    "alg in other letters": {"alg": "es256"},
    "unknown kid": {"kid": "two"},
    "kid in other letters": {"kid": "ONE"},
    "empty kid": {"kid": ""},
    "kid as a number": {"kid": 1},
    "kid that climbs": {"kid": "../../one"},
    "kid with SQL": {"kid": "one' or '1'='1"},
    "jku": {"jku": "https://evil.example/jwks"},
    "jwk": {"jwk": KEY.jwk},
    "x5u": {"x5u": "https://evil.example/cert"},
    "crit": {"crit": ["b64"], "b64": False},
    "empty crit": {"crit": []},
    "access token": {"typ": "at+jwt"},
    "DPoP proof": {"typ": "dpop+jwt"},
    "logout token": {"typ": "logout+jwt"},
    "request object": {"typ": "oauth-authz-req+jwt"},
    "typ as a number": {"typ": 1},
}


@pytest.mark.compliance("RFC 8725", "3.1")
@pytest.mark.parametrize("case", WRONG_HEADERS)
def test_wrong_headers_are_an_invalid_client(signing, case):
    refused(signing.token(signing.assertion(WRONG_HEADERS[case])))


def forged(signing):
    """What is no honest JWT of the client's."""
    good = signing.assertion()
    header, claims, signature = good.split(".")
    body = own_claims(signing.client.client_id, signing.issuer)
    unsigned = f"{pack({'alg': 'none'})}.{pack(body)}."
    hs = f"{pack({'alg': 'HS256', 'kid': 'one'})}.{pack(body)}"
    secret = json.dumps(KEY.jwk).encode()
    other = KeyPair("ES256")
    flipped = bytearray(base64.urlsafe_b64decode(signature + "=="))
    flipped[0] ^= 1
    return {
        "other key": other.sign(body),
        "other key that it brings along": other.sign(body, jwk=other.jwk),
        "no signature": f"{header}.{claims}.",
        "unsigned": unsigned,
        "public key as a shared secret": f"{hs}.{to_base64(hmac.digest(secret, hs.encode(), hashlib.sha256))}",
        "flipped signature": f"{header}.{claims}.{to_base64(bytes(flipped))}",
        "zeros": f"{header}.{claims}.{to_base64(bytes(64))}",
        "DER signature": f"{header}.{claims}.{to_base64(b'0' + bytes(70))}",
        "changed claims": f"{header}.{pack(body)}.{signature}",
        "padding": f"{good}=",
        "two parts": f"{header}.{claims}",
        "five parts": f"{good}.x.y",
        "spaces": f" {good}",
        "line end": f"{good}\n",
        "not base64": f"{header}.???.{signature}",
        "not JSON": f"{to_base64(b'{')}.{claims}.{signature}",
        "a list": f"{to_base64(b'[]')}.{claims}.{signature}",
        "alg twice": f"{to_base64(b'{"alg":"ES256","alg":"none"}')}.{claims}.{signature}",
        "NaN": f"{header}.{to_base64(b'{"exp":NaN}')}.{signature}",
        "deep": f"{header}.{to_base64(b'[' * 5000)}.{signature}",
        "long number": f"{header}.{to_base64(b'{"exp":' + b'9' * 5000 + b'}')}.{signature}",
        "not UTF-8": f"{header}.{to_base64(bytes([0xFF, 0xFE]))}.{signature}",
        "100 kB": "x" * 100_000,
        "dots": "." * 1000,
        "nothing much": "x",
        "letters": "é.é.é",
    }


FORGERIES = forged(Signing(ClientFactory.build(consumer=None), KEY, "x"))


@pytest.mark.compliance("RFC 8725", "3.1")
@pytest.mark.parametrize("case", FORGERIES)
def test_forgery_is_an_invalid_client(signing, case):
    refused(signing.token(forged(signing)[case]))


@pytest.mark.compliance("RFC 7521", "4.2")
@pytest.mark.parametrize(
    "kind",
    [
        *(None, "", "x", TYPE + " ", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
        "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe",  # which nobody makes for themselves
    ],
)
def test_assertion_of_another_type_is_an_invalid_client(signing, kind):
    refused(signing.token(client_assertion_type=kind or ""))


@pytest.mark.compliance("RFC 6749", "2.3")
def test_two_proofs_are_one_too_many(signing, program):
    refused(signing.token(client_secret="x", client_id=signing.client.client_id), "invalid_request")
    both = program.post("/oauth2/token", {"grant_type": "client_credentials"} | signing.proof())
    refused(both, "invalid_request")


# -- Why, for the client's own people ---------------------------------------------------------------------------------


def test_each_reason_has_its_words(signing, monkeypatch):
    noted = []
    monkeypatch.setattr(request_trace, "set_reason", lambda kind, **detail: noted.append((kind, detail)))
    for changes in WRONG_CLAIMS.values():
        signing.token(signing.assertion(**changes))
    for headers in WRONG_HEADERS.values():
        signing.token(signing.assertion(headers))
    for text in forged(signing).values():
        signing.token(text)
    said = {kind for kind, _ in noted if kind.startswith("assertion_")}
    assert len(said) > 10
    for kind, detail in noted:
        if kind.startswith("assertion_"):
            assert MESSAGES[kind](signing.client, detail).what
            what = OWN[kind][1]
            fullest = what if isinstance(what, str) else what[0]
            assert {field for _, field, _, _ in Formatter().parse(fullest)} - {None} <= detail.keys(), kind
