"""RFC 7636 and RFC 9700 section 2.1.1: PKCE with S256, required of every client."""

import pytest

from tests.authority.flows import Flow, returned

pytestmark = pytest.mark.django_db


@pytest.mark.compliance("RFC 7636", "4.4.1")
@pytest.mark.parametrize(
    "parameters",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},  # means plain
        {"code_challenge_method": "s256"},
        {"code_challenge": "short"},
        {"code_challenge": "x" * 44},
        {"code_challenge": "x" * 5000},
        {"code_challenge": "ü" * 43},
    ],
    ids=str,
)
def test_a_request_without_s256_challenge_is_refused(web, browser_of, alice, parameters):
    flow = Flow(web, browser_of(alice), **parameters)
    assert returned(flow.open())["error"] == "invalid_request"
    assert returned(flow.decide())["error"] == "invalid_request"


@pytest.mark.compliance("RFC 7636", "4.4.1")
def test_confidential_clients_are_not_exempt(web, browser_of, alice):
    flow = Flow(web, browser_of(alice), code_challenge=None, code_challenge_method=None)
    assert "code_challenge" in returned(flow.open())["error_description"].lower() or returned(flow.open())["error"]


@pytest.mark.compliance("RFC 7636", "4.6")
@pytest.mark.parametrize("verifier", [None, "", "wrong", "ü" * 43, "x" * 10_000], ids=str)
def test_wrong_or_missing_verifier_is_refused_and_burns_nothing(flow, verifier):
    code = flow.code()
    answer = flow.exchange(code, code_verifier=verifier)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert flow.exchange(code).status_code == 200


def test_the_challenge_itself_is_no_verifier(flow):
    answer = flow.exchange(flow.code(), code_verifier=flow.request["code_challenge"])
    assert answer.json()["error"] == "invalid_grant"
