"""A consumer has no more clients than its operator allows, by whichever door they come."""

import pytest

from clients.actions.clients import register_client, register_client_with_key
from clients.metadata import TEMPLATES
from clients.policy import api_policy
from core.errors import Conflict
from tests.factories import ClientFactory, actor_for

pytestmark = pytest.mark.django_db
SERVICE = TEMPLATES["service"].replace(client_name="One more", scope=("shipments:read",))


@pytest.fixture
def full(acme, acme_access):
    acme.max_clients = 2
    acme.save()
    ClientFactory.create_batch(2, consumer=acme)
    return acme


@pytest.mark.parametrize("register", [register_client, register_client_with_key])
def test_one_more_client_is_a_conflict_until_there_is_room(full, globex, alice, register):
    metadata = SERVICE
    if register is register_client_with_key:
        metadata = SERVICE.replace(token_endpoint_auth_method="private_key_jwt")
    wanted = {"consumer": full, "metadata": metadata, "policy": api_policy, "actor": actor_for(alice)}
    ClientFactory(consumer=globex)
    with pytest.raises(Conflict, match="has 2 clients, the most it may have"):
        register(**wanted)
    full.clients.first().delete()
    assert register(**wanted)
    full.refresh_from_db()
    with pytest.raises(Conflict):
        register(**wanted)
