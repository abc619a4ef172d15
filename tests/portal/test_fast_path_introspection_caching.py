"""A cached introspection response equals the slow path's, and is invalidated with whatever it depends on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from authority import client_directory
from authority.endpoints import fast_path
from authority.keys import rotation, signing_keys
from authority.telemetry import last_used
from authority.tokens import revocation
from authority.tokens.access_tokens import OPAQUE_PREFIX
from clients.actions.apis import set_resource_servers
from clients.models import Access, Client
from consumers.audit import SYSTEM
from consumers.models import Consumer
from tests.authority.conftest import Program, basic
from tests.authority.flows import Flow
from tests.authority.listening import caught_up, eventually
from tests.factories import ClientFactory, give_secret
from tests.portal.test_fast_path import ask, fast, slow  # noqa: F401  # fixtures
from tests.portal.test_fast_path_introspection import PATH, both

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def program(service):
    _, text = give_secret(service, expires_at=timezone.now() + timedelta(minutes=50))
    return Program(service, text)


@pytest.fixture
def gate(globex, api):
    client = ClientFactory(consumer=globex, expires_at=timezone.now() + timedelta(minutes=40))
    set_resource_servers(api=api, clients=[client], actor=SYSTEM)
    return Program(client, give_secret(client)[1])


@pytest.fixture
def token(listening, program):
    return program.token().json()["access_token"]


@pytest.fixture
def told(fast):  # noqa: F811
    """Ask about the token, at first until the answer is remembered; None when the slow path has to answer."""

    def asked(program, token):
        return ask(fast, {"token": token}, path=PATH, authorization=basic(program.client.client_id, program.secret))

    def told(program, token, *, settle=False):
        if settle:
            before = len(fast_path.introspections)
            eventually(lambda: asked(program, token) and len(fast_path.introspections) > before)
        return asked(program, token)

    return told


def settled(program, token, told, handlers):
    """Demand that the answer is remembered, and that of the slow path."""
    told(program, token, settle=True)
    header = {"authorization": basic(program.client.client_id, program.secret)}
    return both(handlers, {"token": token}, **header)


def test_a_cached_introspection_is_that_of_the_slow_path(program, gate, token, told, fast, slow):  # noqa: F811
    for caller in (program, gate):
        last_used.reset()
        assert settled(caller, token, told, (fast, slow))["active"] is True
        assert [use.client for use in last_used.pending()] == [caller.client.pk]
    last_used.reset()


def test_neither_secret_nor_token_is_cached(program, token, told):
    told(program, token, settle=True)
    (key, kept), *_ = fast_path.introspections.items()
    said = repr([getattr(kept, name) for name in kept.__slots__]) + repr(key)
    for secret in (program.secret, token, token.rpartition(".")[2], basic(program.client.client_id, program.secret)):
        assert secret not in said


def test_what_rests_on_a_row_is_asked_each_time(program, acme, listening, told, alice, browser_of):
    web = ClientFactory(consumer=acme, template="web", scopes=["openid", "shipments:read"])
    web = Program(web, give_secret(web)[1])
    Client.objects.filter(pk=program.client.pk).update(access_token_strategy="opaque")
    eventually(lambda: program.token().json()["access_token"].startswith(OPAQUE_PREFIX))
    opaque, persons = program.token().json(), Flow(web, browser_of(alice)).tokens()
    for owner, token in (
        (program, opaque["access_token"]),
        (web, persons["access_token"]),
        (web, persons["refresh_token"]),
        (web, "x"),
    ):
        eventually(
            lambda owner=owner, token=token: told(owner, token) and client_directory.get_cached(owner.client.client_id)
        )
        assert told(owner, token)
        assert len(fast_path.introspections) == 0


def test_a_revoked_token_ends_at_once(program, gate, token, told):
    """Not when news arrive: each answer asks for the revocation."""
    for caller in (program, gate):
        told(caller, token, settle=True)
    revocation.revoke(token, program.client)
    assert told(program, token) is None
    assert told(gate, token) is None
    assert gate.introspect(token) == program.introspect(token) == {"active": False}


CHANGES = {
    "the owner is disabled": lambda client, now: client.update(disabled_at=now),
    "the owner's tokens are revoked": lambda client, now: client.update(tokens_valid_after=now),
    "all tokens of the consumer are revoked": lambda client, now: Consumer.objects.update(tokens_valid_after=now),
    "the owner's consumer is suspended": lambda client, now: acmes().update(suspended_at=now),
    "the owner is deleted": lambda client, now: client.get().delete(),
    "the owner may ask for nothing any more": lambda client, now: Access.objects.all().delete(),
    "the key is revoked": lambda client, now: rotation.revoke(signing_keys.active_key("tokens", "ES256"), actor=SYSTEM),
}


def acmes():
    return Consumer.objects.filter(slug="acme")


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_ends_it_for_the_api(program, gate, token, told, change):
    assert told(gate, token, settle=True)
    CHANGES[change](Client.objects.filter(pk=program.client.pk), timezone.now())
    caught_up()
    assert b'"active": true' not in (told(gate, token) or (0, 0, b""))[2]
    assert gate.introspect(token) == {"active": False}


@pytest.mark.parametrize("change", ["disabled", "secret revoked", "no longer the API", "suspended"])
def test_a_change_of_the_caller_ends_it_for_them(program, gate, api, token, told, change):
    assert told(gate, token, settle=True)
    if change == "no longer the API":
        set_resource_servers(api=api, clients=[], actor=SYSTEM)
    elif change == "secret revoked":
        gate.client.secrets.update(revoked_at=timezone.now())
    elif change == "disabled":
        Client.objects.filter(pk=gate.client.pk).update(disabled_at=timezone.now())
    else:
        Consumer.objects.filter(slug="globex").update(suspended_at=timezone.now())
    caught_up()
    assert b'"active": true' not in (told(gate, token) or (0, 0, b""))[2]


@pytest.mark.parametrize(("minutes", "left"), [(39, "all"), (41, "the owner"), (51, "nobody"), (61, "nobody")])
def test_time_ends_it(program, gate, token, told, time_machine, minutes, left):
    for caller in (program, gate):
        assert told(caller, token, settle=True)
    time_machine.move_to(timezone.now() + timedelta(minutes=minutes), tick=False)
    assert (told(gate, token) is not None) == (left == "all")
    assert (told(program, token) is not None) == (left != "nobody")
