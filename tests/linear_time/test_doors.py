"""No request takes more than time in proportion to its length."""

from collections.abc import Callable
from functools import partial
from urllib.parse import quote, urlencode

import pytest
from django.test import Client

from tests.authority.conftest import FORM, management_token
from tests.linear_time.timing import BUDGET, SIZE, UNITS, long, seconds

pytestmark = pytest.mark.django_db

HEADERS = [
    *(
        "Authorization",
        "Accept-Language",
        "Accept",
        "User-Agent",
        "Cookie",
        "X-Forwarded-For",
        "DPoP",
        "Origin",
        "Referer",
    ),
    *("If-Match", "If-None-Match", "HX-Target", "HX-Current-URL", "X-Request-Id", "Forwarded", "Host"),
]
SOME_UNITS = [  # the parsers are tried with all
    *(
        "a",
        "é",
        "\u0301\u0316",
        " ",
        "/",
        ",",
        ";",
        "=",
        "ey-",
        "ey+",
        "a=b; ",
        "en;q=0.1,",
        'W/"a",',
        '"',
        "%2F",
        "a.",
    ),
    *("::1,", "{", "a&", "Basic ", "error:", "x y "),
]
FORMS = {
    "/oauth2/token": ("client_id", "client_secret", "scope", "code", "refresh_token", "client_assertion", "resource"),
    "/oauth2/introspect": ("token",),
    "/account/login/": ("login", "password", "next"),
    "/consumers/acme/inspect/": ("pasted", "api"),
    "/consumers/acme/people/invite/": ("emails",),
    "/account/apps/device/": ("user_code",),
}
QUERIES = {
    "/admin/clients": ("page_token", "client_name", "owner", "consumer"),
    "/admin/activity": ("since", "actor_id", "name"),
    "/consumers/acme/activity/": ("before",),
    "/oauth2/authorize": ("client_id", "redirect_uri", "scope", "state", "prompt", "id_token_hint", "request_uri"),
    "/account/login/": ("next",),
}


@pytest.fixture
def slow(client, alice):
    """Return the units of which 64 kB take much longer than a word at a door."""
    client.raise_request_exception = False
    client.force_login(alice)

    def find(ask: Callable[[str], object], units: list[str] = SOME_UNITS) -> list[str]:
        def once(given: str) -> None:
            assert ask(given).status_code < 500, given[:100]

        once("x")  # which fills caches
        usual = seconds(once, "x", budget=0)
        return [
            unit for unit in units if seconds(once, long(("", unit, ""), SIZE), budget=usual + BUDGET) > usual + BUDGET
        ]

    return find


@pytest.mark.parametrize("path", ["/account/login/", "/oauth2/token", "/admin/clients", "/consumers/acme/"])
@pytest.mark.parametrize("header", HEADERS)
def test_a_header_takes_time_in_proportion(client, slow, path, header):
    assert slow(lambda given: client.get(path, headers={header: given.encode().decode("latin-1")}), SOME_UNITS) == []


@pytest.mark.parametrize("path", ["/", "/operators/", "/operators/r/", "/consumers/", "/admin/clients/", "/oauth2/"])
def test_a_path_takes_time_in_proportion(client, slow, path):
    assert slow(lambda given: client.get(path + quote(given, safe="/")[:SIZE]), UNITS) == []


def post_form(client: Client, path: str, body: str, given: str) -> object:
    return client.post(path, body + quote(given)[:SIZE], content_type=FORM)


def get_query(client: Client, query: str, headers: dict[str, str], given: str) -> object:
    return client.get(query + quote(given, safe="")[:SIZE], headers=headers)


@pytest.mark.parametrize("path", FORMS)
def test_a_form_takes_time_in_proportion(client, slow, path):
    for name in FORMS[path]:
        rest = {} if name == "client_id" else {"client_id": "x"}
        body = urlencode(rest | {"grant_type": "client_credentials", name: ""})
        assert slow(partial(post_form, client, path, body)) == [], name


@pytest.mark.parametrize("path", QUERIES)
def test_a_query_takes_time_in_proportion(client, slow, path, alice):
    headers = {"Authorization": f"Bearer {management_token(alice, scopes=['clients:read', 'activity:read'])}"}
    for name in QUERIES[path]:
        query = f"{path}?{name}="
        assert slow(partial(get_query, client, query, headers)) == [], name


def test_a_document_takes_time_in_proportion(client, slow, alice):
    headers = {"Authorization": f"Bearer {management_token(alice)}"}
    for name in (
        "client_name",
        "scope",
        "redirect_uris",
        "jwks",
        "contacts",
        "software_statement",
        "access_token_lifespan",
    ):

        def ask(given: str, name: str = name) -> object:
            value = [given] if name in ("redirect_uris", "contacts") else given
            return client.post("/oauth2/register", {name: value}, "application/json", headers=headers)

        assert slow(ask) == [], name
