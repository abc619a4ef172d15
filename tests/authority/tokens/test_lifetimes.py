"""How long each token of each grant lives: as its client is set, within what consumer, API and operator allow."""

import json

import pytest

from authority.models import RefreshToken
from core.jose import base64url
from tests.authority.conftest import Program
from tests.authority.endpoints.test_rfc8628_device_grant import Device
from tests.authority.flows import Flow
from tests.factories import ClientFactory

pytestmark = pytest.mark.django_db
GRANTS = ("client_credentials", "authorization_code", "device_authorization", "refresh_token")


@pytest.fixture
def issue(program, web, acme, acme_access, browser_of, alice):
    """Return what gets tokens by the grant, from a client with these lifespans."""
    scope = "openid shipments:read"
    terminal = Program(ClientFactory(consumer=acme, template="device", scopes=scope.split()))

    def by(grant, **lifespans):
        user = {"client_credentials": program, "device_authorization": terminal}.get(grant, web)
        user.client.lifespans = {f"{grant}_grant_{name}_lifespan": seconds for name, seconds in lifespans.items()}
        user.client.save()
        if grant == "client_credentials":
            return program.token().json()
        if grant == "device_authorization":
            device = Device(terminal, browser_of(alice))
            device.begin(scope=scope)
            device.decide()
            return device.poll().json()
        flow = Flow(web, browser_of(alice), scope=scope)
        tokens = flow.tokens()
        return tokens if grant == "authorization_code" else flow.refresh(tokens["refresh_token"]).json()

    return by


def life(token):
    claims = json.loads(base64url.decode(token.split(".")[1]))
    return claims["exp"] - claims["iat"]


# Seconds that the client wants, that its API and its consumer allow, and that its token lives.
LIMITED = [
    (None, 86_400, None, 3600),
    (600, 86_400, None, 600),
    (7200, 1800, None, 1800),
    (7200, 86_400, 900, 900),
    (7200, 300, 900, 300),
    (120, 300, 900, 120),
]


@pytest.mark.parametrize("grant", GRANTS)
def test_access_token_lives_as_its_client_wants_within_the_limits(issue, api, acme, grant):
    for wanted, api.access_token_lifetime, acme.access_token_lifetime, lives in LIMITED:
        api.save()
        acme.save()
        tokens = issue(grant, **({"access_token": wanted} if wanted else {}))
        assert tokens["expires_in"] == life(tokens["access_token"]) == lives


@pytest.mark.parametrize("grant", GRANTS[1:])
def test_id_token_lives_as_its_client_wants(issue, grant):
    for wanted, lives in ((None, 3600), (300, 300), (86_400, 86_400)):
        assert life(issue(grant, **({"id_token": wanted} if wanted else {}))["id_token"]) == lives


@pytest.mark.parametrize("grant", GRANTS[1:])
def test_refresh_token_waits_as_its_client_wants_within_the_operators_limit(issue, settings, grant):
    settings.REFRESH_TOKEN_IDLE = 30_000
    for wanted, waits in ((None, 30_000), (600, 600), (60_000, 30_000)):
        issue(grant, **({"refresh_token": wanted} if wanted else {}))
        row = RefreshToken.objects.latest("created_at")
        assert round((row.expires_at - row.created_at).total_seconds()) == waits


@pytest.mark.parametrize("grant", GRANTS[1:])
def test_refresh_token_ends_with_what_api_and_consumer_allow(issue, api, acme, grant):
    for api.refresh_token_lifetime, acme.refresh_token_lifetime in ((500, None), (None, 500), (500, 5000)):
        api.save()
        acme.save()
        issue(grant)
        row = RefreshToken.objects.select_related("family").latest("created_at")
        assert round((row.expires_at - row.family.began_at).total_seconds()) == 500
