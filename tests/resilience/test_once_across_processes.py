"""Twenty requests at once, over two servers of three workers: whatever may be used once is used once among them all."""

import base64
import hashlib
import secrets
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlencode

import httpx
import pytest
from oauth2_provider.models import get_grant_model

from authority.models import DeviceRequest, PushedRequest, RefreshToken, TokenFamily
from core.credentials import token_digest
from tests import patient
from tests.authority.proofs import Prover
from tests.third_party.person import alice_of

THREADS = 20


@pytest.fixture(scope="module")
def person(server):
    with alice_of(server) as alice:
        yield alice


@pytest.fixture
def web(server):
    return server.demo["clients"]["web"]


@pytest.fixture
def everywhere(server, second):
    """Return what does a deed at both servers at once, ten times at each; it gives their answers."""

    def do(deed):
        barrier = Barrier(THREADS)

        def run(origin):
            barrier.wait(120)
            return deed(origin)

        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(run, [server.url, second] * (THREADS // 2)))

    return do


def request_of(web, verifier):
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return {
        "response_type": "code",
        "client_id": web["client_id"],
        "redirect_uri": web["redirect_uris"][0],
        "scope": "openid shipments:read",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }


def pays_once(answers):
    """Require that one was answered and the others refused, at both servers by the one registered error."""
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (THREADS - 1)
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}


def gave_one_family_that_has_ended(code):
    family = TokenFamily.objects.get(code=token_digest(code))
    assert family.ended_at
    assert RefreshToken.objects.filter(family=family).count() == 1


@pytest.mark.compliance("RFC 6749", "4.1.2")
def test_a_code_pays_once(server, everywhere, person, web):
    verifier = secrets.token_urlsafe(32)
    back = person.allow("/oauth2/authorize?" + urlencode(request_of(web, verifier)))
    code = httpx.URL(back).params["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": web["redirect_uris"][0],
        "code_verifier": verifier,
    }
    credentials = (web["client_id"], web["client_secret"])
    pays_once(everywhere(lambda origin: patient.post(f"{origin}/oauth2/token", data=form, auth=credentials)))
    with server.database():
        gave_one_family_that_has_ended(code)
        assert not get_grant_model().objects.filter(code=token_digest(code)).exists()


@pytest.mark.compliance("RFC 8628", "3.5")
def test_a_device_code_pays_once(server, everywhere, person):
    client_id = server.demo["clients"]["device"]["client_id"]
    form = {"client_id": client_id, "scope": "openid shipments:read"}
    asked = patient.post(f"{server.url}/oauth2/device_authorization", data=form).json()
    person.let_in(asked["verification_uri_complete"])
    code = asked["device_code"]
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": client_id,
        "device_code": code,
    }
    pays_once(everywhere(lambda origin: patient.post(f"{origin}/oauth2/token", data=form)))
    with server.database():
        gave_one_family_that_has_ended(code)
        assert not DeviceRequest.objects.filter(digest=token_digest(code)).exists()


@pytest.mark.compliance("RFC 9126", "7.3")
def test_a_pushed_request_is_opened_once(server, everywhere, web):
    credentials = (web["client_id"], web["client_secret"])
    pushed = patient.post(f"{server.url}/oauth2/par", data=request_of(web, "v" * 43), auth=credentials).json()
    query = {"client_id": web["client_id"], "request_uri": pushed["request_uri"]}
    answers = everywhere(lambda origin: patient.get(f"{origin}/oauth2/authorize", params=query))
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * (THREADS - 1)
    with server.database():
        request = PushedRequest.objects.get(digest=token_digest(pushed["request_uri"]))
        assert request.opened_at
        assert not request.answered_at


@pytest.mark.compliance("RFC 9449", "11.1")
def test_a_proof_is_used_once(server, everywhere):
    prover, service = Prover(), server.service()
    place, form = f"{server.demo['issuer']}/oauth2/token", {"grant_type": "client_credentials"}

    def ask(origin, proof):
        return patient.post(f"{origin}/oauth2/token", data=form, auth=service, headers={"DPoP": proof})

    prover.learn(ask(server.url, prover.proof(htu=place)))
    proof = prover.proof(htu=place)
    answers = everywhere(lambda origin: ask(origin, proof))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (THREADS - 1)
    errors = {answer.json()["error_description"] for answer in answers if answer.status_code == 400}
    assert errors == {"This DPoP proof was used before (jti). Create a new one for each request."}


def test_other_server_of_ours_knows_the_same_issuer(server, second):
    """Else the other tests would show nothing: all would be refused there."""
    read = [
        patient.get(f"{origin}/.well-known/openid-configuration").json()["issuer"] for origin in (server.url, second)
    ]
    assert read == [server.demo["issuer"]] * 2
