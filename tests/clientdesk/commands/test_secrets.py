"""Commands for secrets and lifespans."""


def test_secrets_are_added_listed_expired_rotated_and_revoked(alice_at, service):
    client_id = service["client_id"]
    made = alice_at.json("create", "secret", client_id, "--name", "Staging")
    assert made["client_secret"].startswith("cdsk_")
    rows = alice_at.json("list", "secrets", client_id)
    assert len(rows) == 2
    assert "client_secret" not in rows[0]
    ended = alice_at.json("update", "secret", client_id, made["id"], "--expires-at", "2099-01-01T00:00:00Z")
    assert ended["expires_at"].startswith("2099-01-01")
    assert alice_at.run("revoke", "secret", client_id, made["id"]).status == 0
    rotated = alice_at.json("rotate", "secret", client_id, "--revoke-previous")
    assert rotated["client_secret"] not in (made["client_secret"], service["client_secret"])
    states = [row["state"] for row in alice_at.json("list", "secrets", client_id)]
    assert states.count("active") == 1


def test_lifespans_are_set_and_shown(alice_at, service):
    words = ["update", "lifespans", service["client_id"]]
    set_ = alice_at.json(*words, "--set", "client-credentials-grant-access-token=15m")
    assert set_["client_credentials_grant_access_token_lifespan"].endswith("15m0s")
    shown = alice_at.json("get", "lifespans", service["client_id"])
    assert shown == set_
    reset = alice_at.json(*words, "--reset")
    assert reset["client_credentials_grant_access_token_lifespan"] is None
    assert alice_at.call(*words).status == 2
