"""What a token is worth, said the short way: the ordinary answer, or none."""

import json

import pytest
from django.utils import timezone

from authority import keys
from authority.models import RevokedToken
from clients.models import Client
from consumers import credentials
from tests.authority.conftest import Program, basic
from tests.factories import ClientFactory, give_secret
from tests.portal.test_front import ask, ordinary, short  # noqa: F401  # fixtures

pytestmark = pytest.mark.django_db
PATH = "/oauth2/introspect"


@pytest.fixture
def secret(service):
    return give_secret(service)[1]


@pytest.fixture
def token(service, secret):
    return Program(service, secret).token().json()["access_token"]


def both(handlers, form, **sent):
    """Return the short answer, which the ordinary one equals but for the request's name; None without a short one."""
    one, other = (ask(handler, form, path=PATH, **sent) for handler in handlers)
    if one is None:
        return None
    assert one[1].pop("X-Request-Id") != other[1].pop("X-Request-Id")
    assert (one[0], one[1], json.loads(one[2])) == (other[0], other[1], json.loads(other[2]))
    return json.loads(one[2])


def test_both_ways_say_the_same_of_a_token(service, secret, token, short, ordinary):  # noqa: F811
    handlers, header = (short, ordinary), {"authorization": basic(service.client_id, secret)}
    assert both(handlers, {"token": token}, **header)["active"] is True
    assert both(handlers, {"token": token, "token_type_hint": "refresh_token"}, **header)["active"] is True
    assert both(handlers, {"token": credentials.generate("cdrt_")}, **header) == {"active": False}
    jti = both(handlers, {"token": token}, **header)["jti"]
    RevokedToken.objects.create(jti=jti, expires_at=keys.needed_until(60))
    assert both(handlers, {"token": token}, **header) == {"active": False}


def test_a_token_of_another_client_is_no_business_of_the_caller(acme, token, short, ordinary):  # noqa: F811
    other = ClientFactory(consumer=acme)
    header = {"authorization": basic(other.client_id, give_secret(other)[1])}
    assert both((short, ordinary), {"token": token}, **header) == {"active": False}


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
def test_refusals_take_the_ordinary_way(service, secret, short, ordinary, form, sent):  # noqa: F811
    header = {"authorization": basic(service.client_id, secret)} | sent
    assert both((short, ordinary), form, **header) is None


def test_a_disabled_client_learns_nothing(service, secret, token, short, ordinary):  # noqa: F811
    Client.objects.filter(pk=service.pk).update(disabled_at=timezone.now())
    header = {"authorization": basic(service.client_id, secret)}
    assert both((short, ordinary), {"token": token}, **header) is None
