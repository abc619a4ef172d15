"""Commands for dynamic client registration."""

from tests import patient


def test_registration_is_enabled_used_and_disabled(server, operator_at):
    document = {"client_name": "By itself", "redirect_uris": ["https://app.example.com/"], "scope": "openid"}
    register = f"{server.url}/oauth2/register"
    assert operator_at.run("disable", "registration").status == 0
    assert patient.post(register, json=document).status_code == 403
    assert operator_at.run("enable", "registration", "sandbox", "--client-lifetime-days", "30").status == 0
    assert patient.post(register, json=document).status_code == 201


def test_initial_access_token_lets_a_client_register(server, alice_at):
    made = alice_at.json(
        *("create", "initial-access-token", "acme", "--name", "Terminal", "--max-uses", "1"),
        *("--expires-at", "2027-06-01T00:00:00Z", "--scope", "shipments:read"),
    )
    headers = {"Authorization": f"Bearer {made['initial_access_token']}"}
    document = {"client_name": "By token", "grant_types": ["client_credentials"]}
    answer = patient.post(f"{server.url}/oauth2/register", json=document, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["scope"] == "shipments:read"
