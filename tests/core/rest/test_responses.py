"""Refusals in the shape of RFC 6749 section 5.2 and RFC 6750 section 3, and faults of ours."""

import json

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError

from core.errors import Refusal
from core.rest import responses


@pytest.mark.parametrize("exception", [OperationalError("at 10.0.0.1"), InterfaceError("closed")])
def test_a_database_that_is_away_is_for_a_moment(exception, caplog):
    answer = responses.fault(exception, "/admin/clients", responses.error)
    assert (answer.status_code, json.loads(answer.content)["error"]) == (503, "temporarily_unavailable")
    assert answer["Retry-After"] == "5"
    assert "10.0.0.1" not in answer.text
    assert all(record.exc_info is None for record in caplog.records)


@pytest.mark.parametrize("exception", [IntegrityError("key (id)=(7)"), LookupError("secret")])
def test_any_other_fault_names_the_request_alone(exception, caplog):
    answer = responses.fault(exception, "/admin/clients", responses.error)
    assert (answer.status_code, json.loads(answer.content)["error"]) == (500, "server_error")
    assert "X-Request-Id" in answer.text
    assert str(exception) not in answer.text
    assert "/admin/clients" in caplog.text


@pytest.mark.compliance("RFC 6750", "3")
@pytest.mark.parametrize(
    ("parameters", "header"),
    [
        ({"realm": "registration"}, 'Bearer realm="registration"'),
        ({"error": "invalid_token"}, 'Bearer error="invalid_token"'),
        ({"realm": "r", "error": "insufficient_scope"}, 'Bearer realm="r", error="insufficient_scope"'),
    ],
)
def test_challenge(parameters, header):
    assert responses.challenge(**parameters) == header


def test_each_sentence_is_said_once_with_its_member():
    refusal = Refusal("Shorten it.", field="client_name")
    refusal.others = (Refusal("Name each once.", field="contacts"), Refusal("Shorten it.", field="client_name"))
    assert responses.sentences(refusal) == "client_name: Shorten it. contacts: Name each once."
