"""OpenID Connect Back-Channel Logout: clients hear that a browser session ended."""

import json
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django.utils import timezone
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from authority.authorization import backchannel_logout
from authority.models import LogoutNotice, TokenFamily
from consumers.accounts.session_cleanup import delete_expired_sessions
from consumers.actions import people as people_actions
from tests.authority.authorization.test_oidc_core_prompt import sign_in
from tests.authority.endpoints.test_oidc import id_token_claims
from tests.authority.flows import Flow
from tests.factories import actor_for

pytestmark = pytest.mark.django_db


@contextmanager
def listening(*statuses):
    """A client's own server, which answers with these statuses in turn; yields its address and what it was sent."""
    heard = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            heard.append((self.headers["Content-Type"], parse_qs(body)))
            self.send_response(statuses[min(len(heard), len(statuses)) - 1])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/logged-out", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def browser(alice):
    browser = Browser()
    sign_in(browser, alice)
    return browser


@pytest.fixture
def hearing(web, settings):
    """Let the web client be told, at a server that answers with these statuses."""
    settings.FETCH_LOCAL_HOSTS = ["127.0.0.1"]

    @contextmanager
    def told(*statuses):
        with listening(*(statuses or (200,))) as (address, heard):
            web.client.backchannel_logout_uri = address
            web.client.save()
            yield heard

    return told


def deliver():
    while backchannel_logout.QUEUE.deliver_next():
        pass


def read(http, token):
    jwt = JWT(jwt=token, key=JWKSet.from_json(http.get("/.well-known/jwks.json").content.decode()), algs=["RS256"])
    return json.loads(jwt.header), json.loads(jwt.claims)


@pytest.mark.compliance("OpenID Connect Back-Channel Logout", "2.2")
@pytest.mark.compliance("OpenID Connect Back-Channel Logout", "2.4")
@pytest.mark.parametrize("session_required", [False, True])
def test_logout_token_names_issuer_client_person_and_session(hearing, web, browser, alice, settings, session_required):
    """The session is always named, whether or not the client's registration requires it."""
    web.client.backchannel_logout_session_required = session_required
    web.client.save()
    with hearing() as heard:
        _, id_token = id_token_claims(web.http, Flow(web, browser).tokens()["id_token"])
        browser.post("/account/logout/")
        deliver()
    [(content_type, form)] = heard
    assert content_type == "application/x-www-form-urlencoded"
    header, claims = read(web.http, form["logout_token"][0])
    assert header["typ"] == "logout+jwt"
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert (claims["iss"], claims["aud"]) == (settings.ISSUER, web.client.client_id)
    assert (claims["sub"], claims["sid"]) == (str(alice.pk), id_token["sid"])
    assert claims["exp"] - claims["iat"] == 120
    assert claims["jti"]
    assert "nonce" not in claims
    assert not LogoutNotice.objects.exists()


@pytest.mark.compliance("OpenID Connect Back-Channel Logout", "2.3")
@pytest.mark.parametrize(
    "end",
    [
        lambda flow, alice, olga: flow.browser.get("/oauth2/logout", {"id_token_hint": flow.hint}),
        lambda flow, alice, olga: UserSession.objects.get(user=alice).end(),
        lambda flow, alice, olga: deactivate(alice, olga),
        lambda flow, alice, olga: flow.browser.session.flush(),
    ],
    ids=["by its client", "from elsewhere", "by an operator", "by another sign-in"],
)
def test_however_a_session_is_ended_its_clients_hear_it(hearing, web, browser, alice, olga, end):
    with hearing() as heard:
        flow = Flow(web, browser)
        flow.hint = flow.tokens()["id_token"]
        flow.tokens()  # signed in twice, told once
        end(flow, alice, olga)
        deliver()
    assert len(heard) == 1


def deactivate(alice, olga):
    people_actions.update_person(person=alice, values={"is_active": False}, actor=actor_for(olga))


def test_other_sessions_and_other_clients_hear_nothing(hearing, web, browser, alice):
    with hearing() as heard:
        Flow(web, browser).tokens()
        other = Browser()
        sign_in(other, alice)
        other.post("/account/logout/")
        deliver()
    assert heard == []


def test_changed_password_moves_the_session_and_ends_none(hearing, web, browser, alice):
    with hearing() as heard:
        Flow(web, browser).tokens()
        session = browser.session
        session.cycle_key()
        deliver()
        assert heard == []
        session.delete()
        deliver()
    assert len(heard) == 1


@pytest.mark.compliance("OpenID Connect Back-Channel Logout", "2.8")
def test_client_that_does_not_answer_is_told_again(hearing, web, browser, time_machine):
    with hearing(503, 200) as heard:
        Flow(web, browser).tokens()
        browser.post("/account/logout/")
        deliver()
        assert len(heard) == 1
        time_machine.move_to(timezone.now() + timedelta(seconds=11))
        deliver()
        deliver()
    tokens = [form["logout_token"][0] for _, form in heard]
    assert len(set(tokens)) == 2  # each with an end of its own


def test_client_that_refuses_is_not_told_again(hearing, web, browser):
    with hearing(400) as heard:
        Flow(web, browser).tokens()
        browser.post("/account/logout/")
        deliver()
    assert len(heard) == 1
    assert not LogoutNotice.objects.exists()


def test_nobody_is_told_at_an_address_of_our_own_network(web, browser, settings):
    settings.FETCH_LOCAL_HOSTS = []
    with listening(200) as (address, heard):
        web.client.backchannel_logout_uri = address
        web.client.save()
        Flow(web, browser).tokens()
        browser.post("/account/logout/")
        deliver()
    assert heard == []
    assert LogoutNotice.objects.get().attempts == 1


def test_dead_client_is_given_up_after_some_hours(web, browser, time_machine):
    web.client.backchannel_logout_uri = "https://10.0.0.1/"
    web.client.save()
    Flow(web, browser).tokens()
    browser.post("/account/logout/")
    for _ in range(6):
        deliver()
        time_machine.move_to(timezone.now() + timedelta(hours=3))
    assert not LogoutNotice.objects.exists()


@pytest.mark.compliance("OpenID Connect Back-Channel Logout", "2.7")
def test_refresh_tokens_end_with_the_session_but_for_offline_access(web, browser, alice):
    web.client.scopes = [*web.client.scopes, "offline_access"]
    web.client.save()
    online, offline = Flow(web, browser), Flow(web, browser, scope="openid offline_access shipments:read")
    ends, stays = online.tokens()["refresh_token"], offline.tokens()["refresh_token"]
    assert online.refresh(ends).status_code == 200
    browser.post("/account/logout/")
    assert TokenFamily.objects.filter(ended_at=None).count() == 1
    assert online.refresh(ends).json()["error"] == "invalid_grant"
    assert offline.refresh(stays).status_code == 200


def test_session_that_ends_by_itself_ends_no_tokens(web, browser):
    flow = Flow(web, browser)
    token = flow.tokens()["refresh_token"]
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    delete_expired_sessions()
    assert flow.refresh(token).status_code == 200


@pytest.mark.compliance("OpenID Connect Back-Channel Logout", "2.1")
def test_discovery_says_that_clients_are_told(client):
    document = client.get("/.well-known/openid-configuration").json()
    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True
    assert "frontchannel_logout_supported" not in document
