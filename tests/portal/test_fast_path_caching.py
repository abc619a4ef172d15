"""A cached grant is answered as on the slow path, and is invalidated with whatever it depends on."""

import json
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.utils import timezone

from authority.endpoints import fast_path
from authority.keys import rotation, signing_keys
from authority.telemetry import last_used
from clients.models import Api, Client
from consumers.audit import SYSTEM
from core import cache
from portal.fast_path import FastPath
from tests.authority.conftest import basic
from tests.authority.listening import caught_up, eventually
from tests.factories import ClientFactory, give_secret
from tests.portal.test_fast_path import GRANT, ask, comparable, fast, slow  # noqa: F401  # fixtures

pytestmark = pytest.mark.django_db(transaction=True)


def settled(handler, body, **sent):
    """Ask until the answer rests on what is remembered."""
    caught_up()
    before = len(fast_path.grants)
    eventually(lambda: ask(handler, body, **sent) and len(fast_path.grants) > before)
    return ask(handler, body, **sent)


def test_cached_grants_get_the_answer_of_the_slow_path(listening, service, slow, fast):  # noqa: F811
    secret = give_secret(service)[1]
    forms = [GRANT, GRANT | {"scope": "shipments:read"}]
    for fields in (
        {},
        {"claims": {"tier": "gold"}, "lifespans": {"client_credentials_grant_access_token_lifespan": 60}},
        {"access_token_strategy": "opaque"},
        {"token_endpoint_auth_method": "client_secret_post"},
    ):
        Client.objects.filter(pk=service.pk).update(**fields)
        eventually(lambda: len(fast_path.grants) == 0)
        in_body = "token_endpoint_auth_method" in fields
        header = {} if in_body else {"authorization": basic(service.client_id, secret)}
        for wanted in forms:
            form = wanted | ({"client_id": service.client_id, "client_secret": secret} if in_body else {})
            last_used.reset()
            assert comparable(settled(fast, form, **header)) == comparable(ask(slow, form, **header))
            assert [use.client for use in last_used.pending()] == [service.pk]
    last_used.reset()


def test_no_secret_is_cached_with_a_grant(listening, service, fast):  # noqa: F811
    secret = give_secret(service)[1]
    eventually(lambda: ask(fast, GRANT, authorization=basic(service.client_id, secret)) and fast_path.grants.items())
    (key, grant), *_ = fast_path.grants.items()
    cached = repr([key, *(getattr(grant, name) for name in grant.__slots__)])
    assert secret not in cached
    assert basic(service.client_id, secret) not in cached


def test_a_cached_grant_ends_when_the_secret_expires(listening, service, fast, time_machine):  # noqa: F811
    row, secret = give_secret(service)
    row.expires_at = timezone.now() + timedelta(hours=1)
    row.save()
    header = {"authorization": basic(service.client_id, secret)}
    assert settled(fast, GRANT, **header)[0] == 200
    time_machine.move_to(timezone.now() + timedelta(hours=1))
    assert ask(fast, GRANT, **header) is None


def test_a_change_of_the_client_invalidates_a_cached_grant(listening, service, fast):  # noqa: F811
    header = {"authorization": basic(service.client_id, give_secret(service)[1])}
    settled(fast, GRANT, **header)
    Client.objects.filter(pk=service.pk).update(disabled_at=timezone.now())
    eventually(lambda: ask(fast, GRANT, **header) is None)


def test_the_jwks_is_cached_until_keys_change(listening, api, slow):  # noqa: F811
    asked = []
    ways = FastPath(lambda environ, start: asked.append(1) or slow(environ, start))
    path = "/.well-known/jwks.json"

    def get(handler, **sent):
        return ask(handler, b"", path=path, method="GET", content_type="", **sent)

    first = get(ways)
    answers = []

    def asks_nobody():
        before = len(asked)
        answers.append(get(ways))
        return len(asked) == before

    eventually(asks_nobody)
    again = answers[-1]
    assert {**again[1], "X-Request-Id": ""} == {**first[1], "X-Request-Id": ""}
    assert again[1]["X-Request-Id"] != first[1]["X-Request-Id"]
    assert again[2] == get(slow)[2]
    assert get(ways, if_none_match=first[1]["ETag"])[0] == 304
    page = ClientFactory(template="public", allowed_cors_origins=["https://app.example.com"]).allowed_cors_origins[0]
    assert get(ways, origin=page)[1]["Access-Control-Allow-Origin"] == page
    assert "Access-Control-Allow-Origin" not in get(ways)[1]
    Api.objects.update(signing_algorithm="EdDSA")
    eventually(lambda: "EdDSA" in {key["alg"] for key in json.loads(get(ways)[2])["keys"]})
    revoked = signing_keys.active_key(signing_keys.Purpose.TOKENS, "EdDSA")
    rotation.revoke(revoked, actor=SYSTEM)
    eventually(lambda: revoked.kid not in get(ways)[2].decode())


def test_the_last_jwks_serves_while_the_database_does_not_answer(listening, api, slow):  # noqa: F811
    is_away = []

    def django(environ, start):
        if is_away:
            start("503 Service Unavailable", [("Content-Length", "0")])
            return HttpResponse()
        return slow(environ, start)

    front = FastPath(django)
    path = "/.well-known/jwks.json"
    known = ask(front, b"", path=path, method="GET", content_type="")
    is_away.append(True)
    cache.invalidate_all()
    assert ask(front, b"", path=path, method="GET", content_type="")[2] == known[2]
    assert front.respond_busy({"PATH_INFO": path}).body == known[2]
    assert front.respond_busy({"PATH_INFO": "/"}).head.startswith(b"503 ")
