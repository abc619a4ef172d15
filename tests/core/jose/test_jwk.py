"""Which public keys a client may register (RFC 7517, RFC 7518 section 6)."""

from functools import partial

import pytest

from clients.errors import InvalidClientMetadata
from clients.metadata import TEMPLATES
from clients.policy import every, grants, uris
from core.jose import jwk
from core.jose.jwk import UnfitKey
from tests.signing import KeyPair, to_base64

EC, RSA, ED = KeyPair("ES256"), KeyPair("RS256", "two"), KeyPair("EdDSA", "three")


@pytest.mark.compliance("RFC 7517", "5")
def test_sets_of_good_keys_are_taken():
    jwk.check(EC.jwks)
    jwk.check({"keys": [EC.jwk, RSA.jwk, ED.jwk, KeyPair("ES512", "four").jwk | {"use": "sig", "x5c": ["…"]}]})
    jwk.check({"keys": [KeyPair("ES384", None).jwk]})


KEYS = {
    "no object": "x",
    "nothing": {},
    "private": RSA.jwk | {"d": "AQAB"},
    "private, with a prime": RSA.jwk | {"p": "AQAB"},
    "shared secret": {"kty": "oct", "k": "c2VjcmV0"},
    "shared secret by name": {"kty": "oct"},
    "for encryption": EC.jwk | {"use": "enc"},
    "for signing only": EC.jwk | {"key_ops": ["sign"]},
    "key_ops as a number": EC.jwk | {"key_ops": None},
    "RSA of 1024 bits": RSA.jwk | {"n": to_base64((1 << 1023 | 1).to_bytes(128))},
    "RSA of 16384 bits": RSA.jwk | {"n": to_base64((1 << 16383 | 1).to_bytes(2048))},
    "exponent 1": RSA.jwk | {"e": "AQ"},
    "exponent 3": RSA.jwk | {"e": "Aw"},
    "even exponent": RSA.jwk | {"e": "AQAC"},
    "huge exponent": RSA.jwk | {"e": RSA.jwk["n"]},
    "even modulus": RSA.jwk | {"n": to_base64((1 << 2047).to_bytes(256))},
    "no modulus": {name: value for name, value in RSA.jwk.items() if name != "n"},
    "modulus as a number": RSA.jwk | {"n": 65537},
    "padded": EC.jwk | {"x": EC.jwk["x"] + "="},
    "not base64": EC.jwk | {"x": "???"},
    "not on the curve": EC.jwk | {"y": EC.jwk["x"]},
    "another curve": EC.jwk | {"crv": "P-384"},
    "secp256k1": EC.jwk | {"crv": "secp256k1"},
    "X25519": ED.jwk | {"crv": "X25519"},
    "short Ed25519": ED.jwk | {"x": "AAAA"},
    "unknown kind": EC.jwk | {"kty": "PQC"},
    "kind as a list": EC.jwk | {"kty": ["EC"]},
    "alg that does not fit": EC.jwk | {"alg": "RS256"},
    "alg none": EC.jwk | {"alg": "none"},
    "alg HS256": RSA.jwk | {"alg": "HS256"},
    "alg as a list": EC.jwk | {"alg": ["ES256"]},
    "kid as a number": EC.jwk | {"kid": 1},
    "kid without end": EC.jwk | {"kid": "x" * 201},
    "kid with a line end": EC.jwk | {"kid": "a\nb"},
    "empty kid": EC.jwk | {"kid": ""},
}


@pytest.mark.parametrize("case", KEYS)
def test_unfit_key_is_refused_with_a_reason(case):
    with pytest.raises(UnfitKey, match=r"\w+.*\."):
        jwk.check({"keys": [KEYS[case]]})


@pytest.mark.parametrize(
    "document",
    [
        *(None, [], "x", {}, {"keys": None}, {"keys": {}}),
        {"keys": [EC.jwk, EC.jwk]},
        {"keys": [EC.jwk, KeyPair("ES256", None).jwk]},
        {"keys": [EC.jwk | {"kid": str(n)} for n in range(11)]},
    ],
)
def test_unfit_set_is_refused_with_a_reason(document):
    with pytest.raises(UnfitKey, match=r"\w+.*\."):
        jwk.check(document)


# -- The policy -------------------------------------------------------------------------------------------------------

SIGNING = TEMPLATES["service"].replace(token_endpoint_auth_method="private_key_jwt")
WRONG = {
    "no keys": ({}, "jwks"),
    "both": ({"jwks": EC.jwks, "jwks_uri": "https://keys.example.com/"}, "jwks"),
    "unfit": ({"jwks": {"keys": [EC.jwk | {"d": "x"}]}}, "jwks"),
    "http": ({"jwks_uri": "http://keys.example.com/"}, "jwks_uri"),
    "loopback": ({"jwks_uri": "https://127.0.0.1/"}, "jwks_uri"),
    "long": ({"jwks_uri": "https://keys.example.com/" + "x" * 500}, "jwks_uri"),
    "HS256": ({"jwks": EC.jwks, "token_endpoint_auth_signing_alg": "HS256"}, "token_endpoint_auth_signing_alg"),
    "none": ({"jwks": EC.jwks, "token_endpoint_auth_signing_alg": "none"}, "token_endpoint_auth_signing_alg"),
    "no such key": ({"jwks": EC.jwks, "token_endpoint_auth_signing_alg": "RS256"}, "token_endpoint_auth_signing_alg"),
    "alg without assertions": (
        {"token_endpoint_auth_method": "client_secret_basic", "token_endpoint_auth_signing_alg": "ES256"},
        "token_endpoint_auth_signing_alg",
    ),
}


def check(metadata):
    addresses = partial(uris.server_to_server_uris, client=None, by_operator=False)
    rules = (grants.authentication_method, grants.assertion_algorithm, grants.jwks, addresses)
    every(partial(rule, metadata) for rule in rules)


@pytest.mark.compliance("RFC 7591", "2")
@pytest.mark.parametrize("case", WRONG)
def test_client_that_signs_has_keys_that_can_check_it(case):
    changes, field = WRONG[case]
    with pytest.raises(InvalidClientMetadata) as refused:
        check(SIGNING.replace(**changes))
    assert refused.value.field == field


def test_keys_or_their_address_are_enough():
    check(SIGNING.replace(jwks=EC.jwks))
    check(SIGNING.replace(jwks=RSA.jwks, token_endpoint_auth_signing_alg="PS512"))
    check(SIGNING.replace(jwks_uri="https://keys.example.com/jwks", token_endpoint_auth_signing_alg="EdDSA"))
    check(TEMPLATES["service"])
