"""Claims that operators set for a client's access tokens."""

import pytest
from django.urls import reverse

from clients.actions.clients import set_claims
from clients.events import ClientEvent
from consumers.audit import SYSTEM
from consumers.models import Event
from consumers.policy import RESERVED_CLAIMS
from core.errors import Refusal
from tests.forms import save

pytestmark = pytest.mark.django_db


def address(client):
    return reverse("admin:clients_client_change", args=[client.pk])


def test_operator_sets_them_and_the_record_names_them_without_their_values(browser_of, olga, service):
    answer = save(browser_of(olga), address(service), {"claims": '{"region": "secret-north"}'})
    assert answer.status_code == 302
    service.refresh_from_db()
    assert service.claims == {"region": "secret-north"}
    event = Event.objects.get(name=ClientEvent.CLIENT_CLAIMS_CHANGED)
    assert event.detail == {"names": ["region"]}


@pytest.mark.parametrize("typed", ['{"sub": "x"}', "[]", '{"a": "' + "x" * 3000 + '"}', "no json", '{"family_id": 1}'])
def test_page_refuses_what_the_action_refuses_and_keeps_what_was_typed(browser_of, olga, service, typed):
    answer = save(browser_of(olga), address(service), {"claims": typed})
    assert answer.status_code == 200
    assert "errornote" in answer.content.decode()
    service.refresh_from_db()
    assert service.claims == {}


@pytest.mark.compliance("RFC 9068", "2.2")
@pytest.mark.parametrize("name", sorted(RESERVED_CLAIMS))
def test_reserved_names_are_refused(service, name):
    with pytest.raises(Refusal):
        set_claims(client=service, claims={name: "x"}, actor=SYSTEM)


def test_forged_fields_change_nothing_else(browser_of, olga, service):
    save(browser_of(olga), address(service), {"claims": "{}", "client_name": "Other", "grant_types": "x"})
    service.refresh_from_db()
    assert service.client_name == "Billing sync"
