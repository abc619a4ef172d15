"""What `doctor` finds."""

import json
import stat


def test_doctor_finds_nothing_wrong(alice_at, credentials):
    findings = alice_at.json("doctor", credentials[0])
    assert {row["result"] for row in findings} <= {"ok", "warning"}
    assert {"issuer", "clock", "keys", "token", "scope"} <= {row["checked"] for row in findings}


def test_doctor_finds_what_keeps_a_client_from_tokens(alice_at):
    words = ["create", "client", "--grant-type", "client_credentials", "--scope", "shipments:read"]
    client_id = alice_at.call(*words, "-q").out.split("\t")[0]
    (secret,) = alice_at.json("list", "secrets", client_id)
    assert alice_at.call("disable", "client", client_id).status == 0
    assert alice_at.call("revoke", "secret", client_id, secret["id"]).status == 0
    answer = alice_at.call("doctor", client_id, "--format", "json")
    assert answer.status == 1
    bad = {row["checked"]: row["found"] for row in answer.json if row["result"] == "error"}
    assert bad.keys() == {"state", "secrets"}
    assert f"clientdesk create secret {client_id}" in bad["secrets"]


def test_doctor_says_what_is_wrong(nobody_at, alice_at):
    answer = nobody_at.run("doctor", "--format", "json")
    assert answer.status == 1
    assert [row["checked"] for row in json.loads(answer.out) if row["result"] == "error"] == ["token"]
    gone = alice_at.run("doctor", "-e", "http://127.0.0.1:1", "--format", "json")
    assert [row["checked"] for row in gone.json if row["result"] == "error"] == ["server"]


def test_readable_credentials_are_found(alice_at):
    file = alice_at.home / "credentials.json"
    file.write_text("{}")
    file.chmod(stat.S_IRUSR | stat.S_IROTH)
    found = alice_at.run("doctor", "--format", "json").json
    assert "credentials" in [row["checked"] for row in found if row["result"] == "error"]
