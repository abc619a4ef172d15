"""RFC 7009: a client ends a token that it no longer needs."""

import pytest

from authority.models import RevokedToken, TokenFamily
from tests.authority.conftest import Program
from tests.authority.flows import Flow

pytestmark = pytest.mark.django_db
INACTIVE = {"active": False}


@pytest.mark.compliance("RFC 7009", "2.1")
def test_stateless_access_token_is_ended_by_its_jti(program):
    token, other = (program.token().json()["access_token"] for _ in range(2))
    answer = program.revoke(token)
    assert (answer.status_code, answer.content, answer["Cache-Control"]) == (200, b"", "no-store")
    assert program.introspect(token) == INACTIVE
    assert program.introspect(other)["active"]
    assert program.revoke(token).status_code == 200
    assert RevokedToken.objects.count() == 1


@pytest.mark.compliance("RFC 7009", "2.1")
@pytest.mark.parametrize("which", ["refresh_token", "access_token"])
def test_revoking_either_token_ends_both(flow, which):
    tokens = flow.tokens()
    assert flow.program.revoke(tokens[which]).status_code == 200
    assert flow.program.introspect(tokens["access_token"]) == INACTIVE
    assert flow.program.introspect(tokens["refresh_token"]) == INACTIVE
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_revoking_a_rotated_token_ends_its_successor(flow):
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json()
    flow.program.revoke(first["refresh_token"])
    assert flow.program.introspect(second["access_token"]) == INACTIVE
    assert flow.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert not TokenFamily.objects.alive().exists()


@pytest.mark.compliance("RFC 7009", "2.1")
def test_another_clients_token_is_left_alone(program, stranger, flow):
    stateless, tokens = program.token().json()["access_token"], flow.tokens()
    for token in (stateless, tokens["access_token"], tokens["refresh_token"]):
        assert stranger.revoke(token).status_code == 200
    assert program.introspect(stateless)["active"]
    assert flow.program.introspect(tokens["access_token"])["active"]
    assert flow.program.introspect(tokens["refresh_token"])["active"]
    assert not RevokedToken.objects.exists()


@pytest.mark.compliance("RFC 7009", "2.2")
@pytest.mark.parametrize("token", ["x", "a.b.c", "ü", "x" * 100_000])
def test_unknown_token_is_a_success(program, token):
    assert program.revoke(token).status_code == 200


@pytest.mark.compliance("RFC 7009", "2.1")
@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "magic"])
def test_a_wrong_hint_does_not_matter(program, flow, hint):
    token = program.token().json()["access_token"]
    assert program.revoke(token, token_type_hint=hint).status_code == 200
    assert program.introspect(token) == INACTIVE
    refresh_token = flow.tokens()["refresh_token"]
    flow.program.revoke(refresh_token, token_type_hint=hint)
    assert flow.program.introspect(refresh_token) == INACTIVE


@pytest.mark.compliance("RFC 7009", "2.1")
def test_caller_must_prove_who_it_is(program):
    token = program.token().json()["access_token"]
    answer = Program(program.client, "wrong").revoke(token)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert program.introspect(token)["active"]


def test_public_client_revokes_its_own(spa, browser_of, alice):
    flow = Flow(spa, browser_of(alice))
    tokens = flow.tokens()
    spa.revoke(tokens["refresh_token"], client_id=spa.client.client_id)
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_token_parameter_is_required_and_get_is_not_served(program):
    assert program.post("/oauth2/revoke", {}).status_code == 400
    assert program.http.get("/oauth2/revoke").status_code == 405
