"""A permission that was granted until a date stops by itself, everywhere, with no worker and nothing invalidated."""

import json
import time
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from authority import client_directory
from authority.endpoints import fast_path
from authority.tokens import test_tokens
from clients.actions.apis import clear_ended_access, set_access, set_resource_servers
from clients.models import Access, Api, Scope
from consumers.audit import SYSTEM
from consumers.models import Event
from core import clock
from core.errors import Refusal
from core.jose import base64url
from tests.authority.conftest import Program, basic
from tests.authority.flows import Flow
from tests.authority.listening import caught_up, eventually
from tests.factories import ClientFactory, give_secret
from tests.portal.test_fast_path import GRANT, ask, fast, slow  # noqa: F401  # fixtures

pytestmark = pytest.mark.django_db


def end_at(acme, **away):
    Access.objects.filter(consumer=acme, scope__value="shipments:write").update(
        expires_at=timezone.now() + timedelta(**away)
    )


def scopes_of(answer):
    return answer.json()["scope"].split()


def test_scope_is_granted_until_its_end_and_not_after(acme, program):
    end_at(acme, hours=1)
    assert scopes_of(program.token()) == ["shipments:read", "shipments:write"]
    end_at(acme, seconds=-1)
    assert scopes_of(program.token()) == ["shipments:read"]
    assert program.token(scope="shipments:write").json()["error"] == "invalid_scope"


def test_token_ends_with_the_first_of_its_permissions(acme, program):
    end_at(acme, seconds=90)
    claims = json.loads(base64url.decode(program.token().json()["access_token"].split(".")[1]))
    assert 80 <= claims["exp"] - claims["iat"] <= 90
    assert program.token(scope="shipments:read").json()["expires_in"] > 900


def test_introspection_names_it_no_more(acme, api, globex, program):
    gate = ClientFactory(consumer=globex)
    set_resource_servers(api=api, clients=[gate], actor=SYSTEM)
    gate = Program(gate, give_secret(gate)[1])
    end_at(acme, hours=1)
    token = program.token().json()["access_token"]
    assert gate.introspect(token)["scope"] == "shipments:read shipments:write"
    end_at(acme, seconds=-1)
    assert gate.introspect(token)["scope"] == "shipments:read"
    assert program.introspect(token)["scope"] == "shipments:read"


def test_refreshing_goes_on_without_it(acme, web, browser_of, alice):
    web.client.scopes = ["openid", "shipments:read", "shipments:write"]
    web.client.save()
    end_at(acme, hours=1)
    flow = Flow(web, browser_of(alice), scope="openid shipments:read shipments:write")
    tokens = flow.tokens()
    assert "shipments:write" in tokens["scope"]
    end_at(acme, seconds=-1)
    assert "shipments:write" not in flow.refresh(tokens["refresh_token"]).json()["scope"]


@pytest.mark.django_db(transaction=True)
def test_cached_client_and_cached_grant_forget_it_in_time(listening, acme, service, fast, monkeypatch):  # noqa: F811
    secret = give_secret(service)[1]
    end_at(acme, hours=1)
    caught_up()

    def scopes():
        answer = ask(fast, GRANT, authorization=basic(service.client_id, secret))
        return json.loads(answer[2])["scope"].split()

    eventually(lambda: scopes() and client_directory.get_cached(service.client_id) is not None)
    assert scopes() == ["shipments:read", "shipments:write"]
    assert len(fast_path.grants) == 0  # it would go on
    eventually(lambda: scopes() and client_directory.get_cached(service.client_id) is not None)
    entry = client_directory.get_cached(service.client_id)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=1, seconds=1))
    assert scopes() == ["shipments:read"]
    assert [*entry.granted] == ["shipments:read", "shipments:write"]  # nobody was told anything
    assert [*entry.permissions] == ["shipments:read"]


def test_test_token_is_not_made_beyond_the_end(acme, api, service):
    Api.objects.update(is_production=False, allows_test_tokens=True)
    end_at(acme, seconds=120)
    assert 110 <= test_tokens.max_lifetime(service, Scope.objects.all()) <= 120
    end_at(acme, seconds=-1)
    assert [scope.value for scope in test_tokens.available_scopes(service)] == ["shipments:read"]


def test_lists_and_policy_know_it_no_more(acme, service, alice, browser_of):
    end_at(acme, seconds=-1)
    assert [scope.value for scope in service.granted_scopes()] == ["shipments:read"]
    assert [api.name for api in Api.objects.granted_to(acme).distinct()] == ["Shipments"]
    page = browser_of(alice).get("/consumers/acme/clients/new").text
    assert "shipments:write" not in page
    refused = browser_of(alice).post(
        "/consumers/acme/clients/new", {"client_name": "New", "scope": ["shipments:write"], "key": "1"}
    )
    assert refused.status_code == 422


def test_worker_clears_it_away_with_an_event_and_a_mail(acme, acme_access, alice):
    end_at(acme, seconds=-1)
    clear_ended_access()
    assert [access.scope.value for access in acme.access.all()] == ["shipments:read"]
    event = Event.objects.get(name="consumer.scope.ended")
    assert (event.consumer, event.detail["scope"]) == (acme, "shipments:write")
    assert [(sent.to, sent.subject) for sent in mail.outbox] == [
        (["alice@acme.example"], "shipments:write has expired")
    ]
    clear_ended_access()
    assert len(mail.outbox) == 1


def test_setting_access_keeps_an_end_that_it_does_not_name(acme, acme_access):
    end_at(acme, hours=1)
    end = acme.access.get(scope__value="shipments:write").expires_at
    set_access(consumer=acme, scopes=Scope.objects.filter(api__name="Shipments"), actor=SYSTEM)
    assert acme.access.get(scope__value="shipments:write").expires_at == end
    set_access(
        consumer=acme,
        scopes=Scope.objects.filter(api__name="Shipments"),
        ends={"shipments:write": None, "shipments:read": end},
        actor=SYSTEM,
    )
    assert dict(acme.access.values_list("scope__value", "expires_at")) == {
        "shipments:read": end,
        "shipments:write": None,
    }
    assert set(Event.objects.get(name="consumer.scopes.changed").detail["until"]) == {
        "shipments:read",
        "shipments:write",
    }


@pytest.mark.parametrize("away", [timedelta(seconds=-1), timedelta(days=4000)])
def test_an_end_lies_in_the_future_and_within_ten_years(away, acme, acme_access):
    with pytest.raises(Refusal, match="future"):
        set_access(
            consumer=acme,
            scopes=Scope.objects.filter(api__name="Shipments"),
            ends={"shipments:read": timezone.now() + away},
            actor=SYSTEM,
        )


def test_what_has_ended_and_was_not_cleared_begins_anew_when_it_is_given_again(acme, acme_access):
    end_at(acme, seconds=-1)
    set_access(consumer=acme, scopes=Scope.objects.filter(api__name="Shipments"), actor=SYSTEM)
    assert acme.access.get(scope__value="shipments:write").expires_at is None


def test_the_real_moment_ends_it(acme, program):
    end_at(acme, seconds=1)
    assert "shipments:write" in scopes_of(program.token())
    time.sleep(1.1)
    assert scopes_of(program.token()) == ["shipments:read"]
