"""Compact JWSs of others: parsed strictly, and verified alike by both libraries (RFC 7515, RFC 8725)."""

import json

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given
from hypothesis import strategies as st

from core.jose import algorithms, base64url, jwk, jws
from core.jose.jws import MalformedJWT
from tests.signing import KeyPair, pack

EC = KeyPair("ES256")
TOKEN = EC.sign({"sub": "cl_abc"})
HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")
MALFORMED = {
    "nothing": ("", "token", "parts"),
    "one part": (HEADER, "token", "parts"),
    "two parts": (f"{HEADER}.{PAYLOAD}", "token", "parts"),
    "four parts": (f"{TOKEN}.", "token", "parts"),
    "JSON serialization": (json.dumps({"payload": PAYLOAD, "protected": HEADER}), "token", "parts"),
    "too long": (TOKEN + "A" * 20_000, "token", "too_long"),
    "empty header": (f".{PAYLOAD}.{SIGNATURE}", "header", "json"),
    "padding": (f"{HEADER}=.{PAYLOAD}.{SIGNATURE}", "header", "base64url"),
    "a blank": (f"{HEADER} .{PAYLOAD}.{SIGNATURE}", "header", "base64url"),
    "letters of base64": (f"{base64url.encode(b'{}')}+/.{PAYLOAD}.{SIGNATURE}", "header", "base64url"),
    "no ASCII": (f"{HEADER}.ä.{SIGNATURE}", "payload", "base64url"),
    "half a pair": (f"{HEADER}.\ud800.{SIGNATURE}", "payload", "base64url"),
    "bits that no encoder sets": (f"{HEADER}.{PAYLOAD}.{SIGNATURE[:-1]}B", "signature", "base64url"),
    "a list": (f"{base64url.encode(b'[]')}.{PAYLOAD}.{SIGNATURE}", "header", "no_object"),
    "a member twice": (f"{HEADER}.{base64url.encode(b'{"sub":"a","sub":"b"}')}.{SIGNATURE}", "payload", "json"),
    "NaN": (f"{HEADER}.{base64url.encode(b'{"exp":NaN}')}.{SIGNATURE}", "payload", "json"),
    "NUL": (f"{HEADER}.{base64url.encode(b'{"sub":"\\u0000"}')}.{SIGNATURE}", "payload", "json"),
}


@pytest.mark.compliance("RFC 7515", "7.1")
@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_token_is_refused_with_the_part_and_the_problem(case):
    text, part, problem = MALFORMED[case]
    with pytest.raises(MalformedJWT) as refused:
        jws.parse(text)
    assert (refused.value.part, refused.value.problem) == (part, problem)
    assert jws.decode(text, lambda kid: EC.jwk | {"alg": "ES256"}, typ="JWT") is None


@given(st.text() | st.text("eyJAa0-_.{}", max_size=40))
def test_any_text_is_parsed_or_malformed(text):
    try:
        token = jws.parse(text)
    except MalformedJWT:
        return
    assert token.signing_input.decode() + "." + base64url.encode(token.signature) == text


@pytest.mark.parametrize("verify", [jws.verify, jws.verify_foreign])
@pytest.mark.parametrize("algorithm", algorithms.ALGORITHMS)
def test_both_libraries_accept_and_refuse_the_same(verify, algorithm):
    pair, other = KeyPair(algorithm), KeyPair(algorithm)
    token = jws.parse(pair.sign({"sub": "cl_abc"}))
    assert token.claims == {"sub": "cl_abc"}
    verify(token, pair.jwk, algorithm)
    verify(token, pair.jwk | {"use": "jwt-svid", "alg": algorithm, "kid": "x"}, algorithm)
    forged = jws.parse(".".join([token.text.split(".")[0], pack({"sub": "cl_other"}), token.text.split(".")[2]]))
    for case, key in ((token, other.jwk), (forged, pair.jwk)):
        with pytest.raises(InvalidSignature):
            verify(case, key, algorithm)
    cut = jws.parse(token.text.rpartition(".")[0] + "." + base64url.encode(token.signature[:-1]))
    with pytest.raises(InvalidSignature):
        verify(cut, pair.jwk, algorithm)


def test_nothing_of_a_token_is_in_its_repr():
    assert repr(jws.parse(TOKEN)) == "<SignedJWT>"


@pytest.mark.compliance("RFC 7638", "3")
@pytest.mark.parametrize("algorithm", ["ES256", "ES512", "EdDSA", "PS256"])
def test_both_libraries_name_a_key_alike(algorithm):
    pair = KeyPair(algorithm)
    ours = jwk.thumbprint(jwk.public_members(jwk.public_key(pair.jwk)))
    assert ours == jwk.foreign_key(pair.jwk).thumbprint()


@given(st.binary(max_size=100))
def test_base64url_has_one_encoding(data):
    text = base64url.encode(data)
    assert base64url.decode(text) == data
    if text:
        with pytest.raises(ValueError, match=r"canonical|adding"):
            base64url.decode(text + "=")
