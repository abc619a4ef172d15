"""RFC 9449 at the example APIs: a token that is bound to a key opens them with a proof of that key, and not without."""

from urllib.parse import urlsplit

import pytest

from tests import patient
from tests.authority.proofs import Prover, b64


@pytest.fixture(scope="module")
def bound(server):
    """A key, and a token bound to it."""
    prover, service = Prover(), server.service()

    def ask():
        proof = prover.proof(htu=f"{server.url}/oauth2/token")
        form = {"grant_type": "client_credentials", "scope": "shipments:read"}
        return prover.learn(
            patient.post(f"{server.url}/oauth2/token", data=form, auth=service, headers={"DPoP": proof})
        )

    assert ask().json()["error"] == "use_dpop_nonce"
    answer = ask().json()
    assert answer["token_type"] == "DPoP"
    return prover, answer["access_token"]


def get(api, token, *proofs, scheme="DPoP"):
    headers = [("Authorization", f"{scheme} {token}"), *(("DPoP", proof) for proof in proofs)]
    return patient.get(api, headers=headers)


def shown(api, prover, token, **claims):
    return prover.proof("GET", token=token, **{"htu": api} | claims)


@pytest.mark.compliance("RFC 9449", "7.1")
def test_api_accepts_a_bound_token_with_a_proof_once(api, bound):
    prover, token = bound
    proof = shown(api, prover, token)
    assert get(api, token, proof).status_code == 200
    again = get(api, token, proof)
    assert again.status_code == 401
    assert again.headers["WWW-Authenticate"].startswith('DPoP error="invalid_dpop_proof"')
    assert patient.get(f"{api}?page=2", headers={"Authorization": f"DPoP {token}", "DPoP": shown(api, prover, token)})


@pytest.mark.compliance("RFC 9449", "7.2")
def test_api_refuses_a_bound_token_as_a_bearer_token(api, bound, server):
    prover, token = bound
    for proofs in ((), (shown(api, prover, token),)):
        answer = get(api, token, *proofs, scheme="Bearer")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    plain = server.token("shipments:read")
    assert get(api, plain, shown(api, prover, plain)).status_code == 401


@pytest.mark.compliance("RFC 9449", "4.3")
def test_api_refuses_what_is_no_proof_for_the_request(api, bound):
    prover, token = bound
    place = urlsplit(api)
    wrong = {
        "none": (),
        "empty": ("",),
        "nonsense": ("nonsense",),
        "two": (shown(api, prover, token), shown(api, prover, token)),
        "for another method": (shown(api, prover, token, htm="POST"),),
        "for another path": (shown(api, prover, token, htu=f"{api}/1"),),
        "for another host": (shown(api, prover, token, htu=f"https://evil.example{place.path}"),),
        "for another token": (shown(api, prover, "another"),),
        "for no token": (shown(api, prover, None),),
        "old": (shown(api, prover, token, iat=1_700_000_000),),
        "from the future": (shown(api, prover, token, iat=2**33),),
        "without a name": (shown(api, prover, token, jti=None),),
        "without a time": (shown(api, prover, token, iat=None),),
        "of another type": (shown(api, prover, token, header={"typ": "JWT"}),),
        "unsigned": (shown(api, prover, token, header={"alg": "none"}),),
        "with HMAC": (shown(api, prover, token, header={"alg": "HS256"}),),
        "with a private key": (shown(api, prover, token, header={"jwk": prover.jwk | {"d": b64(b"1" * 32)}}),),
        "without a key": (shown(api, prover, token, header={"jwk": None}),),
        "with another's key": (shown(api, prover, token, header={"jwk": Prover().jwk}),),
        "with a critical header": (shown(api, prover, token, header={"crit": ["x"], "x": 1}),),
        "of another key": (shown(api, Prover(), token),),
    }
    for case, proofs in wrong.items():
        answer = get(api, token, *proofs)
        assert answer.status_code == 401, (case, answer.text)
        assert 'error="invalid_' in answer.headers["WWW-Authenticate"], case
