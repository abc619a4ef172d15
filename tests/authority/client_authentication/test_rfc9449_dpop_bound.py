"""RFC 9449: what a bound token is worth without its key. At userinfo, at refresh, and to pages of other origins."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client as Browser

from authority.client_authentication import dpop
from authority.models import SpentIdentifier, TokenFamily
from tests.authority.flows import BACK, Flow, returned
from tests.authority.proofs import Prover

pytestmark = pytest.mark.django_db


@pytest.fixture
def prover():
    return fresh()


def fresh():
    prover = Prover()
    prover.nonce = dpop.nonce()
    return prover


@pytest.fixture
def public(spa, browser_of, alice):
    return Flow(spa, browser_of(alice))


@pytest.fixture(params=["public", "confidential"])
def either(request):
    return request.getfixturevalue({"public": "public", "confidential": "flow"}[request.param])


def carrying(proof):
    return {"DPoP": proof} if proof is not None else {}


def exchange(flow, proof=None, **parameters):
    return flow.exchange(flow.code(), headers=carrying(proof), **parameters)


def userinfo(token, proof=None, scheme="DPoP", method="get"):
    headers = {"Authorization": f"{scheme} {token}"} | ({"DPoP": proof} if proof is not None else {})
    return getattr(Browser(), method)("/oauth2/userinfo", headers=headers)


def shown(prover, token, **claims):
    return prover.proof("GET", "/oauth2/userinfo", token=token, **claims)


def refused(answer, code, status=401):
    assert (answer.status_code, answer.json()["error"]) == (status, code), answer.json()
    assert f'error="{code}"' in answer["WWW-Authenticate"]
    return True


# -- At a protected resource ------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 9449", "7")
def test_a_bound_token_opens_userinfo_with_a_proof_of_its_key(either, prover):
    token = exchange(either, prover.proof()).json()["access_token"]
    answer = userinfo(token, shown(prover, token))
    assert (answer.status_code, answer["DPoP-Nonce"]) == (200, dpop.nonce())
    posted = userinfo(token, prover.proof("POST", "/oauth2/userinfo", token=token), method="post")
    assert posted.json() == answer.json()
    assert userinfo(token, shown(prover, token), scheme="dpop").status_code == 200


@pytest.mark.compliance("RFC 9449", "7.2")
def test_a_bound_token_is_no_bearer_token(flow, prover):
    token = exchange(flow, prover.proof()).json()["access_token"]
    assert refused(userinfo(token, scheme="Bearer"), "invalid_token")
    assert refused(userinfo(token, shown(prover, token), scheme="Bearer"), "invalid_token")


@pytest.mark.compliance("RFC 9449", "7.1")
def test_a_bearer_token_is_no_bound_token(flow, prover):
    token = exchange(flow).json()["access_token"]
    assert refused(userinfo(token, shown(prover, token)), "invalid_token")


@pytest.mark.compliance("RFC 9449", "7.1")
def test_userinfo_refuses_a_bound_token_without_its_proof(flow, prover):
    token = exchange(flow, prover.proof()).json()["access_token"]
    another = exchange(flow, prover.proof()).json()["access_token"]
    stranger = fresh()
    used = shown(prover, token)
    assert userinfo(token, used).status_code == 200
    wrong = {
        "no proof": (None, "invalid_dpop_proof"),
        "of another key": (shown(stranger, token), "invalid_token"),
        "for no token": (shown(prover, None), "invalid_dpop_proof"),
        "for another token": (shown(prover, another), "invalid_dpop_proof"),
        "for another method": (shown(prover, token, htm="POST"), "invalid_dpop_proof"),
        "for another URL": (prover.proof("GET", "/oauth2/token", token=token), "invalid_dpop_proof"),
        "for token requests": (prover.proof(), "invalid_dpop_proof"),
        "used": (used, "invalid_dpop_proof"),
        "old nonce": (shown(prover, token, nonce="old"), "use_dpop_nonce"),
        "old": (shown(prover, token, iat=1), "invalid_dpop_proof"),
    }
    for case, (proof, code) in wrong.items():
        answer = userinfo(token, proof)
        assert refused(answer, code), case
        assert answer["WWW-Authenticate"].startswith("DPoP "), case
        assert 'algs="' in answer["WWW-Authenticate"], case


def test_another_keys_proof_is_not_used_up(flow, prover):
    token = exchange(flow, prover.proof()).json()["access_token"]
    spent = SpentIdentifier.objects.count()
    userinfo(token, shown(fresh(), token))
    userinfo("no token", shown(prover, "no token"))
    assert SpentIdentifier.objects.count() == spent


@pytest.mark.compliance("RFC 9449", "7.1")
def test_a_request_without_a_token_learns_both_schemes(client):
    answer = client.get("/oauth2/userinfo")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith('Bearer realm="userinfo", DPoP algs="')
    assert "error" not in answer["WWW-Authenticate"]


# -- Refresh tokens ---------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 9449", "5")
def test_refresh_tokens_of_public_clients_are_bound(public, prover):
    first = exchange(public, prover.proof()).json()
    stolen = public.refresh(first["refresh_token"])
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_dpop_proof")
    stolen = public.refresh(first["refresh_token"], headers=carrying(fresh().proof()))
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    second = public.refresh(first["refresh_token"], headers=carrying(prover.proof()))
    assert (second.status_code, second.json()["token_type"]) == (200, "DPoP")
    assert public.refresh(second.json()["refresh_token"], headers=carrying(prover.proof())).status_code == 200


@pytest.mark.compliance("RFC 9449", "5")
def test_confidential_clients_may_change_their_key_but_not_do_without(flow, prover):
    first = exchange(flow, prover.proof()).json()
    without = flow.refresh(first["refresh_token"])
    assert (without.status_code, without.json()["error"]) == (400, "invalid_dpop_proof")
    other = fresh()
    second = flow.refresh(first["refresh_token"], headers=carrying(other.proof())).json()
    assert flow.program.introspect(second["access_token"])["cnf"] == {"jkt": other.jkt}


def test_a_family_is_bound_to_the_first_key_that_comes(public, prover):
    first = exchange(public).json()
    assert first["token_type"] == "Bearer"
    second = public.refresh(first["refresh_token"], headers=carrying(prover.proof())).json()
    assert second["token_type"] == "DPoP"
    assert TokenFamily.objects.get().dpop_jkt == prover.jkt
    assert public.refresh(second["refresh_token"]).json()["error"] == "invalid_dpop_proof"


@pytest.mark.compliance("RFC 9449", "8")
def test_a_missing_nonce_costs_neither_code_nor_refresh_token(public):
    prover, code = Prover(), public.code()
    assert prover.learn(public.exchange(code, headers=carrying(prover.proof()))).json()["error"] == "use_dpop_nonce"
    tokens = public.exchange(code, headers=carrying(prover.proof())).json()
    prover.nonce = None
    refused = prover.learn(public.refresh(tokens["refresh_token"], headers=carrying(prover.proof())))
    assert refused.json()["error"] == "use_dpop_nonce"
    assert public.refresh(tokens["refresh_token"], headers=carrying(prover.proof())).status_code == 200


@pytest.mark.compliance("RFC 9449", "5.2")
def test_a_client_that_must_prove_its_key_cannot_exchange_without(public, spa):
    spa.client.dpop_bound_access_tokens = True
    spa.client.save()
    code = public.code()
    assert public.exchange(code).json()["error"] == "invalid_dpop_proof"
    assert public.exchange(code, headers=carrying(fresh().proof())).status_code == 200


# -- Pages of other origins -------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 9449", "8")
def test_a_page_of_the_client_may_send_proofs_and_read_nonces(public, spa):
    page = {"Origin": "https://app.example.com"}
    spa.client.allowed_cors_origins = [page["Origin"]]
    spa.client.save()
    asked = page | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "dpop"}
    preflight = Browser().options("/oauth2/token", headers=asked)
    assert "DPoP" in preflight["Access-Control-Allow-Headers"]
    prover = Prover()
    answer = public.program.http.post(
        "/oauth2/token",
        "a=b",
        content_type="application/x-www-form-urlencoded",
        headers=page | {"DPoP": prover.proof()},
    )
    assert answer["Access-Control-Allow-Origin"] == page["Origin"]
    assert "DPoP-Nonce" in answer["Access-Control-Expose-Headers"]
    assert answer["DPoP-Nonce"]


# -- Codes ------------------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 9449", "10")
def test_a_code_that_was_asked_for_with_a_key_is_exchanged_with_it_alone(spa, browser_of, alice, prover):
    flow = Flow(spa, browser_of(alice), dpop_jkt=prover.jkt)
    code = flow.code()
    assert flow.exchange(code).json()["error"] == "invalid_dpop_proof"
    assert flow.exchange(code, headers=carrying(fresh().proof())).json()["error"] == "invalid_grant"
    answer = flow.exchange(code, headers=carrying(prover.proof()))
    assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP")


@pytest.mark.compliance("RFC 9449", "10")
@pytest.mark.parametrize("jkt", ["short", "x" * 42, "x" * 44, "x" * 42 + "=", "x" * 42 + "ä"])
def test_a_malformed_dpop_jkt_is_refused(web, browser_of, alice, jkt):
    answer = returned(Flow(web, browser_of(alice), dpop_jkt=jkt).open())
    assert answer["error"] == "invalid_request"
    assert "dpop_jkt" in answer["error_description"]


def push(flow, prover, **parameters):
    proof = prover.proof("POST", "/oauth2/par") if prover else None
    return flow.program.post("/oauth2/par", flow.request | parameters, **carrying(proof))


@pytest.mark.compliance("RFC 9449", "10.1")
def test_a_proof_at_the_pushed_request_binds_the_code(flow, prover):
    pushed = push(flow, prover)
    assert (pushed.status_code, pushed["DPoP-Nonce"]) == (201, dpop.nonce())
    flow.request = {"client_id": flow.request["client_id"], "request_uri": pushed.json()["request_uri"]}
    flow.request = dict(parse_qsl(urlsplit(flow.open()["Location"]).query))
    code = flow.code()
    flow.request["redirect_uri"] = BACK
    assert flow.exchange(code, headers=carrying(fresh().proof())).json()["error"] == "invalid_grant"
    assert flow.exchange(code, headers=carrying(prover.proof())).json()["token_type"] == "DPoP"


@pytest.mark.compliance("RFC 9449", "10.1")
def test_a_pushed_request_must_not_contradict_its_proof(flow, prover):
    assert push(flow, prover, dpop_jkt=prover.jkt).status_code == 201
    refused = push(flow, prover, dpop_jkt=fresh().jkt)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    assert push(flow, Prover()).json()["error"] == "use_dpop_nonce"
    assert flow.program.post("/oauth2/par", flow.request, **carrying(prover.proof())).json()["error"] == (
        "invalid_dpop_proof"
    ), "made for the token endpoint"
