"""RFC 9449: tokens bound to a key, by a proof that holds for one request. What is no such proof is refused."""

import json
import time

import pytest
from django.conf import settings
from django.utils import timezone

from authority.client_authentication import dpop
from authority.diagnostics.problem_messages import MESSAGES
from authority.keys import signing_keys
from authority.models import Problem, SpentIdentifier
from authority.telemetry import writer
from core.jose import algorithms, jws
from tests.authority.proofs import Prover, b64, pack

pytestmark = pytest.mark.django_db
ALGORITHMS = ["ES256", "ES384", "ES512", "EdDSA", "RS256", "PS256", "RS512", "PS384"]


@pytest.fixture
def prover():
    """A key, and the nonce of the moment."""
    prover = Prover()
    prover.nonce = dpop.nonce()
    return prover


def ask(program, proof, **parameters):
    headers = {"DPoP": proof} if proof is not None else {}
    return program.post("/oauth2/token", {"grant_type": "client_credentials"} | parameters, **headers)


def claims_of(token):
    return jws.decode(token, signing_keys.verification_key, typ="at+jwt")


# -- Asking for tokens ------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 9449", "5")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_proof_binds_the_token_to_its_key(program, algorithm):
    prover = Prover(algorithm)
    prover.nonce = dpop.nonce()
    answer = ask(program, prover.proof())
    assert answer.status_code == 200, answer.json()
    assert answer.json()["token_type"] == "DPoP"
    assert claims_of(answer.json()["access_token"])["cnf"] == {"jkt": prover.jkt}
    assert algorithm in algorithms.ALGORITHMS


@pytest.mark.compliance("RFC 9449", "5")
def test_without_a_proof_the_token_is_a_bearer_token(program):
    answer = ask(program, None).json()
    assert answer["token_type"] == "Bearer"
    assert "cnf" not in claims_of(answer["access_token"])


@pytest.mark.compliance("RFC 9449", "5.2")
def test_a_client_that_must_prove_its_key_gets_nothing_without(program, service, prover):
    service.dpop_bound_access_tokens = True
    service.save()
    answer = ask(program, None)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    assert "Send a proof" in answer.json()["error_description"]
    assert ask(program, prover.proof()).json()["token_type"] == "DPoP"


@pytest.mark.compliance("RFC 9449", "5.1")
def test_discovery_names_the_algorithms(client):
    served = client.get("/.well-known/openid-configuration").json()["dpop_signing_alg_values_supported"]
    assert set(ALGORITHMS) <= set(served)
    assert not any(name.startswith("HS") or name == "none" for name in served)


@pytest.mark.compliance("RFC 9449", "6.2")
def test_introspection_returns_the_key_and_the_type(program, prover):
    token = ask(program, prover.proof()).json()["access_token"]
    told = program.introspect(token)
    assert (told["active"], told["token_type"], told["cnf"]) == (True, "DPoP", {"jkt": prover.jkt})


# -- Nonces -----------------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 9449", "8")
@pytest.mark.parametrize("nonce", [None, "", "a nonce", 7, ["x"], "ä" * 24])
def test_a_proof_without_our_nonce_is_answered_with_one(program, nonce):
    prover = Prover()
    answer = prover.learn(ask(program, prover.proof(nonce=nonce)))
    assert (answer.status_code, answer.json()["error"]) == (400, "use_dpop_nonce")
    assert not SpentIdentifier.objects.exists()
    assert ask(program, prover.proof()).status_code == 200
    assert not Problem.objects.exists(), "asking again is the ordinary course of things"


@pytest.mark.compliance("RFC 9449", "8.2")
def test_every_answer_to_a_proof_carries_a_nonce(program, prover):
    assert ask(program, prover.proof())["DPoP-Nonce"] == dpop.nonce()
    assert "DPoP-Nonce" in ask(program, "nonsense")
    assert "DPoP-Nonce" in ask(program, prover.proof(), grant_type="nonsense")
    assert "DPoP-Nonce" not in ask(program, None)


@pytest.mark.compliance("RFC 9449", "8")
def test_a_nonce_is_good_for_minutes_and_cannot_be_known_before(program, prover, time_machine):
    old = prover.nonce
    time_machine.shift(dpop.NONCE_LIFE)
    assert ask(program, prover.proof()).status_code == 200
    time_machine.shift(dpop.NONCE_LIFE)
    assert ask(program, prover.proof()).json()["error"] == "use_dpop_nonce"
    assert dpop.nonce() not in (old, dpop.nonce(-1), dpop.nonce(1))


@pytest.fixture
def time_machine():
    import time_machine

    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


# -- What is no proof -------------------------------------------------------------------------------------------------


def other_signature(prover):
    return f"{prover.proof().rpartition('.')[0]}.{Prover().proof().rpartition('.')[2]}"


def hmac_with_public_key(prover):
    import hashlib
    import hmac

    head = pack({"typ": "dpop+jwt", "alg": "HS256", "jwk": prover.jwk})
    body = prover.proof().split(".")[1]
    mac = hmac.digest(json.dumps(prover.jwk).encode(), f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}.{b64(mac)}"


def repeated_claim(prover):
    head = prover.proof().split(".")[0]
    text = b'{"jti":"a","jti":"b","htm":"POST","htu":"%s/oauth2/token","iat":%d,"nonce":"%s"}' % (
        settings.ISSUER.encode(),
        time.time(),
        prover.nonce.encode(),
    )
    return prover.signed(head, pack(text))


HEADERS = {
    "no type": {"typ": None},
    "another type": {"typ": "JWT"},
    "an access token's type": {"typ": "at+jwt"},
    "type in capitals": {"typ": "DPOP+JWT"},
    "type that is no text": {"typ": ["dpop+jwt"]},
    "no algorithm": {"alg": None},
    "none": {"alg": "none"},
    "a secret's algorithm": {"alg": "HS256"},
    "another key's algorithm": {"alg": "RS256"},
    "a larger curve's algorithm": {"alg": "ES512"},
    "algorithm that is no text": {"alg": {}},
    "critical header": {"crit": ["exp"]},
    "no key": {"jwk": None},
    "key that is no object": {"jwk": "key"},
    "key in a list": {"jwk": []},
    "secret as key": {"jwk": {"kty": "oct", "k": "c2VjcmV0"}},
    "point beside the curve": {"jwk": {"kty": "EC", "crv": "P-256", "x": b64(b"\1" * 32), "y": b64(b"\2" * 32)}},
    "unknown curve": {"jwk": {"kty": "EC", "crv": "secp256k1", "x": b64(b"\1" * 32), "y": b64(b"\2" * 32)}},
    "tiny RSA key": {"alg": "RS256", "jwk": {"kty": "RSA", "n": b64(b"\xff" * 64), "e": "AQAB"}},
    "huge RSA key": {"alg": "RS256", "jwk": {"kty": "RSA", "n": b64(b"\xff" * 3000), "e": "AQAB"}},
    "exponent one": {"alg": "RS256", "jwk": {"kty": "RSA", "n": b64(b"\xff" * 256), "e": "AQ"}},
}
CLAIMS = {
    "no jti": {"jti": None},
    "empty jti": {"jti": ""},
    "jti that is no text": {"jti": 7},
    "long jti": {"jti": "x" * 257},
    "no iat": {"iat": None},
    "iat that is no number": {"iat": "now"},
    "iat true": {"iat": True},
    "iat below zero": {"iat": -1},
    "iat beyond all numbers": {"iat": 10**400},
    "old": {"iat": int(time.time()) - 10_000},
    "from the future": {"iat": int(time.time()) + 10_000},
    "no method": {"htm": None},
    "another method": {"htm": "GET"},
    "method in small letters": {"htm": "post"},
    "method in a list": {"htm": ["POST"]},
    "no address": {"htu": None},
    "another path": {"htu": f"{settings.ISSUER}/oauth2/userinfo"},
    "path below": {"htu": f"{settings.ISSUER}/oauth2/token/"},
    "another host": {"htu": "https://evil.example/oauth2/token"},
    "another port": {"htu": "http://127.0.0.1:1/oauth2/token"},
    "another scheme": {"htu": settings.ISSUER.replace("http", "ftp") + "/oauth2/token"},
    "no host": {"htu": "/oauth2/token"},
    "broken address": {"htu": "http://[::1"},
    "broken port": {"htu": "http://h:x/oauth2/token"},
    "with a user": {"htu": settings.ISSUER.replace("://", "://user@") + "/oauth2/token"},
    "address with an escaped slash": {"htu": f"{settings.ISSUER}/oauth2%2ftoken"},
    "address that is no text": {"htu": {"a": 1}},
    "address with half a character": {"htu": "http://h/\ud800"},
    "nonce with half a character": {"nonce": "\ud800"},
}
WHOLE = {
    "empty": lambda prover: "",
    "no JWT": lambda prover: "nonsense",
    "two parts": lambda prover: prover.proof().rpartition(".")[0],
    "five parts": lambda prover: prover.proof() + ".a.b",
    "two proofs": lambda prover: f"{prover.proof()}, {prover.proof()}",
    "two joined proofs": lambda prover: f"{prover.proof()},{prover.proof()}",
    "no base64": lambda prover: "!" + prover.proof(),
    "padded": lambda prover: prover.proof() + "=",
    "not ASCII": lambda prover: prover.proof() + "ä",
    "no JSON": lambda prover: prover.signed(pack(b"{"), pack(b"{}")),
    "JSON that is no object": lambda prover: prover.signed(pack(b"[]"), pack(b"[]")),
    "JSON without end": lambda prover: prover.signed(pack(b"[" * 3000), pack(b"{}")),
    "NaN": lambda prover: prover.signed(prover.proof().split(".")[0], pack(b'{"iat":NaN}')),
    "not UTF-8": lambda prover: prover.signed(pack(b"\xff\xfe"), pack(b"{}")),
    "a claim twice": repeated_claim,
    "no signature": lambda prover: prover.proof().rpartition(".")[0] + ".",
    "another's signature": other_signature,
    "HMAC with the public key": hmac_with_public_key,
    "none, unsigned": lambda prover: f"{pack({'typ': 'dpop+jwt', 'alg': 'none', 'jwk': prover.jwk})}.{pack({})}.",
    "private key inside": lambda prover: prover.proof(header={"jwk": prover.jwk | {"d": b64(b"\1" * 32)}}),
    "oversized": lambda prover: prover.proof(filling="x" * 8192),
    "a megabyte": lambda prover: "x" * 1_000_000,
}
WRONG = {
    **{name: lambda prover, header=header: prover.proof(header=header) for name, header in HEADERS.items()},
    **{name: lambda prover, claims=claims: prover.proof(**claims) for name, claims in CLAIMS.items()},
    **WHOLE,
}


@pytest.mark.compliance("RFC 9449", "4.3")
@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_proof_is_refused(program, prover, case):
    answer = ask(program, WRONG[case](prover))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof"), answer.json()
    assert answer["Cache-Control"] == "no-store"
    assert not SpentIdentifier.objects.exists()
    writer.flush()
    kind = Problem.objects.get().kind
    assert kind.startswith("dpop_")
    assert kind in MESSAGES


@pytest.mark.compliance("RFC 9449", "4.3")
@pytest.mark.parametrize(
    "htu",
    [
        f"{settings.ISSUER}/oauth2/token?a=b",
        f"{settings.ISSUER}/oauth2/token#part",
        f"{settings.ISSUER.upper()}/oauth2/token",
        f"{settings.ISSUER}/oauth2/%74oken",
        f"{settings.ISSUER}/oauth2/./x/../token",
    ],
)
def test_addresses_are_compared_as_addresses(program, prover, htu):
    assert ask(program, prover.proof(htu=htu)).status_code == 200


def test_default_ports_are_the_same_address(settings):
    assert dpop.is_place("https://portal.example.com:443/oauth2/token", "https://portal.example.com/oauth2/token")
    assert not dpop.is_place("https://portal.example.com:80/oauth2/token", "https://portal.example.com/oauth2/token")


@pytest.mark.compliance("RFC 9449", "11.1")
def test_a_proof_is_used_once(program, prover):
    proof = prover.proof()
    assert ask(program, proof).status_code == 200
    answer = ask(program, proof)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    assert "used before" in answer.json()["error_description"]
    jti = "the same"
    assert ask(program, prover.proof(jti=jti)).status_code == 200
    other = Prover()
    other.nonce = prover.nonce
    assert ask(program, other.proof(jti=jti)).status_code == 200, "another key has names of its own"


@pytest.mark.compliance("RFC 9449", "11.1")
def test_a_proof_is_recorded_as_long_as_it_is_valid(program, prover):
    ask(program, prover.proof(iat=int(time.time()) + 200))
    assert (SpentIdentifier.objects.get().expires_at - timezone.now()).total_seconds() > 200 + dpop.WINDOW


def test_a_stranger_uses_nothing_up(program, prover):
    proof = prover.proof()
    program.secret = "wrong"
    assert ask(program, proof).status_code == 401
    assert not SpentIdentifier.objects.exists()
