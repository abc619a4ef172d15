"""Initial access tokens and the open door, over the management API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clients.models import OpenRegistration
from consumers.models import Event

TOKENS = "/admin/consumers/acme/initial-access-tokens"


def new(**changes):
    return {"name": "Builds", "expires_at": (timezone.now() + timedelta(days=1)).isoformat(), "max_uses": 3} | changes


def test_manager_makes_lists_and_revokes_a_token(program_of, alice, acme, acme_access):
    program = program_of(alice)
    made = program.post(TOKENS, new(scopes=["shipments:read"]))
    assert made.status_code == 201
    assert made.json()["initial_access_token"].startswith("cdi_")
    (listed,) = program.get(TOKENS).json()
    assert "initial_access_token" not in listed
    assert (listed["name"], listed["max_uses"], listed["state"]) == ("Builds", 3, "active")
    assert program.delete(f"{TOKENS}/{listed['id']}").status_code == 204
    assert program.get(TOKENS).json()[0]["state"] == "revoked"
    assert Event.objects.filter(name__startswith="initial_access_token.").count() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"expires_at": "yesterday"},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"max_uses": 0},
        {"grant_types": ["magic"]},
        {"scopes": ["billing:write"]},
        {"client_lifetime_days": 0},
        {"surprise": 1},
    ],
)
def test_bad_limits_are_refused(program_of, alice, acme, acme_access, change):
    answer = program_of(alice).post(TOKENS, new(**change))
    assert answer.status_code == 400
    assert not acme.initial_access_tokens.exists()


def test_viewers_and_strangers_make_none(program_of, bob, mallory, acme):
    assert program_of(bob).post(TOKENS, new()).status_code == 403
    assert program_of(mallory).post(TOKENS, new()).status_code == 404


def test_token_of_another_consumer_is_not_found(program_of, alice, mallory, acme, globex):
    made = program_of(alice).post(TOKENS, new()).json()
    answer = program_of(mallory).delete(f"/admin/consumers/globex/initial-access-tokens/{made['id']}")
    assert answer.status_code == 404
    assert acme.initial_access_tokens.live().count() == 1


def test_operator_opens_and_closes_the_door(program_of, olga, acme):
    program = program_of(olga)
    assert program.get("/admin/registration").status_code == 404
    wanted = {"consumer": "acme", "client_lifetime_days": 30, "max_clients": 5}
    opened = program.put("/admin/registration", wanted)
    assert opened.status_code == 200, opened.text
    assert opened.json()["max_clients"] == 5
    assert program.get("/admin/registration").json()["consumer"] == "acme"
    assert program.delete("/admin/registration").status_code == 204
    assert not OpenRegistration.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_managers_decide_nothing_about_the_door(program_of, alice, acme, method):
    program = program_of(alice)
    answer = program.send(method.upper(), "/admin/registration", {"consumer": "acme"} if method == "put" else None)
    assert answer.status_code == 403


def test_programs_read_when_a_client_s_own_token_ends_and_revoke_it(
    program_of, alice, bob, mallory, acme, acme_access, client
):
    made = program_of(alice).post(TOKENS, new()).json()
    document = {"client_name": "App", "redirect_uris": ["https://app.example.com/"]}
    headers = {"Authorization": f"Bearer {made['initial_access_token']}"}
    told = client.post("/oauth2/register", document, content_type="application/json", headers=headers).json()
    path = f"/admin/clients/{told['client_id']}/registration-access-token"
    read = program_of(bob).get(path).json()
    assert (read["hint"], read["created_by"]) == (told["registration_access_token"][-4:], None)
    assert program_of(bob).delete(path).status_code == 403
    assert program_of(mallory).get(path).status_code == program_of(mallory).delete(path).status_code == 404
    assert program_of(alice).delete(path).status_code == 204
    assert program_of(alice).get(path).status_code == 404
    own = client.get(
        told["registration_client_uri"].replace("http://testserver", ""),
        headers={"Authorization": f"Bearer {told['registration_access_token']}"},
    )
    assert own.status_code == 401
