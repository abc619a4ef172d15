"""Introspection on the fast path: the response of the slow path, or none."""

import json
from dataclasses import replace

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from authority import client_directory
from authority.keys import signing_keys
from authority.models import RevokedToken
from authority.tokens import access_tokens, test_tokens
from authority.tokens.test_tokens import TestTokenRequest
from clients.actions.apis import set_resource_servers
from clients.models import Api, Client
from consumers.audit import SYSTEM
from core import credentials
from core.jose import jws
from tests.authority.conftest import FORM, Program, basic
from tests.authority.flows import Flow
from tests.factories import ClientFactory, actor_for, give_secret
from tests.generated import examples
from tests.portal.test_fast_path import (  # noqa: F401  # fixtures
    ask,
    clients,
    encoded,
    fast,
    headers,
    separators,
    slow,
    words,
)

pytestmark = pytest.mark.django_db
PATH = "/oauth2/introspect"


@pytest.fixture
def secret(service):
    return give_secret(service)[1]


@pytest.fixture
def token(service, secret):
    return Program(service, secret).token().json()["access_token"]


def both(handlers, form, **sent):
    """Return the fast path's answer, equal to the slow path's but for X-Request-Id; None when it gives none."""
    one, other = (ask(handler, form, path=PATH, **sent) for handler in handlers)
    if one is None:
        return None
    assert one[1].pop("X-Request-Id") != other[1].pop("X-Request-Id")
    assert (one[0], one[1], json.loads(one[2])) == (other[0], other[1], json.loads(other[2]))
    return json.loads(one[2])


def test_both_paths_describe_a_token_alike(service, secret, token, fast, slow):  # noqa: F811
    handlers, header = (fast, slow), {"authorization": basic(service.client_id, secret)}
    assert both(handlers, {"token": token}, **header)["active"] is True
    assert both(handlers, {"token": token, "token_type_hint": "refresh_token"}, **header)["active"] is True
    assert both(handlers, {"token": credentials.generate("cdrt_")}, **header) == {"active": False}
    jti = both(handlers, {"token": token}, **header)["jti"]
    RevokedToken.objects.create(jti=jti, expires_at=signing_keys.publish_until(60))
    assert both(handlers, {"token": token}, **header) == {"active": False}


def test_a_token_of_another_client_is_no_business_of_the_caller(acme, token, fast, slow):  # noqa: F811
    other = ClientFactory(consumer=acme)
    header = {"authorization": basic(other.client_id, give_secret(other)[1])}
    assert both((fast, slow), {"token": token}, **header) == {"active": False}


@pytest.mark.parametrize(
    ("form", "sent"),
    [
        ({}, {}),
        ({"token": "x"}, {"authorization": "Basic eDp5"}),
        ({"token": "x"}, {"authorization": ""}),
        ({"token": "x", "audience": "y"}, {}),
        ({"token": "\0"}, {}),
        ({"token": "x"}, {"dpop": "x"}),
    ],
)
def test_refusals_take_the_slow_path(service, secret, fast, slow, form, sent):  # noqa: F811
    header = {"authorization": basic(service.client_id, secret)} | sent
    assert both((fast, slow), form, **header) is None


def test_a_disabled_client_learns_nothing(service, secret, token, fast, slow):  # noqa: F811
    Client.objects.filter(pk=service.pk).update(disabled_at=timezone.now())
    header = {"authorization": basic(service.client_id, secret)}
    assert both((fast, slow), {"token": token}, **header) is None


# -- Many requests by both ways ---------------------------------------------------------------------------------------


@pytest.fixture
def cast(service, secret, acme, globex, api):
    """Those who ask: the token's own client, another of the same consumer, the API, a public client, an app."""
    other, gate = ClientFactory(consumer=acme), ClientFactory(consumer=globex)
    public = ClientFactory(consumer=acme, template="public")
    web = ClientFactory(consumer=acme, template="web", scopes=["openid", "email", "shipments:read"])
    set_resource_servers(api=api, clients=[gate], actor=SYSTEM)
    return {
        "own": (service, secret),
        "other": (other, give_secret(other)[1]),
        "gate": (gate, give_secret(gate)[1]),
        "public": (public, "x"),
        "web": (web, give_secret(web)[1]),
    }


@pytest.fixture
def every_token(service, secret, cast, alice, browser_of):
    """Every kind of token that there is, and some that there are not."""
    Api.objects.update(allows_test_tokens=True)
    entry = client_directory.find(service.client_id)
    own = access_tokens.token_template(entry, scopes=["shipments:read"], seconds=3600)
    persons = Flow(Program(*cast["web"]), browser_of(alice)).tokens()
    trial = TestTokenRequest(scopes=("shipments:read",), expires_in=600, reason="Trying")
    tokens = {
        "own": own.issue(),
        "of both scopes": Program(service, secret).token().json()["access_token"],
        "without scopes": access_tokens.token_template(entry, scopes=[], seconds=3600).issue(),
        "bound": access_tokens.token_template(entry, scopes=["shipments:read"], seconds=60, jkt="x" * 43).issue(),
        "for several APIs": saying(own, aud=["https://other.example", own.claims["aud"]]).issue(),
        "of another issuer": saying(own, iss="https://other.example").issue(),
        "ended": replace(own, seconds=-1).issue(),
        "revoked": own.issue(),
        "opaque": replace(own, signer=None).issue(),
        "opaque, ended": replace(own, signer=None, seconds=-1).issue(),
        "of another client": Program(*cast["other"]).token().json()["access_token"],
        "a person's": persons["access_token"],
        "to refresh": persons["refresh_token"],
        "of an identity": persons["id_token"],
        "a test": test_tokens.create(client=service, requested=trial, actor=actor_for(alice))[1],
        "nobody's": credentials.generate("cdrt_"),
    }
    tokens["changed"] = tokens["own"][:-6] + ("AAAAAA" if not tokens["own"].endswith("AAAAAA") else "BBBBBB")
    claims = jws.decode(tokens["revoked"], signing_keys.verification_key, typ=access_tokens.TYPE)
    RevokedToken.objects.create(jti=claims["jti"], expires_at=signing_keys.publish_until(60))
    return tokens


def saying(draft, **claims):
    return replace(draft, text=jws.COMPACT.encode({**draft.claims, **claims}).removesuffix("}"))


def test_a_thousand_introspections_get_the_same_answer_on_both_paths(cast, every_token, fast, slow, caplog):  # noqa: F811
    service, _ = cast["own"]
    usual = Client.objects.filter(pk=service.pk).values().get()
    answers = []
    token = st.sampled_from(["own", *every_token]).map(every_token.get)
    more = st.tuples(st.sampled_from(["token", "token_type_hint", "client_id", "resource"]), token | words)

    @hypothesis_settings(
        max_examples=examples(1000), deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(
        caller=st.sampled_from(list(cast)),
        fields=st.just({}) | clients,
        pairs=st.tuples(st.just("token"), token | words)
        .map(lambda pair: [pair])
        .flatmap(lambda first: st.lists(more, max_size=1).map(lambda others: first + others)),
        separator=separators,
        sent=st.just({}) | headers,
        way=st.sampled_from(["basic", "basic", "post", "wrong", "none"]),
        query=st.sampled_from(["", "", "", "a=b"]),
        content_type=st.sampled_from([FORM, FORM, FORM, f"{FORM};charset=UTF-8"]),
    )
    def run(caller, fields, pairs, separator, sent, way, query, content_type):
        client, text = cast[caller]
        method = {"token_endpoint_auth_method": "client_secret_post"} if way == "post" and caller == "own" else {}
        if fields.get("token_endpoint_auth_method") == "none":
            fields = fields | {"grant_types": ["authorization_code"]}
        Client.objects.filter(pk=service.pk).update(**usual | method | fields)
        if way == "post":
            pairs = [*pairs, ("client_id", client.client_id), ("client_secret", text)]
        elif way != "none":
            sent = sent | {"authorization": basic(client.client_id, text if way == "basic" else "wrong")}
        request = {"query": query, "content_type": content_type, "path": PATH, **sent}
        one = ask(fast, encoded(pairs, separator, ""), **request)
        if one is not None:
            other = ask(slow, encoded(pairs, separator, ""), **request)
            (status, given, text), (_, expected, _) = one, other
            assert given.pop("X-Request-Id") != expected.pop("X-Request-Id")
            assert (status, given) == (other[0], expected)
            assert json.loads(text) == json.loads(other[2]), (caller, fields, pairs, sent)
        answers.append(one and json.loads(one[2])["active"])

    run()
    assert "the fast path failed" not in caplog.text
    assert min(answers.count(each) for each in (True, False, None)) > 50
