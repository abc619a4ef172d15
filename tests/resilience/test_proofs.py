"""Twenty requests at once with one DPoP proof, over real connections: one is answered, whatever it asks for."""

import pytest

from authority.client_authentication import dpop
from authority.models import RefreshToken, SpentIdentifier, TokenFamily
from tests.authority.conftest import Program
from tests.authority.proofs import Prover
from tests.factories import ClientFactory, give_secret
from tests.resilience.test_token_races import THREADS, at_once, flow  # noqa: F401  # a fixture

FORM = {"grant_type": "client_credentials"}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def prover():
    prover = Prover()
    prover.nonce = dpop.nonce()
    return prover


def succeed_once(answers, error="invalid_dpop_proof", status=400):
    assert sorted(answer.status_code for answer in answers) == [200] + [status] * (THREADS - 1)
    assert {answer.json()["error"] for answer in answers if answer.status_code != 200} == {error}


@pytest.mark.compliance("RFC 9449", "11.1")
def test_one_proof_gets_one_token(flow, prover):  # noqa: F811
    client = ClientFactory(consumer=flow.program.client.consumer)
    program = Program(client, give_secret(client)[1])
    for number in range(1, 4):
        proof = prover.proof()
        succeed_once(at_once([lambda proof=proof: program.post("/oauth2/token", FORM, DPoP=proof)] * THREADS))
        assert SpentIdentifier.objects.count() == number


@pytest.mark.compliance("RFC 9449", "11.1")
def test_one_proof_refreshes_once_and_the_family_lives_on(flow, prover):  # noqa: F811
    proof = {"DPoP": prover.proof()}
    refresh_token = flow.exchange(flow.code(), headers=proof).json()["refresh_token"]
    for _ in range(3):
        proof = {"DPoP": prover.proof()}
        answers = at_once([lambda p=proof, r=refresh_token: flow.refresh(r, headers=p)] * THREADS)
        succeed_once(answers)
        refresh_token = next(answer for answer in answers if answer.status_code == 200).json()["refresh_token"]
    assert TokenFamily.objects.get().ended_at is None
    assert RefreshToken.objects.count() == 4


@pytest.mark.compliance("RFC 9449", "11.1")
def test_one_proof_opens_userinfo_once(flow, prover):  # noqa: F811
    token = flow.exchange(flow.code(), headers={"DPoP": prover.proof()}).json()["access_token"]
    headers = {
        "Authorization": f"DPoP {token}",
        "DPoP": prover.proof("GET", "/oauth2/userinfo", token=token),
    }
    get = flow.program.http.get
    succeed_once(at_once([lambda: get("/oauth2/userinfo", headers=headers)] * THREADS), status=401)
