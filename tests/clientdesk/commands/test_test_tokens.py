"""Commands for test tokens."""


def test_test_token_is_made_by_hand(server, alice_at, credentials):
    made = alice_at.json(
        *("create", "test-token", credentials[0], "--scope", "shipments:read", "--reason", "Trying the API"),
        *("--user-id", "u-1", "--role", "driver"),
    )
    assert made["access_token"].count(".") == 2
