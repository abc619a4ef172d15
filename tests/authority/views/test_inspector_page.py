"""The inspector: errors in words, nothing of other workspaces, and its page."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from authority.diagnostics.inspector.inspector import inspect
from authority.diagnostics.inspector.report import Viewer
from authority.models import RevokedToken
from consumers.models import Event
from tests.authority.conftest import Program
from tests.authority.pasted import one, packed, parts
from tests.factories import AccessFactory, ClientFactory, UserFactory, give_secret, sign_in_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(acme):
    return Viewer(acme)


@pytest.fixture
def token(program):
    return program.token(scope="shipments:read").json()["access_token"]


# -- Errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ('{"error": "invalid_grant", "error_description": "Nope."}', "The code or refresh token is invalid"),
        ('WWW-Authenticate: Bearer error="insufficient_scope", scope="a"', "The token is good, but lacks a scope"),
        ("https://app.example/cb?error=access_denied&state=x", "The person said no"),
        ("https://app.example/cb#error=login_required", "The person has to sign in first"),
        (
            '< HTTP/1.1 401 Unauthorized\n< Server: x\n<\n{"error": "invalid_client"}',
            "The client was not authenticated",
        ),
        ("< HTTP/2 503 Service Unavailable", "It was answered with 503 Service Unavailable"),
        ("JsonWebTokenError: jwt expired", "The API says that the token has expired"),
        (
            'JWTClaimValidationFailed: unexpected "aud" claim value',
            "The API says that the token is for another audience",
        ),
        ('{"error": "odd_code"}', "This error code is not one of this portal"),
    ],
)
def test_errors_are_told_in_words(text, verdict, member):
    report = inspect(text, member)[0]
    assert report.verdict == verdict
    assert report.advice


def test_error_of_ones_own_client_leads_to_its_problems(member, service, globex):
    foreign = ClientFactory(consumer=globex)
    text = "https://portal/oauth2/authorize?error=invalid_request&client_id="
    assert inspect(text + service.client_id, member)[0].client == service
    assert inspect(text + foreign.client_id, member)[0].client is None


def test_transcript_with_token_and_error_tells_of_both(token, member):
    text = (
        f'> GET /\n> Authorization: Bearer {token}\n>\n< HTTP/1.1 401\n< www-authenticate: Bearer error="invalid_token"'
    )
    assert [report.kind for report in inspect(text, member)] == ["A refused request", "An access token"]


# -- Nothing of others ------------------------------------------------------------------------------------------------


def test_of_a_neighbours_token_a_member_learns_what_stands_in_it_alone(globex, member, api, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    client = ClientFactory(consumer=globex, client_name="TENANT-B", scopes=["shipments:read"])
    AccessFactory(consumer=globex, scope=api.scopes.get(value="shipments:read"))
    token = Program(client, give_secret(client)[1]).token().json()["access_token"]
    before = one(token, member)
    RevokedToken.objects.create(jti=parts(token)[1]["jti"], expires_at=timezone.now() + timedelta(hours=1))
    client.disabled_at = timezone.now()
    client.save()
    after = one(token, member)
    assert (before.verdict, before.facts, before.rows) == (after.verdict, after.facts, after.rows)
    assert after.client is None
    assert "TENANT-B" not in str(after)
    assert one(token, Viewer()).verdict == "TENANT-B is disabled"


# -- The page ---------------------------------------------------------------------------------------------------------


def test_page_answers_by_post_alone_and_keeps_nothing(token, browser_of, bob, caplog, settings):
    browser = browser_of(bob)
    answer = browser.post("/consumers/acme/inspect/", {"pasted": token})
    assert "It is valid" in answer.text
    assert "no-store" in answer["Cache-Control"]
    signature = token.rsplit(".", 1)[1]
    assert signature not in caplog.text
    assert signature not in str(browser.session.items())
    assert signature not in str(list(Event.objects.values()))
    assert signature not in browser.get("/consumers/acme/inspect/", {"pasted": token}).text


@pytest.mark.parametrize("pasted", ["", "x" * 70_000, "x" * 300_000])
@pytest.mark.parametrize(("person", "page"), [("bob", "/consumers/acme/inspect/"), ("olga", "/operators/inspect/")])
def test_page_says_what_to_paste(request, browser_of, acme, person, page, pasted, caplog):
    browser = browser_of(request.getfixturevalue(person))
    answer = browser.post(page, urlencode({"pasted": pasted}), content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 422
    assert ("Paste at most 32 KB" if pasted else "Paste a token or an error first") in answer.text
    assert 'name="pasted"' in answer.text
    assert "xxxxx" not in caplog.text


@pytest.mark.parametrize(("person", "page"), [("bob", "/consumers/acme/inspect/"), ("olga", "/operators/inspect/")])
def test_page_inspects_for_no_other_site(request, acme, person, page, token):
    browser = Client(enforce_csrf_checks=True)
    sign_in_to(browser, request.getfixturevalue(person))
    assert browser.post(page, {"pasted": token}).status_code == 403


def test_a_browser_cuts_nothing_off(browser_of, bob):
    assert "maxlength" not in browser_of(bob).get("/consumers/acme/inspect/").text.partition('name="pasted"')[2][:400]


@pytest.mark.parametrize("page", ["/consumers/acme/inspect/", "/operators/inspect/"])
def test_however_much_a_stranger_pastes_the_page_stays_closed(browser_of, mallory, acme, page):
    body = urlencode({"pasted": "x" * 300_000})
    answer = browser_of(mallory).post(page, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (302, 403, 404)
    assert 'name="pasted"' not in answer.text


def test_what_is_pasted_is_shown_as_text(browser_of, bob, member):
    evil = packed({"alg": "none"}, {"iss": "<script>alert(1)</script>", "<b>": 1})
    answer = browser_of(bob).post("/consumers/acme/inspect/", {"pasted": evil})
    assert "<script>alert" not in answer.text
    assert "<b>" not in answer.text.split("<main")[1].replace("<b>Bob", "")


def test_an_api_that_the_workspace_may_not_use_cannot_be_chosen(browser_of, mallory, api, token):
    answer = browser_of(mallory).post("/consumers/globex/inspect/", {"pasted": token, "api": api.pk})
    assert answer.status_code == 422


def test_operators_inspect_tokens_of_every_workspace(browser_of, olga, token, service):
    answer = browser_of(olga).post("/operators/inspect/", {"pasted": token})
    assert "It is valid" in answer.text
    assert f"{service}, of Acme Logistics" in answer.text
    assert "no-store" in answer["Cache-Control"]
    assert browser_of(olga).post("/operators/inspect/", {"pasted": ""}).status_code == 422


def test_the_operators_inspector_is_for_those_who_may_read_clients(browser_of, alice, client):
    assert client.get("/operators/inspect/").status_code == 302
    assert browser_of(alice).get("/operators/inspect/").status_code in (302, 403)
    limited = UserFactory(name="Lea", email="lea@provider.example", is_staff=True)
    assert browser_of(limited).get("/operators/inspect/").status_code == 403
