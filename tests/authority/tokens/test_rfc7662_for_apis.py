"""RFC 7662: what an API learns of the tokens that it receives, in every form that a token has."""

import pytest
from django.urls import reverse
from django.utils import timezone

from authority.models import OpaqueToken, RevokedToken
from authority.tokens import introspection
from clients.actions.apis import set_resource_servers
from clients.events import ClientEvent
from consumers.audit import SYSTEM
from consumers.models import Event
from tests.authority.conftest import Program
from tests.authority.flows import Flow
from tests.factories import ApiFactory, ClientFactory, ScopeFactory, give_secret
from tests.forms import save

pytestmark = pytest.mark.django_db
INACTIVE = {"active": False}


@pytest.fixture
def gate(globex, api):
    """The API itself, by a client that operators said to be its."""
    client = ClientFactory(consumer=globex, client_name="Gate")
    set_resource_servers(api=api, clients=[client], actor=SYSTEM)
    return Program(client, give_secret(client)[1])


@pytest.fixture(params=["jwt", "opaque"])
def strategy(request):
    return request.param


@pytest.fixture
def formed(program, strategy):
    """The service, with tokens of one form or the other."""
    program.client.access_token_strategy = strategy
    program.client.save()
    return program


@pytest.mark.compliance("RFC 7662", "2.2")
def test_api_learns_of_tokens_for_it_and_of_no_other(gate, formed, acme, acme_access):
    other = ScopeFactory(api=ApiFactory(identifier="https://api.example.com/invoices"), value="invoices:read")
    acme.access.create(scope=other)
    formed.client.scopes = ["shipments:read", "invoices:read"]
    formed.client.save()
    both = gate.introspect(formed.token().json()["access_token"])
    assert both["active"]
    assert both["client_id"] == formed.client.client_id
    assert both["scope"] == "shipments:read"
    assert gate.introspect(formed.token(scope="invoices:read").json()["access_token"]) == INACTIVE


def test_api_no_longer_learns_when_operators_took_the_client_away(gate, formed, api):
    token = formed.token().json()["access_token"]
    set_resource_servers(api=api, clients=[], actor=SYSTEM)
    assert gate.introspect(token) == INACTIVE
    assert Event.objects.filter(name=ClientEvent.API_RESOURCE_SERVERS_CHANGED).count() == 2


@pytest.mark.compliance("RFC 7662", "2.2")
def test_every_claim_is_returned(formed, api, settings, acme):
    acme.claims = {"plan": "gold"}
    acme.save()
    formed.client.claims = {"region": "north"}
    formed.client.save()
    now = int(timezone.now().timestamp())
    told = formed.introspect(formed.token().json()["access_token"])
    assert told["active"] is True
    assert told["iss"] == settings.ISSUER
    assert told["sub"] == told["client_id"] == formed.client.client_id
    assert told["aud"] == api.identifier
    assert told["token_type"] == "Bearer"
    assert told["token_use"] == "access_token"
    assert told["iat"] == told["nbf"] >= now
    assert told["exp"] == told["iat"] + 3600
    assert (told["plan"], told["region"]) == ("gold", "north")
    assert told["jti"]
    assert "username" not in told


def test_person_is_named_where_the_token_tells_their_address(web, browser_of, alice):
    tokens = Flow(web, browser_of(alice), scope="openid email").tokens()
    for kind in ("access_token", "refresh_token"):
        assert web.introspect(tokens[kind])["username"] == alice.email
    tokens = Flow(web, browser_of(alice), scope="openid").tokens()
    for kind in ("access_token", "refresh_token"):
        assert "username" not in web.introspect(tokens[kind])


@pytest.mark.parametrize("end", ["client disabled", "client ended", "consumer suspended", "client deleted"])
def test_token_ends_with_its_client_for_the_api_too(gate, formed, end):
    token = formed.token().json()["access_token"]
    client = formed.client
    if end == "client deleted":
        client.delete()
    elif end == "consumer suspended":
        client.consumer.suspended_at = timezone.now()
        client.consumer.save()
    else:
        setattr(client, "disabled_at" if end == "client disabled" else "expires_at", timezone.now())
        client.save()
    assert gate.introspect(token) == INACTIVE


def test_opaque_token_rests_as_a_digest_and_is_deleted_when_it_is_revoked(program, gate):
    program.client.access_token_strategy = "opaque"
    program.client.save()
    token = program.token().json()["access_token"]
    assert token.startswith("cdat_")
    assert token not in str(OpaqueToken.objects.values_list().get())
    assert gate.revoke(token).status_code == 200
    assert program.introspect(token)["active"]
    program.revoke(token)
    assert program.introspect(token) == INACTIVE
    assert not OpaqueToken.objects.exists()
    assert not RevokedToken.objects.exists()


def test_opaque_tokens_of_a_person_end_with_their_family(web, browser_of, alice):
    web.client.access_token_strategy = "opaque"
    web.client.save()
    flow = Flow(web, browser_of(alice))
    tokens = flow.tokens()
    who = web.http.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert who.json()["sub"] == str(alice.pk)
    later = flow.refresh(tokens["refresh_token"]).json()
    web.revoke(later["access_token"])
    for token in (tokens["access_token"], later["access_token"], later["refresh_token"]):
        assert web.introspect(token) == INACTIVE


def test_operators_learn_of_every_token_and_its_refresh_token(flow, formed):
    tokens = flow.tokens()
    assert introspection.introspect(formed.token().json()["access_token"])["active"]
    assert introspection.introspect(tokens["access_token"])["active"]
    told = introspection.introspect(tokens["refresh_token"])
    assert (told["active"], told["token_use"]) == (True, "refresh_token")
    assert introspection.introspect("x") == INACTIVE


def test_api_does_not_learn_of_refresh_tokens(gate, flow):
    assert gate.introspect(flow.tokens()["refresh_token"]) == INACTIVE


def test_introspection_of_a_known_client_asks_the_database_once_about_the_token(program, django_assert_max_num_queries):
    token = program.token().json()["access_token"]
    program.introspect(token)
    with django_assert_max_num_queries(3):
        assert program.introspect(token)["active"]


# -- How operators say whose the API is -------------------------------------------------------------------------------


@pytest.fixture
def form(api):
    scopes = list(api.scopes.order_by("id"))
    form = {"name": api.name, "signing_algorithm": "ES256", "access_token_lifetime": 3600, "_save": "Save"}
    form |= {"scopes-TOTAL_FORMS": len(scopes), "scopes-INITIAL_FORMS": len(scopes)}
    form |= {
        f"{table}-{count}_FORMS": "0" for table in ("roles", "group_roles", "claims") for count in ("TOTAL", "INITIAL")
    }
    for index, scope in enumerate(scopes):
        form |= {f"scopes-{index}-id": scope.pk, f"scopes-{index}-api": api.pk, f"scopes-{index}-name": scope.name}
    return form


def test_operator_names_the_clients_of_an_api(browser_of, olga, api, form, stranger):
    address = reverse("admin:clients_api_change", args=[api.pk])
    browser = browser_of(olga)
    answer = save(browser, address, form | {"resource_servers": f" {stranger.client.client_id}\n"})
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    assert list(api.resource_servers.all()) == [stranger.client]
    assert stranger.client.client_id in browser.get(address).content.decode()


def test_unknown_and_public_clients_are_refused_by_name(browser_of, olga, api, form, spa):
    address = reverse("admin:clients_api_change", args=[api.pk])
    browser = browser_of(olga)
    assert "is no client" in save(browser, address, form | {"resource_servers": "cl_nobody"}).content.decode()
    answer = save(browser, address, form | {"resource_servers": spa.client.client_id}).content.decode()
    assert "is a public client" in answer
    assert not api.resource_servers.exists()
