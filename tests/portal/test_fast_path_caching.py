"""What the short way remembers of a request is the ordinary answer still, and ends with whatever it rests on."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from authority.endpoints import fast_path
from authority.keys import rotation, signing_keys
from authority.telemetry import last_used
from clients.models import Api, Client
from consumers.audit import SYSTEM
from portal.fast_path import Front
from tests.authority.conftest import basic
from tests.authority.listening import caught_up, eventually
from tests.factories import ClientFactory, give_secret
from tests.portal.test_fast_path import GRANT, ask, comparable, ordinary, short  # noqa: F401  # fixtures

pytestmark = pytest.mark.django_db(transaction=True)


def settled(handler, body, **sent):
    """Ask until the answer rests on what is remembered."""
    caught_up()
    before = len(fast_path._judged)
    eventually(lambda: ask(handler, body, **sent) and len(fast_path._judged) > before)
    return ask(handler, body, **sent)


def test_remembered_requests_get_the_ordinary_answer(listening, service, ordinary, short):  # noqa: F811
    secret = give_secret(service)[1]
    forms = [GRANT, GRANT | {"scope": "shipments:read"}]
    for fields in (
        {},
        {"claims": {"tier": "gold"}, "lifespans": {"client_credentials_grant_access_token_lifespan": 60}},
        {"access_token_strategy": "opaque"},
        {"token_endpoint_auth_method": "client_secret_post"},
    ):
        Client.objects.filter(pk=service.pk).update(**fields)
        eventually(lambda: len(fast_path._judged) == 0)
        in_body = "token_endpoint_auth_method" in fields
        header = {} if in_body else {"authorization": basic(service.client_id, secret)}
        for wanted in forms:
            form = wanted | ({"client_id": service.client_id, "client_secret": secret} if in_body else {})
            last_used.forget()
            assert comparable(settled(short, form, **header)) == comparable(ask(ordinary, form, **header))
            assert [use.client for use in last_used._noted.values()] == [service.pk]
    last_used.forget()


def test_no_secret_is_kept_with_a_remembered_request(listening, service, short):  # noqa: F811
    secret = give_secret(service)[1]
    kept = fast_path._judged._kept
    eventually(lambda: ask(short, GRANT, authorization=basic(service.client_id, secret)) and kept)
    (judged, _), *_ = kept.values()
    told = repr([getattr(judged, name) for name in judged.__slots__])
    assert secret not in told
    assert basic(service.client_id, secret) not in told


def test_time_ends_a_remembered_request(listening, service, short, time_machine):  # noqa: F811
    row, secret = give_secret(service)
    row.expires_at = timezone.now() + timedelta(hours=1)
    row.save()
    header = {"authorization": basic(service.client_id, secret)}
    assert settled(short, GRANT, **header)[0] == 200
    time_machine.move_to(timezone.now() + timedelta(hours=1))
    assert ask(short, GRANT, **header) is None


def test_change_ends_a_remembered_request(listening, service, short):  # noqa: F811
    header = {"authorization": basic(service.client_id, give_secret(service)[1])}
    settled(short, GRANT, **header)
    Client.objects.filter(pk=service.pk).update(disabled_at=timezone.now())
    eventually(lambda: ask(short, GRANT, **header) is None)


def test_the_list_of_keys_is_remembered_until_keys_change(listening, api, ordinary):  # noqa: F811
    asked = []
    ways = Front(lambda environ, start: asked.append(1) or ordinary(environ, start))
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
    assert again[2] == get(ordinary)[2]
    assert get(ways, if_none_match=first[1]["ETag"])[0] == 304
    page = ClientFactory(template="public", allowed_cors_origins=["https://app.example.com"]).allowed_cors_origins[0]
    assert get(ways, origin=page)[1]["Access-Control-Allow-Origin"] == page
    assert "Access-Control-Allow-Origin" not in get(ways)[1]
    Api.objects.update(signing_algorithm="EdDSA")
    eventually(lambda: "EdDSA" in {key["alg"] for key in json.loads(get(ways)[2])["keys"]})
    revoked = signing_keys.active(signing_keys.Purpose.TOKENS, "EdDSA")
    rotation.revoke(revoked, actor=SYSTEM)
    eventually(lambda: revoked.kid not in get(ways)[2].decode())
