"""Nothing that opens a door rests in the database: no code, token or secret of any kind."""

import json

import pytest
from django.apps import apps

from authority.models import OpaqueToken, TokenFamily
from clients.models import Client
from tests.authority.conftest import Program
from tests.authority.endpoints.test_rfc8628_device_grant import Device
from tests.factories import ClientFactory

pytestmark = pytest.mark.django_db


def everything():
    """Return each row of each table as text."""
    return json.dumps(
        [list(model.objects.values_list()) for model in apps.get_models() if model._meta.managed], default=str
    )


@pytest.mark.parametrize("strategy", ["jwt", "opaque"])
def test_no_code_token_or_secret_rests_in_the_database(flow, program, strategy):
    Client.objects.update(access_token_strategy=strategy)
    code = flow.code()
    before = everything()
    first = flow.exchange(code).json()
    second = flow.refresh(first["refresh_token"]).json()
    own = program.token().json()
    program.introspect(own["access_token"])
    flow.exchange(code)
    dump = before + everything()
    secrets = [code, flow.program.secret, program.secret, flow.verifier, own["access_token"]]
    for tokens in (first, second):
        secrets += [tokens["access_token"], tokens["refresh_token"], tokens["id_token"]]
    for secret in secrets:
        assert secret not in dump
    assert TokenFamily.objects.exists()
    assert OpaqueToken.objects.exists() == (strategy == "opaque")


def test_no_code_of_a_device_rests_in_the_database(acme, acme_access, browser_of, alice):
    client = ClientFactory(consumer=acme, template="device", scopes=["openid", "shipments:read"])
    device = Device(Program(client), browser_of(alice))
    asked = device.begin(scope="openid shipments:read")
    dump = everything()
    device.decide()
    tokens = device.poll().json()
    dump += everything()
    codes = [asked["device_code"], asked["user_code"], asked["user_code"].replace("-", "")]
    for secret in [*codes, tokens["access_token"], tokens["refresh_token"], tokens["id_token"]]:
        assert secret not in dump
