"""RFC 6749 section 4.1 and 6: a person lets a client in, the client exchanges the code and refreshes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from authority.models import RefreshToken, TokenFamily
from clients.models import Access
from tests.authority.conftest import Program
from tests.authority.flows import BACK, Flow, returned
from tests.authority.tokens.test_rfc9068_access_tokens import verified
from tests.factories import ClientFactory, give_secret

pytestmark = pytest.mark.django_db


@pytest.mark.compliance("RFC 6749", "4.1.2")
def test_person_allows_and_client_gets_code_state_and_issuer(flow, settings):
    assert flow.open().status_code == 200
    back = returned(flow.decide())
    assert set(back) == {"code", "state", "iss"}
    assert back["state"] == "a state"
    assert back["iss"] == settings.ISSUER


@pytest.mark.compliance("RFC 6749", "4.1.2.1")
def test_person_denies_and_client_learns_only_that(flow, settings):
    back = returned(flow.decide("deny"))
    assert back["error"] == "access_denied"
    assert back["state"] == "a state"
    assert back["iss"] == settings.ISSUER
    assert "code" not in back


@pytest.mark.compliance("RFC 6749", "5.1")
def test_code_is_exchanged_for_tokens_of_the_person(flow, alice):
    answer = flow.exchange(flow.code())
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer["Pragma"] == "no-cache"
    tokens = answer.json()
    assert tokens["token_type"] == "Bearer"
    assert tokens["scope"] == "openid shipments:read"
    header, claims = verified(flow.program.http, tokens["access_token"])
    assert header["typ"] == "at+jwt"
    assert claims["sub"] == str(alice.pk)
    assert claims["client_id"] == flow.program.client.client_id
    assert claims["scope"] == "openid shipments:read"
    assert tokens["refresh_token"]


@pytest.mark.compliance("RFC 6749", "3.3")
def test_person_may_allow_less_than_was_asked(web, browser_of, alice):
    flow = Flow(web, browser_of(alice), scope="openid shipments:read shipments:write")
    code = returned(flow.decide(scope=["shipments:read"]))["code"]
    assert flow.exchange(code).json()["scope"] == "openid shipments:read"


def test_person_who_allows_nothing_has_denied(web, browser_of, alice):
    flow = Flow(web, browser_of(alice), scope="shipments:read")
    assert returned(flow.decide(scope=[]))["error"] == "access_denied"


def test_public_client_needs_no_secret(spa, browser_of, alice):
    answer = Flow(spa, browser_of(alice)).tokens()
    assert answer["access_token"]
    assert answer["refresh_token"]


def test_client_without_refresh_grant_gets_no_refresh_token(web, browser_of, alice):
    web.client.grant_types = ["authorization_code"]
    web.client.save()
    flow = Flow(web, browser_of(alice))
    assert "refresh_token" not in flow.tokens()
    assert not RefreshToken.objects.exists()


def test_lifetime_of_the_grant_is_the_clients(web, browser_of, alice):
    web.client.lifespans = {
        "authorization_code_grant_access_token_lifespan": 300,
        "refresh_token_grant_access_token_lifespan": 120,
    }
    web.client.save()
    flow = Flow(web, browser_of(alice))
    tokens = flow.tokens()
    assert tokens["expires_in"] == 300
    assert flow.refresh(tokens["refresh_token"]).json()["expires_in"] == 120


# -- Codes that pay nothing -------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 6749", "4.1.2")
def test_replayed_code_is_refused_and_takes_back_what_it_gave(flow):
    code = flow.code()
    tokens = flow.exchange(code).json()
    assert flow.program.introspect(tokens["access_token"])["active"]
    replay = flow.exchange(code)
    assert replay.status_code == 400
    assert replay.json()["error"] == "invalid_grant"
    assert not flow.program.introspect(tokens["access_token"])["active"]
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert not TokenFamily.objects.alive().exists()


def test_replayed_code_takes_back_tokens_that_were_refreshed_since(flow):
    code = flow.code()
    later = flow.refresh(flow.exchange(code).json()["refresh_token"]).json()
    flow.exchange(code)
    assert not flow.program.introspect(later["access_token"])["active"]
    assert not TokenFamily.objects.alive().exists()


def test_replayed_code_without_refresh_grant_takes_back_the_access_token(web, browser_of, alice):
    web.client.grant_types = ["authorization_code"]
    web.client.save()
    flow = Flow(web, browser_of(alice))
    code = flow.code()
    token = flow.exchange(code).json()["access_token"]
    flow.exchange(code)
    assert not web.introspect(token)["active"]


def test_another_clients_try_neither_works_nor_burns_the_code(flow, acme):
    code = flow.code()
    client = ClientFactory(consumer=acme, template="web", scopes=["openid", "shipments:read"])
    thief = Program(client, give_secret(client)[1])
    theirs = Flow(thief, flow.browser)
    answer = theirs.exchange(code, code_verifier=flow.verifier)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    tokens = flow.exchange(code).json()
    theirs.exchange(code, code_verifier=flow.verifier)
    assert flow.program.introspect(tokens["access_token"])["active"]


def test_expired_code_is_refused(flow, time_machine):
    code = flow.code()
    time_machine.move_to(timezone.now() + timedelta(seconds=61))
    assert flow.exchange(code).json()["error"] == "invalid_grant"


@pytest.mark.compliance("RFC 6749", "4.1.3")
@pytest.mark.parametrize("uri", ["https://app.example.com/signed-in/", "https://evil.example/", BACK + "?a=b"])
def test_other_redirect_uri_at_the_exchange_is_refused(flow, uri):
    assert flow.exchange(flow.code(), redirect_uri=uri).json()["error"] == "invalid_grant"


def test_code_of_a_person_who_was_disabled_is_refused(flow, alice):
    code = flow.code()
    alice.is_active = False
    alice.save()
    assert flow.exchange(code).json()["error"] == "invalid_grant"


def test_code_whose_scopes_are_no_longer_allowed_is_refused(web, browser_of, alice, acme):
    flow = Flow(web, browser_of(alice), scope="shipments:read")
    code = flow.code()
    Access.objects.filter(consumer=acme).delete()
    assert flow.exchange(code).json()["error"] == "invalid_grant"


# -- Refreshing -------------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 6749", "6")
def test_refresh_rotates_and_the_new_token_works(flow):
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert flow.refresh(second["refresh_token"]).status_code == 200


@pytest.mark.compliance("RFC 9700", "4.14.2")
def test_reused_refresh_token_ends_the_whole_family(flow):
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json()
    reuse = flow.refresh(first["refresh_token"])
    assert (reuse.status_code, reuse.json()["error"]) == (400, "invalid_grant")
    assert flow.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert not flow.program.introspect(second["access_token"])["active"]
    assert not TokenFamily.objects.alive().exists()


def test_another_client_cannot_use_or_end_a_refresh_token(flow, acme):
    tokens = flow.tokens()
    client = ClientFactory(consumer=acme, template="web", scopes=["openid"])
    theirs = Flow(Program(client, give_secret(client)[1]), flow.browser)
    assert theirs.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


def test_scope_that_is_no_longer_allowed_vanishes_at_refresh(web, browser_of, alice, acme):
    flow = Flow(web, browser_of(alice), scope="openid shipments:read shipments:write")
    tokens = flow.tokens()
    Access.objects.filter(consumer=acme, scope__value="shipments:write").delete()
    assert flow.refresh(tokens["refresh_token"]).json()["scope"] == "openid shipments:read"


def test_wider_scope_at_refresh_is_refused(flow):
    tokens = flow.tokens()
    answer = flow.refresh(tokens["refresh_token"], scope="openid shipments:read shipments:write")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")
    assert flow.refresh(tokens["refresh_token"]).status_code == 200


def test_disabled_person_no_longer_refreshes(flow, alice):
    tokens = flow.tokens()
    alice.is_active = False
    alice.save()
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert not flow.program.introspect(tokens["access_token"])["active"]


@pytest.mark.parametrize("what", ["client", "consumer"])
def test_disabled_client_and_suspended_consumer_no_longer_refresh(flow, what):
    tokens = flow.tokens()
    if what == "client":
        flow.program.client.disabled_at = timezone.now()
        flow.program.client.save()
    else:
        flow.program.client.consumer.suspended_at = timezone.now()
        flow.program.client.consumer.save()
    answer = flow.refresh(tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_idle_refresh_token_ends_after_thirty_days(flow, time_machine):
    tokens = flow.tokens()
    time_machine.move_to(timezone.now() + timedelta(days=30, hours=2))
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
