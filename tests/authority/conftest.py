"""Clients that speak HTTP to the token authority, without a browser's cookies."""

import base64
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from django.test import Client as Browser
from django.utils import timezone

from authority.telemetry import daily_counts, last_used, problem_log, redigests, writer
from consumers.actions import personal_tokens as personal_token_actions
from consumers.audit import SYSTEM
from tests.factories import ClientFactory, give_secret

FORM = "application/x-www-form-urlencoded"


def basic(client_id: str, secret: str) -> str:
    """Return an Authorization header (RFC 6749 section 2.3.1)."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


class Program:
    """A client that calls the endpoints: with its secret in the header, unless told otherwise."""

    def __init__(self, client, secret=None):
        self.client = client
        self.secret = secret
        self.http = Browser()

    @property
    def authorization(self):
        return {"Authorization": basic(self.client.client_id, self.secret)} if self.secret else {}

    def post(self, path, parameters, **headers):
        body = parameters if isinstance(parameters, str | bytes) else urlencode(parameters)
        return self.http.post(path, body, content_type=FORM, headers=self.authorization | headers)

    def token(self, **parameters):
        return self.post("/oauth2/token", {"grant_type": "client_credentials"} | parameters)

    def introspect(self, token):
        return self.post("/oauth2/introspect", {"token": token}).json()

    def revoke(self, token, **parameters):
        return self.post("/oauth2/revoke", {"token": token} | parameters)


def kept(client):
    """Return the client's problems by kind, after writing down what was noted."""
    writer.flush()
    return {problem.kind: problem for problem in client.problems.all()}


@pytest.fixture(autouse=True)
def nothing_noted():
    last_used.reset()
    redigests.reset()
    daily_counts.reset()
    problem_log.reset()


@pytest.fixture
def program(service):
    """The service client with one secret."""
    _, text = give_secret(service)
    return Program(service, text)


@pytest.fixture
def stranger(globex):
    """A client of another consumer, with one secret and no permissions."""
    client = ClientFactory(consumer=globex)
    return Program(client, give_secret(client)[1])


@pytest.fixture
def web(acme, acme_access):
    """A web app of Acme that signs people in."""
    client = ClientFactory(
        consumer=acme,
        client_name="Dispatch board",
        template="web",
        scopes=["openid", "profile", "email", "shipments:read", "shipments:write"],
    )
    return Program(client, give_secret(client)[1])


@pytest.fixture
def spa(acme, acme_access):
    """A public client of Acme that signs people in."""
    client = ClientFactory(
        consumer=acme, client_name="Tracker", template="public", scopes=["openid", "email", "shipments:read"]
    )
    return Program(client)


@pytest.fixture
def flow(web, browser_of, alice):
    from tests.authority.flows import Flow

    return Flow(web, browser_of(alice))


@pytest.fixture
def signing(acme, acme_access, settings):
    """A service of Acme that signs assertions."""
    from tests.authority.signing import KEY, Signing

    client = ClientFactory(
        consumer=acme, token_endpoint_auth_method="private_key_jwt", client_jwks=KEY.jwks, scopes=["shipments:read"]
    )
    return Signing(client, KEY, settings.ISSUER)


def management_token(person, **limits):
    made = {
        "name": "Test",
        "scopes": ["clients:write", "secrets:rotate"],
        "expires_at": timezone.now() + timedelta(days=1),
    } | limits
    return personal_token_actions.create_token(user=person, actor=SYSTEM, **made)[1]


@pytest.fixture
def manager_token(alice):
    """Alice's personal access token, which may change clients and who can be them."""
    return management_token(alice)


@pytest.fixture
def stranger_token(mallory):
    """The same of a manager of another consumer."""
    return management_token(mallory)


@pytest.fixture
def deployed(acme, acme_access):
    """A workload of Acme, with one secret."""
    from clients.actions.clients import assign_subject
    from tests.authority.workload import BACKEND, WorkloadProgram

    client = ClientFactory(
        consumer=acme,
        client_name="Billing in production",
        template="workload",
        project="billing",
        deployment="billing-production",
        environment_type="production",
        identity_token_audience=[BACKEND, "sts.amazonaws.com"],
    )
    assign_subject(client)
    return WorkloadProgram(client, give_secret(client)[1])
