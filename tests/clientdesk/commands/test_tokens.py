"""Introspecting and revoking tokens, and identity tokens."""


def test_client_gets_a_token_that_introspects_and_is_revoked(server, alice_at, credentials):
    client_id, secret = credentials
    words = ["perform", "client-credentials", "--client-id", client_id, "--scope", "shipments:read"]
    token = alice_at.json(*words, CLIENTDESK_CLIENT_SECRET=secret)
    assert (token["token_type"], token["scope"]) == ("Bearer", "shipments:read")
    found = alice_at.json("introspect", "token", typed=token["access_token"])
    assert (found["active"], found["client_id"]) == (True, client_id)
    ended = alice_at.run(
        "revoke", "token", "--client-id", client_id, typed=token["access_token"], CLIENTDESK_CLIENT_SECRET=secret
    )
    assert ended.status == 0, ended.err
    assert alice_at.run("introspect", "token", typed=token["access_token"]).status == 1


def test_token_on_the_command_line_is_refused(alice_at):
    answer = alice_at.run("introspect", "token", "eyJhbGciOi")
    assert answer.status == 2
    assert "standard input" in answer.err


def test_workload_that_sends_its_secret_in_the_body_gets_its_identity(server, alice_at):
    client_id, secret = server.register(
        "workload", project="p", deployment="d", token_endpoint_auth_method="client_secret_post"
    )
    words = ["create", "identity-token", "--client-id", client_id, "--token-endpoint-auth-method", "client_secret_post"]
    assert alice_at.json(*words, CLIENTDESK_CLIENT_SECRET=secret)["id_token"].count(".") == 2


def test_workload_gets_its_identity(server, alice_at):
    known = server.demo["clients"]["workload"]
    words = ["create", "identity-token", "--client-id", known["client_id"]]
    made = alice_at.json(*words, CLIENTDESK_CLIENT_SECRET=known["client_secret"])
    assert made["id_token"].count(".") == 2
    alone = alice_at.run(*words, "--quiet", CLIENTDESK_CLIENT_SECRET=known["client_secret"])
    assert alone.out.strip().count(".") == 2
    assert " " not in alone.out.strip()
