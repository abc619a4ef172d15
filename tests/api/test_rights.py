"""Scopes and rights are limits: nobody gets through a client what a token, or an operator's right, withholds."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from clients.models import Access
from tests.api.conftest import Program
from tests.authority.conftest import FORM
from tests.factories import ClientFactory, UserFactory, give_secret, hold_second_factor
from tests.signing import KeyPair

SERVICE = {"client_name": "Hidden", "grant_types": ["client_credentials"]}
CREDENTIALS = {
    "token_endpoint_auth_method": "client_secret_post",
    "redirect_uris": ["https://evil.example/"],
    "jwks_uri": "https://evil.example/jwks.json",
}


@pytest.fixture
def management_access(acme, acme_access, management_api):
    return [Access.objects.create(consumer=acme, scope=scope) for scope in management_api.scopes.all()]


@pytest.fixture
def powerful(acme, management_access):
    """A client of Acme that may change the workspace."""
    client = ClientFactory(consumer=acme, client_name="Powerful", scopes=["clientdesk:consumers:write"])
    give_secret(client)
    return client


@pytest.fixture
def operator_with(program_of):
    """Return the program of an operator who may view and change clients, and what is named besides."""

    def make(*rights):
        operator = hold_second_factor(UserFactory(is_staff=True))
        named = ("view_client", "change_client", "add_client", *rights)
        operator.user_permissions.set(Permission.objects.filter(content_type__app_label="clients", codename__in=named))
        return program_of(operator)

    return make


def refused(answer, code="insufficient_scope"):
    assert (answer.status_code, answer.json()["error"]) == (403, code), answer.json()
    return answer.json()["error_description"]


# -- Scopes ------------------------------------------------------------------------------------------------------------


def test_a_token_makes_no_client_with_scopes_beyond_its_own(program_of, alice, management_access):
    document = SERVICE | {"scope": "clientdesk:clients:write clientdesk:consumers:write"}
    narrow = program_of(alice, scopes=["clients:write"])
    assert "consumers:write" in refused(narrow.post("/admin/clients", document))
    assert narrow.post("/admin/clients", SERVICE | {"scope": "clientdesk:clients:write"}).status_code == 201
    wide = program_of(alice, scopes=["clients:write", "consumers:write"])
    assert wide.post("/admin/clients", document).status_code == 201


def test_a_token_changes_no_client_whose_scopes_are_beyond_its_own(program_of, alice, powerful):
    narrow = program_of(alice, scopes=["clients:read", "clients:write", "secrets:rotate"])
    at = f"/admin/clients/{powerful.client_id}"
    rename = [{"op": "replace", "path": "/client_name", "value": "Mine"}]
    refused(narrow.patch(at, rename))
    refused(narrow.post(f"{at}/secrets", {}))
    refused(narrow.post(f"{at}/secrets/rotate"))
    refused(narrow.patch(at, [{"op": "replace", "path": "/scope", "value": ""}]))
    assert narrow.post(f"{at}/disable").status_code == 200  # which lets nobody in


def test_a_client_s_own_token_is_bound_alike(powerful, management_access, acme, client):
    agent = ClientFactory(
        consumer=acme,
        client_name="Agent",
        scopes=["clientdesk:clients:write"],
        token_endpoint_auth_method="client_secret_post",
    )
    _, secret = give_secret(agent)
    asked = {"grant_type": "client_credentials", "client_id": agent.client_id, "client_secret": secret}
    token = client.post("/oauth2/token", urlencode(asked), FORM).json()["access_token"]
    program = Program(token)
    refused(program.post("/admin/clients", SERVICE | {"scope": "clientdesk:consumers:write"}))
    assert program.post("/admin/clients", SERVICE | {"scope": "shipments:read"}).status_code == 201


@pytest.mark.parametrize("scopes", [["clientdesk:consumers:write"], ["shipments:read", "clientdesk:activity:read"]])
def test_a_token_makes_no_initial_access_token_beyond_its_own_scopes(program_of, alice, management_access, scopes):
    asked = {
        "name": "CI",
        "expires_at": (timezone.now() + timedelta(days=1)).isoformat(),
        "grant_types": ["client_credentials"],
        "scopes": scopes,
    }
    refused(program_of(alice, scopes=["clients:write"]).post("/admin/consumers/acme/initial-access-tokens", asked))


@pytest.mark.parametrize("member", CREDENTIALS)
def test_who_can_be_the_client_takes_the_scope_for_secrets(program_of, alice, acme, acme_access, member):
    web = ClientFactory(consumer=acme, template="web", scopes=["shipments:read"])
    at = f"/admin/clients/{web.client_id}"
    change = [{"op": "add", "path": f"/{member}", "value": CREDENTIALS[member]}]
    if member == "jwks_uri":
        change += [{"op": "replace", "path": "/token_endpoint_auth_method", "value": "private_key_jwt"}]
    narrow, wide = (program_of(alice, scopes=["clients:write", *more]) for more in ([], ["secrets:rotate"]))
    assert "secrets:rotate" in refused(narrow.patch(at, change))
    assert narrow.patch(at, [{"op": "replace", "path": "/client_name", "value": "Renamed"}]).status_code == 200
    assert wide.patch(at, change).status_code == 200


def test_a_key_of_one_s_own_is_no_change_of_a_client_alone(program_of, alice, acme, acme_access):
    signs = ClientFactory(consumer=acme, token_endpoint_auth_method="private_key_jwt", client_jwks=KeyPair().jwks)
    change = [{"op": "replace", "path": "/jwks", "value": KeyPair(kid="mine").jwks}]
    narrow = program_of(alice, scopes=["clients:write"])
    refused(narrow.patch(f"/admin/clients/{signs.client_id}", change))


# -- Rights of operators -----------------------------------------------------------------------------------------------


def test_the_right_to_change_clients_opens_no_secret(operator_with, service):
    give_secret(service)
    at = f"/admin/clients/{service.client_id}"
    operator = operator_with()
    for path in (f"{at}/secrets", f"{at}/secrets/rotate"):
        assert "Can create and rotate secrets" in refused(
            operator.post(path, {} if "rotate" not in path else None), "access_denied"
        )
    asked = {"scope": "shipments:read", "reason": "Look", "expires_in": 60}
    refused(operator.post(f"{at}/test-tokens", asked), "access_denied")
    refused(operator.post("/admin/clients", SERVICE | {"consumer": "acme"}), "access_denied")
    handler = operator_with("handle_secrets")
    assert handler.post(f"{at}/secrets", {}).status_code == 201
    assert handler.post("/admin/clients", SERVICE | {"consumer": "acme"}).status_code == 201


@pytest.mark.parametrize("member", ["skip_consent", "redirect_uris", "audience"])
def test_the_right_to_change_clients_decides_no_trust(operator_with, acme, acme_access, member):
    web = ClientFactory(consumer=acme, template="web", scopes=["shipments:read"])
    at = f"/admin/clients/{web.client_id}"
    value = {"skip_consent": True, "redirect_uris": ["https://evil.example/"], "audience": ["https://far.example/"]}
    change = [{"op": "replace", "path": f"/{member}", "value": value[member]}]
    assert "trust" in refused(operator_with("handle_secrets").patch(at, change), "access_denied")
    assert operator_with().patch(at, [{"op": "replace", "path": "/owner", "value": "us"}]).status_code == 200
    assert operator_with("decide_trust").patch(at, change).status_code == 200
