"""Import and export of clients."""

import json
import uuid

import httpx
import pytest

from tests.clientdesk.importers.exports import AUTH0, HYDRA, KEYCLOAK


def test_exported_clients_can_be_imported_again(alice_at, tmp_path, service):
    file = tmp_path / "clients.json"
    assert alice_at.run("export", "clients", "--file", str(file)).status == 0
    assert file.stat().st_mode & 0o077 == 0
    one = [client for client in json.loads(file.read_text()) if client["client_id"] == service["client_id"]]
    assert "client_secret" not in one[0]
    (row,) = alice_at.json("import", "clients", "-", typed=json.dumps(one))
    assert row["client_id"] != service["client_id"]
    assert row["client_secret"].startswith("cdsk_")


def about(lost, word):
    return [sentence for sentence in lost if word in sentence]


@pytest.mark.parametrize("export", [HYDRA, KEYCLOAK, AUTH0], ids=["hydra", "keycloak", "auth0"])
def test_an_export_is_registered_whole(alice_at, export):
    rows = alice_at.json("import", "clients", "-", typed=json.dumps(export))
    assert not any(row["error"] for row in rows)
    made = [row for row in rows if row["client_id"]]
    assert len(made) == len([row for row in rows if not about(row["not_imported"], "the client:")])
    assert alice_at.run("delete", "clients", *(row["client_id"] for row in made)).status == 0


def test_what_was_carried_is_shown_one_by_one(alice_at):
    answer = alice_at.run("import", "clients", "-", "--dry-run", typed=json.dumps(KEYCLOAK))
    assert answer.status == 0, answer.err
    assert "SOURCE CLIENT ID  board" in answer.out
    assert "the client: it uses SAML" in answer.out


def test_refused_client_does_not_hold_up_the_others(alice_at):
    good = {"client_name": f"Good {uuid.uuid4().hex[:8]}", "grant_types": ["client_credentials"]}
    bad = good | {"client_name": "Evil\x1b[31m", "skip_consent": True}
    answer = alice_at.run("import", "clients", "-", "--format", "json", typed=json.dumps([bad, good]))
    assert answer.status == 1
    first, second = answer.json
    assert "U+001B" in first["error"]
    assert "skip_consent: only operators set it" in first["not_imported"]
    assert second["client_id"]
    assert "1 of 2" in answer.err


def test_what_operators_decide_is_carried_by_operators_alone(alice_at, operator_at):
    app = {"client_name": "Trusted", "redirect_uris": ["https://app.example/back"], "skip_consent": True}
    for terminal, trusted in ((alice_at, False), (operator_at, True)):
        words = ["import", "clients", "-", "--consumer", "acme"]
        (row,) = terminal.json(*words, typed=json.dumps([app]))
        assert terminal.json("get", "client", row["client_id"])["skip_consent"] is trusted
        assert bool(row["not_imported"]) is not trusted


def test_secrets_are_shown_when_the_server_goes_away_meanwhile(alice_at, monkeypatch):
    clients = [{"client_name": f"Moved {number}", "grant_types": ["client_credentials"]} for number in range(3)]
    send, created = httpx.Client.send, []

    def break_after_the_first(self, request, **options):
        if created:
            raise httpx.ConnectError("gone")
        created.extend([request] if request.method == "POST" else [])
        return send(self, request, **options)

    monkeypatch.setattr(httpx.Client, "send", break_after_the_first)
    answer = alice_at.call("import", "clients", "-", "--format", "json", typed=json.dumps(clients))
    assert answer.status == 6
    assert [row["client_secret"][:5] for row in answer.json] == ["cdsk_"]
