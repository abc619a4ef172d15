"""Client authentication: secrets come from the environment or standard input, never from the command line."""

import os
from unittest import mock

import pytest

from authority.client_authentication import methods
from clientdesk.client_authentication import AuthMethod, authentication_of


@pytest.mark.parametrize("method", [*AuthMethod][:4])
def test_method_without_what_it_needs_says_what_that_is(alice_at, credentials, method):
    answer = alice_at.call(
        "perform", "client-credentials", "--client-id", credentials[0], "--token-endpoint-auth-method", method
    )
    assert answer.status == 2
    assert method in answer.err
    assert "CLIENTDESK_CLIENT_" in answer.err


def test_method_that_is_named_goes_before_the_assertion_of_the_environment(alice_at, credentials):
    client_id, secret = credentials
    words = [
        "perform",
        "client-credentials",
        "--client-id",
        client_id,
        "--token-endpoint-auth-method",
        "client_secret_basic",
    ]
    environ = {"CLIENTDESK_CLIENT_SECRET": secret, "CLIENTDESK_CLIENT_ASSERTION": "eyJhbGciOiJub25lIn0.e30."}
    assert alice_at.json(*words, **environ)["access_token"]


def test_odd_characters_of_a_secret_arrive_as_they_are():
    """RFC 6749 section 2.3.1: both parts are form-encoded before they are joined."""
    with mock.patch.dict(os.environ, CLIENTDESK_CLIENT_SECRET="a+b%2F:c é"):
        header = authentication_of("https://app.example/client", AuthMethod.BASIC).headers["Authorization"]
    sent = methods.read_basic(header)
    assert (sent.client_id, sent.secret) == ("https://app.example/client", "a+b%2F:c é")


def test_assertion_of_the_environment_takes_the_place_of_a_secret(server, alice_at):
    known = server.demo["clients"]["workload"]
    words = ["create", "identity-token", "--client-id", known["client_id"]]
    refused = alice_at.run(*words, CLIENTDESK_CLIENT_ASSERTION="eyJhbGciOiJub25lIn0.e30.")
    assert refused.status == 3
    assert "invalid_client" in refused.err
