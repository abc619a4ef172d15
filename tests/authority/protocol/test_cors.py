"""Fetch section 3.2: which pages of other origins may call the endpoints and read what they answer."""

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authority.protocol import redirect_uris
from clients.models import Client
from tests.authority.conftest import Program
from tests.authority.flows import Flow
from tests.factories import ClientFactory, give_secret

pytestmark = pytest.mark.django_db
PAGE = "https://app.example.com"
OTHERS_PAGE = "https://globex.example.com"
DOCUMENTS = ["/.well-known/openid-configuration", "/.well-known/jwks.json"]
ENDPOINTS = {"/oauth2/token": "POST", "/oauth2/revoke": "POST", "/oauth2/userinfo": "GET, POST"}
ENDPOINTS |= dict.fromkeys(DOCUMENTS, "GET, HEAD")
FOREIGN = [
    OTHERS_PAGE,  # registered, but by another client
    "null",
    "",
    "*",
    "https://evil.example",
    "http://app.example.com",
    "https://app.example.com/",
    "https://app.example.com:443",
    "https://app.example.com:8443",
    "https://app.example.com.evil.example",
    "https://evil-app.example.com",
    "https://app.example.co",
    "https://APP.example.com",
    "https://app.example.com https://evil.example",
    f"{PAGE}, {PAGE}",
    "https://app.example.com\x00",
    "https://äpp.example.com",
    "https://" + "a" * 5000,
]


@pytest.fixture(autouse=True)
def spa_page(spa):
    spa.client.allowed_cors_origins = [PAGE]
    spa.client.save()


@pytest.fixture
def globex_page(globex):
    return ClientFactory(consumer=globex, template="public", allowed_cors_origins=[OTHERS_PAGE])


@pytest.fixture
def spa_flow(spa, browser_of, alice):
    return Flow(spa, browser_of(alice), scope="openid email shipments:read")


def preflight(path, origin, method="POST"):
    headers = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization"}
    return Browser().options(path, headers=headers | ({"Origin": origin} if origin is not None else {}))


def refresh(spa, origin, **parameters):
    form = {"grant_type": "refresh_token", "refresh_token": "none", "client_id": spa.client.client_id}
    return spa.post("/oauth2/token", form | parameters, Origin=origin)


def granted(answer):
    return {name.lower() for name in answer.headers if name.lower().startswith("access-control-")}


def assert_readable(answer, origin=PAGE):
    assert answer["Access-Control-Allow-Origin"] == origin
    assert "Origin" in answer["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer


def assert_closed(answer):
    assert granted(answer) == set()
    assert "Origin" in answer["Vary"]


# -- Preflight --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ENDPOINTS)
def test_preflight_of_a_registered_page_names_what_the_endpoint_takes(path):
    answer = preflight(path, PAGE)
    assert answer.status_code == 204
    assert_readable(answer)
    assert answer["Access-Control-Allow-Methods"] == ENDPOINTS[path]
    assert answer["Access-Control-Allow-Headers"] == "Authorization, Content-Type, DPoP"
    assert int(answer["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("origin", [*FOREIGN, None])
def test_preflight_of_another_page_gets_no_permission(path, origin):
    answer = preflight(path, origin)
    assert answer.status_code == 204
    assert_closed(answer)


def test_preflight_asks_the_database_once():
    with CaptureQueriesContext(connection) as captured:
        preflight("/oauth2/token", PAGE)
    assert len(captured) == 1


def test_preflight_is_answered_by_an_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT 1 FROM clients_client WHERE allowed_cors_origins @> %s::varchar[]", [[PAGE]])
        assert "client_origins" in " ".join(row[0] for row in cursor.fetchall())


def test_page_of_a_disabled_client_gets_nothing(spa):
    spa.client.disabled_at = timezone.now()
    spa.client.save()
    assert_closed(preflight("/oauth2/token", PAGE))
    answer = refresh(spa, PAGE)
    assert answer.json()["error"] == "invalid_client"
    assert_closed(answer)


def test_page_of_a_suspended_consumer_gets_nothing(spa, acme):
    acme.suspended_at = timezone.now()
    acme.save()
    assert_closed(preflight("/oauth2/token", PAGE))
    assert_closed(refresh(spa, PAGE))


# -- The answers ------------------------------------------------------------------------------------------------------


def test_page_signs_in_and_out(spa, spa_flow):
    form = {"grant_type": "authorization_code", "code": spa_flow.code(), "client_id": spa.client.client_id}
    form |= {"redirect_uri": spa_flow.request["redirect_uri"], "code_verifier": spa_flow.verifier}
    answer = spa.post("/oauth2/token", form, Origin=PAGE)
    assert answer.status_code == 200, answer.content
    assert_readable(answer)
    token = answer.json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    told = spa.http.get("/oauth2/userinfo", headers=headers | {"Origin": PAGE})
    assert told.status_code == 200
    assert_readable(told)
    ended = spa.post("/oauth2/revoke", {"token": token, "client_id": spa.client.client_id}, Origin=PAGE)
    assert ended.status_code == 200
    assert_readable(ended)
    after = spa.http.get("/oauth2/userinfo", headers=headers | {"Origin": PAGE})
    assert after.status_code == 401
    assert_readable(after)
    assert "WWW-Authenticate" in after["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_page_reads_discovery_and_keys(spa, path):
    answer = spa.http.get(path, headers={"Origin": PAGE})
    assert answer.status_code == 200
    assert_readable(answer)
    known = spa.http.get(path, headers={"Origin": PAGE, "If-None-Match": answer["ETag"]})
    assert known.status_code == 304
    assert_readable(known)
    for origin in FOREIGN:
        assert_closed(spa.http.get(path, headers={"Origin": origin}))


def test_any_page_reads_where_to_register(spa):
    """An app that has no client yet, such as an MCP client in a browser, has no registered origin either."""
    answer = spa.http.get("/.well-known/oauth-authorization-server", headers={"Origin": "https://inspector.example"})
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_page_of_any_origin_may_name_its_protocol_version_when_it_reads_the_metadata(spa):
    asked = {
        "Origin": "https://inspector.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "mcp-protocol-version",
    }
    answer = spa.http.options("/.well-known/oauth-authorization-server", headers=asked)
    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Access-Control-Allow-Headers"] == "MCP-Protocol-Version"
    assert spa.http.options("/.well-known/oauth-authorization-server").status_code == 405


@pytest.mark.parametrize("origin", FOREIGN)
def test_other_pages_read_no_answer(spa, spa_flow, globex_page, origin):
    tokens = spa_flow.tokens()
    headers = {"Authorization": f"Bearer {tokens['access_token']}", "Origin": origin}
    told = spa.http.get("/oauth2/userinfo", headers=headers)
    assert told.status_code == 200
    assert_closed(told)
    assert_closed(refresh(spa, origin))
    answer = refresh(spa, origin, refresh_token=tokens["refresh_token"])
    assert answer.status_code == 200
    assert_closed(answer)
    assert_closed(spa.post("/oauth2/revoke", {"token": "x", "client_id": spa.client.client_id}, Origin=origin))


def test_request_without_an_origin_is_told_that_the_answer_varies(spa):
    assert_closed(spa.post("/oauth2/token", {}))


@pytest.mark.parametrize("parameters", [{}, {"grant_type": "password"}, {"refresh_token": ""}, {"scope": "a\0b"}])
def test_page_reads_why_it_was_refused(spa, parameters):
    answer = refresh(spa, PAGE, **parameters)
    assert answer.status_code == 400
    assert_readable(answer)
    assert "Retry-After" in answer["Access-Control-Expose-Headers"]


def test_page_reads_that_a_token_has_ended(spa):
    answer = spa.http.get("/oauth2/userinfo", headers={"Authorization": "Bearer ended", "Origin": PAGE})
    assert answer.status_code == 401
    assert_readable(answer)


def test_refused_credentials_tell_a_page_nothing_of_the_client(web):
    """Answers about a client that exists and about one that does not must not differ in their headers either."""
    for origin in (PAGE, "https://evil.example"):
        form = {"grant_type": "client_credentials"}
        wrong = Program(web.client, "wrong").post("/oauth2/token", form, Origin=origin)
        unknown = Program(Client(), "wrong").post("/oauth2/token", form, Origin=origin)
        assert wrong.status_code == unknown.status_code == 401
        assert {name: wrong[name] for name in granted(wrong)} == {name: unknown[name] for name in granted(unknown)}


def test_token_request_with_an_origin_takes_one_statement(service):
    service.allowed_cors_origins = [PAGE]
    service.save()
    program = Program(service, give_secret(service)[1])
    program.token()
    form = {"grant_type": "client_credentials"}
    for origin in (PAGE, OTHERS_PAGE):
        with CaptureQueriesContext(connection) as captured:
            answer = program.post("/oauth2/token", form, Origin=origin)
        assert answer.status_code == 200
        assert (answer.get("Access-Control-Allow-Origin") == origin) == (origin == PAGE)
        assert len(captured) == 1


def test_one_request_leaves_nothing_for_the_next(spa, globex_page):
    assert_readable(refresh(spa, PAGE))
    assert_readable(preflight("/oauth2/token", OTHERS_PAGE), OTHERS_PAGE)
    assert_closed(refresh(spa, OTHERS_PAGE))


@pytest.mark.compliance("RFC 6454", "5")
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_on_a_loopback_address_the_port_of_a_page_counts_and_that_of_a_redirect_does_not(spa, host):
    spa.client.allowed_cors_origins = [f"http://{host}:8401"]
    spa.client.redirect_uris = ["http://127.0.0.1:8401/cb"]
    spa.client.save()
    assert_readable(refresh(spa, f"http://{host}:8401"), f"http://{host}:8401")
    for other in (f"http://{host}:8402", f"http://{host}", f"https://{host}:8401"):
        assert_closed(preflight("/oauth2/token", other))
        assert_closed(refresh(spa, other))
    assert redirect_uris.is_registered("http://127.0.0.1:8402/cb", spa.client.redirect_uris)


# -- Everything else --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/account/login/", "/consumers/acme/clients/", "/oauth2/introspect"])
def test_pages_and_introspection_stay_closed(alice, browser_of, path):
    browser = browser_of(alice)
    for answer in (browser.get(path, headers={"Origin": PAGE}), browser.options(path, headers={"Origin": PAGE})):
        assert granted(answer) == set()


def test_authorization_endpoint_stays_closed(spa_flow):
    """A page is sent there, and never calls it (OAuth 2.0 for Browser-Based Applications)."""
    assert granted(spa_flow.browser.get(spa_flow.address, headers={"Origin": PAGE})) == set()
