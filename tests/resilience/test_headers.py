"""Headers that nobody sends in earnest, to the server as it runs."""

import httpx
import pytest

from tests import patient
from tests.authority.proofs import Prover

FORM = {"grant_type": "client_credentials"}


def test_a_megabyte_of_header_harms_no_running_server(server):
    for headers in ({"Authorization": f"Bearer {'a' * 1_000_000}"}, {"DPoP": "a" * 1_000_000}):
        try:
            status = patient.get(f"{server.url}/oauth2/userinfo", headers=headers).status_code
        except httpx.TransportError:  # the server may hang up instead of reading it
            continue
        assert 400 <= status < 500
    assert patient.get(f"{server.url}/oauth2/userinfo").status_code == 401


@pytest.mark.compliance("RFC 9449", "4.3")
def test_two_headers_are_no_proof_to_the_running_server(server):
    prover, service = Prover(), server.service()

    def ask(number):
        proofs = [prover.proof(htu=f"{server.url}/oauth2/token") for _ in range(number)]
        headers = [("DPoP", proof) for proof in proofs]
        return prover.learn(patient.post(f"{server.url}/oauth2/token", data=FORM, auth=service, headers=headers))

    assert ask(1).json()["error"] == "use_dpop_nonce"
    assert ask(1).status_code == 200
    refused = ask(2)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
