"""The samples of Ory's documentation, and every call of its package, as they are."""

from clients.actions.registration import enable_open_registration
from consumers.audit import SYSTEM
from consumers.models import Consumer


def test_samples_for_managing_clients_run_unmodified(run):
    heard = run("samples.ts")
    assert heard["created"]["redirect_uris"] == ["https://example.com"]
    assert heard["created"]["token_endpoint_auth_method"] == "client_secret_post"
    assert heard["updated"] == heard["created"] | {
        "client_name": "Renamed",
        "updated_at": heard["updated"]["updated_at"],
    }
    assert heard["patched"]["owner"] == "New owner"
    assert heard["patched"]["contacts"] == ["dana@acme.example"]
    assert heard["gone"]["status"] == 404
    assert heard["gone"]["body"]["error"] == "not_found"


def test_every_call_of_the_package_is_understood(run):
    heard = run("package_calls.ts")
    created, got = heard["created"], heard["got"]
    assert heard["location"] == f"/admin/clients/{created['client_id']}"
    assert heard["listed"] == [got] == [heard["put"]]
    assert created == got | {"client_secret": created["client_secret"]}
    assert heard["lifespans"]["client_credentials_grant_access_token_lifespan"] == "31m0s"
    assert heard["expires_in"] == 31 * 60
    assert heard["rotated"]["client_secret"] != created["client_secret"]
    assert heard["active"]["active"] is True
    assert heard["active"]["client_id"] == created["client_id"]
    assert heard["ended"] == {"active": False}
    assert "client_secret" not in heard["dropped"]
    assert heard["deleted"] == 204
    assert heard["bad"]["status"] == 400
    assert heard["bad"]["body"]["error"] == "invalid_client_metadata"


def test_samples_for_clients_that_register_themselves_run_unmodified(server, run):
    # The sample for replacing a client shows the management token, not the client's own: an operator's reaches it.
    with server.database():
        enable_open_registration(consumer=Consumer.objects.get(slug="sandbox"), actor=SYSTEM)
    heard = run("registration.ts", whose="operator_token")
    assert heard["id"].startswith("cl_")
    assert heard["secret"].startswith("cdsk_")
    assert heard["token"] != heard["fresh"]
    assert heard["data"]["client_name"] == "Renamed by itself"
    assert (heard["former"], heard["gone"]) == (401, 401)
