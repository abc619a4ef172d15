"""Whoever proves nothing too often is refused before anybody is asked, and nobody else with them."""

from datetime import timedelta

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from authority import client_directory
from authority.endpoints import fast_path
from authority.models import Problem
from authority.telemetry import writer
from clients import secrets
from core import cache
from portal.fast_path import FastPath
from tests.authority.conftest import FORM, basic
from tests.factories import ClientFactory, give_secret
from tests.portal.test_fast_path import ask, kept_connections

pytestmark = pytest.mark.django_db
GRANT = {"grant_type": "client_credentials"}
ENDPOINTS = ["token", "introspect", "revoke", "par", "device-authorization"]
MOST = 6  # for an address, so one for a client ID there


@pytest.fixture(autouse=True)
def limit(settings):
    settings.FAILURES_PER_MINUTE = MOST


def knock(header, ip="192.0.2.7", path="/oauth2/token", **headers):
    headers = {"Authorization": header} | headers
    return Browser(REMOTE_ADDR=ip).post(path, "grant_type=client_credentials", content_type=FORM, headers=headers)


def scan(times, **where):
    """Try as many names that nobody has."""
    return [knock(basic(f"cl_nobody{number}", "x"), **where) for number in range(times)][-1]


def remember(client):
    """Remember the client as if it were committed, which what a test writes never is."""
    entry = client_directory.load(client.client_id)
    client_directory.entries.set(
        client.client_id, entry, client_directory.invalidation_subjects(entry), generation=cache.current_generation()
    )


@pytest.mark.compliance("RFC 6585", "4")
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_address_that_fails_authentication_gets_retry_after(program, endpoint):
    path = reverse(endpoint)
    assert scan(MOST, path=path).status_code == 401
    with CaptureQueriesContext(connection) as captured:
        answer = knock(basic(program.client.client_id, program.secret), path=path)
    assert (answer.status_code, answer.json()["error"]) == (429, "temporarily_unavailable")
    assert 0 < int(answer["Retry-After"]) <= 60
    assert f"Wait {answer['Retry-After']} seconds" in answer.json()["error_description"]
    assert answer["Cache-Control"] == "no-store"
    assert "WWW-Authenticate" not in answer
    assert captured.captured_queries == [], "refused before the database is asked"
    assert knock(basic(program.client.client_id, program.secret), ip="192.0.2.8").status_code == 200


def test_a_client_that_sends_a_wrong_secret_does_not_spoil_its_neighbours(program, stranger):
    wrong = basic(program.client.client_id, secrets.generate())
    statuses = [knock(wrong).status_code for _ in range(10)]
    assert statuses == [401] + [429] * 9
    assert knock(basic(stranger.client.client_id, stranger.secret)).status_code != 429


def test_requests_without_credentials_are_not_counted(program):
    for _ in range(MOST * 2):
        assert knock("").status_code == 401
        assert knock("Basic %%%").status_code == 401
    assert knock(basic(program.client.client_id, program.secret)).status_code == 200


def test_a_form_that_is_refused_unread_counts_as_failed_authentication(program):
    header = basic(program.client.client_id, program.secret)
    knock(header, path="/oauth2/token?a=b")
    with CaptureQueriesContext(connection) as captured:
        assert knock(header, path="/oauth2/token?a=b").status_code == 400
    assert captured.captured_queries == []
    assert knock(header).status_code == 200


def test_a_bad_assertion_counts(signing):
    def send():
        return signing.token(signing.assertion(aud="https://elsewhere.example")).status_code

    assert [send() for _ in range(3)] == [401, 429, 429]


def test_a_client_that_works_goes_on_beside_a_stranger_at_the_same_address(program, listening):
    honest = basic(program.client.client_id, program.secret)
    assert knock(honest).status_code == 200
    assert scan(MOST + 1).status_code == 429
    assert knock(honest).status_code == 200, "it has proven itself from there, and nothing is remembered"
    remember(program.client)
    wrong = basic(program.client.client_id, secrets.generate())
    assert [knock(wrong).status_code for _ in range(3)] == [401, 429, 429]
    assert knock(honest).status_code == 200, "the stranger uses its name, and it is remembered"


@pytest.fixture
def public_page(spa):
    spa.client.allowed_cors_origins = ["https://app.example.com"]
    spa.client.save()
    return "https://app.example.com"


def test_pages_are_not_looked_up_for_a_limited_address(public_page):
    scan(MOST)
    with CaptureQueriesContext(connection) as captured:
        answer = knock(basic("cl_nobody", "x"), Origin=public_page)
    assert answer.status_code == 429
    assert captured.captured_queries == []


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_forged_forwarding_header_gives_nobody_another_address(program, settings, proxies):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    fast_path.reset_for_tests()
    for number in range(MOST):
        # The proxy adds the address that it sees; what stands before it was sent by the caller.
        knock(basic(f"cl_{number}", "x"), **{"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.1"})
    answer = knock(basic("cl_new", "x"), **{"X-Forwarded-For": "203.0.113.99, 198.51.100.1"})
    assert answer.status_code == 429
    other = knock(basic("cl_new", "x"), **{"X-Forwarded-For": "203.0.113.99, 198.51.100.2"})
    assert other.status_code == (401 if proxies else 429)


def test_an_ipv4_caller_of_an_ipv6_socket_has_an_address_of_its_own():
    assert scan(MOST + 1, ip="::ffff:192.0.2.7").status_code == 429
    assert scan(1, ip="192.0.2.7").status_code == 429
    assert scan(1, ip="::ffff:192.0.2.8").status_code == 401


def test_with_the_limit_off_nobody_waits(settings):
    settings.FAILURES_PER_MINUTE = 0
    assert scan(MOST * 3).status_code == 401


# -- Other endpoints --------------------------------------------------------------------------------------------------


def send(method, path, token, ip="192.0.2.7"):
    headers = {"Authorization": f"Bearer {token}"}
    return Browser(REMOTE_ADDR=ip).generic(method, path, b"{}", "application/json", headers=headers)


GUESSED = [
    ("GET", "/oauth2/userinfo", ""),
    ("POST", "/oauth2/register", "cdi_"),
    ("GET", "/oauth2/register/cl_nobody", "cdr_"),
    ("POST", "/oauth2/register", "cdp_"),
]


@pytest.mark.parametrize(("method", "path", "prefix"), GUESSED)
def test_guessed_tokens_are_limited_alike(method, path, prefix):
    for number in range(MOST):
        assert send(method, path, f"{prefix}{number}").status_code == 401
    with CaptureQueriesContext(connection) as captured:
        answer = send(method, path, f"{prefix}new")
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 60
    assert [each["sql"] for each in captured if "SAVEPOINT" not in each["sql"]] == []
    assert send(method, path, f"{prefix}new", ip="192.0.2.8").status_code == 401


def test_a_page_that_goes_on_with_an_ended_token_spends_its_own_tries(flow):
    token = flow.tokens()["access_token"]
    assert [send("GET", "/oauth2/userinfo", "ended").status_code for _ in range(10)] == [401] + [429] * 9
    assert send("GET", "/oauth2/userinfo", token).status_code == 200


# -- The fast path ----------------------------------------------------------------------------------------------------


@pytest.fixture
def both():
    """The front before Django, as it is served."""
    with kept_connections():
        yield FastPath(WSGIHandler())


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/introspect"])
def test_the_fast_path_throttles_and_counts_each_request_once(program, both, path):
    body = GRANT if path.endswith("token") else {"token": "x"}
    statuses = [ask(both, body, path=path, authorization=basic(f"cl_{n}", "x"))[0] for n in range(MOST + 2)]
    assert statuses == [401] * MOST + [429, 429]
    status, headers, _ = ask(both, body, path=path, authorization=basic(program.client.client_id, program.secret))
    assert status == 429
    assert headers["Retry-After"]
    assert headers["X-Request-Id"]


def test_a_request_that_was_granted_before_goes_on(program, both, listening):
    honest = basic(program.client.client_id, program.secret)
    remember(program.client)
    assert ask(both, GRANT, authorization=honest)[0] == 200
    assert len(fast_path.grants) > 0
    for number in range(MOST * 2):
        ask(both, GRANT, authorization=basic(f"cl_{number}", "x"))
        ask(both, GRANT, authorization=basic(program.client.client_id, "x"))
    assert ask(both, GRANT, authorization=honest)[0] == 200
    assert ask(both, GRANT | {"scope": "shipments:read"}, authorization=honest)[0] == 200


# -- Who learns of it -------------------------------------------------------------------------------------------------


def test_the_record_of_problems_is_not_flooded(program):
    for _ in range(50):
        knock(basic(program.client.client_id, secrets.generate()))
    writer.flush()
    assert sum(Problem.objects.values_list("count", flat=True)) == 1


def test_the_metrics_count_it_and_the_log_does_not_fill(settings, caplog):
    settings.METRICS_TOKEN = "a-token-for-prometheus-alone"

    def counted():
        page = Browser().get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}).text
        lines = [line for line in page.splitlines() if line.startswith('clientdesk_limited_total{endpoint="token"}')]
        return float(lines[0].split()[-1]) if lines else 0.0

    before = counted()
    scan(MOST + 20)
    assert counted() == before + 20
    assert caplog.text.count("Too Many Requests") == 0
    assert caplog.text.count("192.0.2.7") == 1


def test_a_cached_public_client_is_let_in(acme, acme_access, listening):
    client = ClientFactory(consumer=acme, template="public", grant_types=["refresh_token"], scopes=["shipments:read"])
    form = f"grant_type=refresh_token&refresh_token=x&client_id={client.client_id}"

    def refresh():
        return Browser(REMOTE_ADDR="192.0.2.7").post("/oauth2/token", form, content_type=FORM).json()["error"]

    remember(client)
    assert refresh() == "invalid_grant"
    for _ in range(3):
        knock(basic(client.client_id, "x"))
    assert knock(basic(client.client_id, "x")).status_code == 429
    assert refresh() == "invalid_grant"


def test_an_ended_secret_counts_as_a_wrong_one(service):
    _, ended = give_secret(service, expires_at=timezone.now() - timedelta(days=1))
    assert [knock(basic(service.client_id, ended)).status_code for _ in range(2)] == [401, 429]
