"""An MCP client connects with no set-up: it finds us through the server, registers itself, and asks the person."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.conf import settings

from clients.actions.apis import create_api, set_access
from clients.actions.registration import enable_open_registration
from clients.models import Api, Client, Scope
from consumers.audit import SYSTEM
from consumers.models import Consumer
from tests import patient
from tests.examples.conftest import EXAMPLES, own_environ
from tests.live import Server
from tests.servers import free_port, running
from tests.third_party.conversation import converse
from tests.third_party.person import alice_of

FOLDER = EXAMPLES / "mcp-server"


@pytest.fixture(scope="session")
def resource(server: Server, uv) -> Iterator[str]:
    """The address of the example server, which the sandbox may use: there, anybody's clients register."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/mcp"
    with server.database():
        api = Api(identifier=address, name="Tracking", description="Where shipments are")
        create_api(api=api, scopes=[Scope(value="tracking:read", name="Track shipments")], actor=SYSTEM)
        sandbox = Consumer.objects.get(slug="sandbox")
        for consumer in (sandbox, Consumer.objects.get(slug="acme")):  # whose people sign in
            granted = Scope.objects.filter(access__consumer=consumer)
            set_access(consumer=consumer, scopes={*granted, *api.scopes.all()}, actor=SYSTEM)
        enable_open_registration(consumer=sandbox, actor=SYSTEM, scopes=["tracking:read"])
    environ = own_environ() | {"ISSUER": server.url, "RESOURCE": address, "PORT": str(port)}
    with running([uv, "run", "--quiet", "--locked", "server.py"], address, environ, FOLDER):
        yield address


@pytest.fixture(scope="session")
def connected(server: Server, uv, resource) -> dict[str, Any]:
    """What the SDK's client, which is told the server's address alone, says of its conversation."""
    command = [uv, "run", "--quiet", "--locked", "python", settings.BASE_DIR / "tests" / "examples" / "mcp_client.py"]
    with alice_of(server) as alice:
        return converse(command, FOLDER, alice, {"server": resource}, own_environ())


@pytest.mark.compliance("RFC 9728", "5.1")
def test_server_says_where_its_metadata_is_and_those_name_us(server, resource):
    refused = patient.post(resource, json={})
    assert refused.status_code == 401
    where = resource.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")
    assert f'resource_metadata="{where}"' in refused.headers["WWW-Authenticate"]
    said = patient.get(where).json()
    assert said["resource"] == resource
    assert said["authorization_servers"] == [server.demo["issuer"]]


def test_client_connects_and_calls_tools(connected):
    assert connected["where"] == "Oslo"
    assert connected["who"]["client_id"] == connected["client"]["client_id"]
    assert "tracking:read" in connected["who"]["scopes"]


def test_client_registered_itself_in_the_sandbox(server, connected):
    with server.database():
        client = Client.objects.select_related("consumer").get(client_id=connected["client"]["client_id"])
        assert client.consumer.slug == "sandbox"
        assert client.client_name == "Desk assistant"
        assert client.self_registration.method == "open"


@pytest.mark.compliance("RFC 8707", "2")
def test_its_token_is_for_the_server_alone(connected, resource):
    asked = parse_qs(urlsplit(connected["opened"][0]).query)
    assert asked["resource"] == [resource]
    assert asked["code_challenge_method"] == ["S256"]
    claims = jwt.decode(connected["first"]["access_token"], options={"verify_signature": False})
    assert claims["aud"] == resource


def test_it_refreshes_without_asking_the_person_again(connected):
    assert connected["again"] == "Oslo"
    assert len(connected["opened"]) == 1
    assert connected["refreshed"]["access_token"] != connected["first"]["access_token"]
    assert connected["refreshed"]["refresh_token"] != connected["first"]["refresh_token"]


def test_token_for_another_api_opens_nothing_at_the_server(server, resource):
    answer = patient.post(resource, json={}, headers={"Authorization": f"Bearer {server.token('shipments:read')}"})
    assert answer.status_code == 401
