"""Machines whose clocks are two minutes ahead and behind, beside one that is right, on one database.

Each knows from the database by how much it is wrong (core/clock.py).
"""

import base64
import hashlib
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests import patient
from tests.authority.proofs import Prover
from tests.authority.signing import KEY
from tests.resilience.conftest import another
from tests.signing import TYPE, own_claims
from tests.third_party.person import alice_of

SHIFT = 120
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture(scope="module")
def machines(server):
    """Yield the addresses of the one that is right, the one ahead, and the one behind."""

    def shifted(seconds):
        path = str(Path(__file__).parent / "wrong_clock")
        return replace(server, environ=server.environ | {"PYTHONPATH": path, "CLOCK_SHIFT": str(seconds)})

    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        servers = [another(shifted(seconds), workers=1) for seconds in (SHIFT, -SHIFT)]
        yield [server.url, *pool.map(stack.enter_context, servers)]


@pytest.fixture
def web(server):
    return server.demo["clients"]["web"]


def exchange(machine, web, code, verifier):
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
    form["redirect_uri"] = web["redirect_uris"][0]
    return patient.post(f"{machine}/oauth2/token", data=form, auth=(web["client_id"], web["client_secret"]))


def refresh(machine, web, token):
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return patient.post(f"{machine}/oauth2/token", data=form, auth=(web["client_id"], web["client_secret"]))


def code_of(server, web):
    verifier = secrets.token_urlsafe(32)
    request = {
        "response_type": "code",
        "client_id": web["client_id"],
        "redirect_uri": web["redirect_uris"][0],
        "scope": "openid offline_access shipments:read",
        "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    with alice_of(server) as alice:
        back = alice.allow("/oauth2/authorize?" + urlencode(request))
    return httpx.URL(back).params["code"], verifier


@pytest.mark.parametrize("issued_by", [0, 1, 2])
@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_code_works_once_whoever_issued_it(server, machines, web, issued_by, first):
    code, verifier = code_of(replace(server, url=machines[issued_by]), web)
    answers = [exchange(machine, web, code, verifier).status_code for machine in machines[first:] + machines[:first]]
    assert answers == [200, 400, 400]


def test_a_refresh_token_works_once(server, machines, web):
    right, ahead, behind = machines
    token = exchange(ahead, web, *code_of(server, web)).json()["refresh_token"]
    spent = []
    for machine in (behind, ahead, right):
        answer = refresh(machine, web, token)
        assert answer.status_code == 200
        spent.append(token)
        token = answer.json()["refresh_token"]
    assert refresh(behind, web, spent[1]).status_code == 400
    assert [refresh(machine, web, token).status_code for machine in machines] == [400] * 3, "its family has ended"


@pytest.mark.parametrize("revoked_at", [0, 1, 2])
def test_a_revoked_token_is_revoked_everywhere(server, machines, revoked_at):
    service = server.service()
    tokens = [
        patient.post(f"{machine}/oauth2/token", data=GRANT, auth=service).json()["access_token"] for machine in machines
    ]

    def active():
        return {
            patient.post(f"{machine}/oauth2/introspect", data={"token": token}, auth=service).json()["active"]
            for machine in machines
            for token in tokens
        }

    assert active() == {True}
    headers = {"Authorization": f"Bearer {server.demo['operator_token']}"}
    path = f"{machines[revoked_at]}/admin/oauth2/tokens?client_id={service[0]}"
    assert patient.delete(path, headers=headers).status_code == 204
    time.sleep(0.3)  # until all have heard of it
    assert active() == {False}
    for machine in machines:
        new = patient.post(f"{machine}/oauth2/token", data=GRANT, auth=service).json()["access_token"]
        shown = patient.post(f"{machines[0]}/oauth2/introspect", data={"token": new}, auth=service).json()
        assert shown["active"]
        assert abs(shown["iat"] - time.time()) < 5


@pytest.fixture(scope="module")
def signing(server):
    metadata = {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEY.jwks, "scope": ("shipments:read",)}
    return server.register("service", **metadata)[0]


def prove(machine, assertion):
    form = GRANT | {"client_assertion_type": TYPE, "client_assertion": assertion}
    return patient.post(f"{machine}/oauth2/token", data=form).status_code


@pytest.mark.parametrize("first", [0, 1, 2])
def test_an_assertion_counts_once(server, machines, signing, first):
    assertion = KEY.sign(own_claims(signing, server.demo["issuer"]))
    order = machines[first:] + machines[:first]
    assert [prove(machine, assertion) for machine in order] == [200, 401, 401]


@pytest.mark.parametrize(("ends_in", "counts"), [(-40, True), (-80, False), (20, True)])
def test_an_assertion_ends_with_a_leeway_of_a_minute(server, machines, signing, ends_in, counts):
    for machine in machines:
        now = time.time()
        claims = own_claims(signing, server.demo["issuer"], exp=now + ends_in, iat=now - 100)
        assert prove(machine, KEY.sign(claims)) == (200 if counts else 401), machine


def test_a_proof_is_used_once(server, machines):
    prover, service = Prover(), server.service()
    place = f"{server.demo['issuer']}/oauth2/token"

    def ask(origin, proof):
        return patient.post(f"{origin}/oauth2/token", data=GRANT, auth=service, headers={"DPoP": proof})

    for first in range(3):
        order = machines[first:] + machines[:first]
        prover.learn(ask(order[0], prover.proof(htu=place)))
        proof = prover.proof(htu=place)
        assert [ask(machine, proof).status_code for machine in order] == [200, 400, 400]
