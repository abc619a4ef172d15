"""What happens when something breaks: an answer that programs understand, and no secret anywhere."""

import logging

import pytest
from django.db import IntegrityError, OperationalError

from authority import client_directory
from authority.tokens import access_tokens, families

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"])
def test_while_the_database_is_away_programs_are_asked_to_come_back(program, monkeypatch, path):
    def away(client_id):
        raise OperationalError("connection refused")

    monkeypatch.setattr(client_directory, "query_row", away)
    answer = program.post(path, {"grant_type": "client_credentials", "token": "x"})
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert answer["Retry-After"]
    assert "refused" not in answer.content.decode()


def test_person_deleted_while_the_code_is_exchanged_is_an_invalid_grant(flow, monkeypatch):
    code = flow.code()

    def gone(*args, **kwargs):
        raise IntegrityError

    monkeypatch.setattr(families, "create", gone)
    answer = flow.exchange(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_no_log_line_holds_a_secret_or_token(flow, program, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    code = flow.code()
    tokens = flow.exchange(code).json()
    later = flow.refresh(tokens["refresh_token"]).json()
    flow.exchange(code)
    stateless = program.token().json()["access_token"]
    program.introspect(stateless)
    program.revoke(stateless)

    def broken(*args, **kwargs):
        raise RuntimeError("a fault in the middle")

    monkeypatch.setattr(access_tokens, "token_template", broken)
    answer = program.token()
    assert (answer.status_code, answer.json()["error"]) == (500, "server_error")
    assert "middle" not in answer.content.decode()
    assert "a fault in the middle" in caplog.text
    secrets = [code, program.secret, flow.program.secret, flow.verifier, stateless]
    secrets += [value for each in (tokens, later) for name, value in each.items() if name.endswith("_token")]
    for secret in secrets:
        assert secret not in caplog.text
