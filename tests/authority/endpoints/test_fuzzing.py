"""Whatever is sent to the endpoints that the world calls, none of them fails: generated requests, good parts and bad.

Every value that the generator knows is one that some endpoint takes, so that a request gets far before it goes wrong.
"""

from urllib.parse import quote_plus

import pytest
from django.core.cache import cache
from django.test import Client as Browser
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from authority.client_authentication import dpop
from clients.vocabulary import GrantType
from tests.authority.conftest import FORM, basic
from tests.authority.endpoints.test_rfc8628_device_grant import Device
from tests.authority.flows import BACK
from tests.authority.proofs import Prover
from tests.generated import examples

pytestmark = pytest.mark.django_db
FORMS = ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke", "/oauth2/par", "/oauth2/device_authorization"]
PAGES = ["/oauth2/authorize", "/oauth2/authorize/decision", "/oauth2/authorize/switch", "/oauth2/logout", "/device"]
NAMES = [
    *("grant_type", "scope", "resource", "client_id", "client_secret", "client_assertion", "client_assertion_type"),
    *("code", "redirect_uri", "code_verifier", "refresh_token", "device_code", "token", "token_type_hint"),
    *("response_type", "response_mode", "state", "nonce", "prompt", "max_age", "acr_values", "login_hint"),
    *("id_token_hint", "code_challenge", "code_challenge_method", "request", "request_uri", "dpop_jkt", "ticket"),
    *("post_logout_redirect_uri", "signed_request", "decision", "user_code", "claims", "ui_locales", "registration"),
]
ODD = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "\0", "a\0b", "'", "\\", "\u202e", "x" * 5000, "-1", "1e999", "99999999999999999999", "[]", "{}"]
    ),
)


@pytest.fixture
def known(web, flow, acme, spa, browser_of, alice):
    """Return values that mean something to us, by the parameters that they belong to."""
    web.client.grant_types = GrantType.values
    web.client.save()
    tokens = flow.tokens()
    device = Device(web)
    asked = device.begin(scope="openid")
    proof = Prover()
    proof.nonce = dpop.nonce()
    pushed = web.post("/oauth2/par", flow.request).json()
    return {
        "grant_type": [*GrantType.values, "password"],
        "scope": ["openid shipments:read", "shipments:read", "offline_access"],
        "resource": ["https://api.example.com/shipments"],
        "client_id": [web.client.client_id, spa.client.client_id],
        "client_secret": [web.secret],
        "code": [flow.code()],
        "redirect_uri": [BACK],
        "code_verifier": [flow.verifier],
        "refresh_token": [tokens["refresh_token"]],
        "token": [tokens["access_token"], tokens["refresh_token"], tokens["id_token"]],
        "device_code": [asked["device_code"]],
        "user_code": [asked["user_code"]],
        "response_type": ["code", "token"],
        "response_mode": ["query", "fragment", "form_post", "jwt"],
        "prompt": ["none", "login", "consent", "select_account", "none login"],
        "code_challenge": [flow.request["code_challenge"]],
        "code_challenge_method": ["S256", "plain"],
        "request_uri": [pushed["request_uri"], "https://evil.example/r"],
        "id_token_hint": [tokens["id_token"], tokens["access_token"]],
        "dpop_jkt": ["x" * 43],
        "decision": ["allow", "deny"],
        "authorization": [
            basic(web.client.client_id, web.secret),
            f"Bearer {tokens['access_token']}",
            "DPoP x",
            "Basic !",
        ],
        "proof": [proof.proof(), "a.b.c"],
    }


BASES = [
    ("grant_type", "scope", "resource"),
    ("grant_type", "code", "redirect_uri", "code_verifier"),
    ("grant_type", "refresh_token"),
    ("grant_type", "device_code"),
    ("token",),
    ("client_id", "response_type", "redirect_uri", "scope", "code_challenge", "code_challenge_method"),
    ("client_id", "request_uri"),
    ("id_token_hint", "client_id", "state"),
    ("user_code", "decision"),
]


def requests(known):
    """Return requests that are nearly right: parameters that belong together, some of them spoilt, some on top."""

    def pair(name):
        good = known.get(name)
        return st.tuples(st.just(name), st.one_of(*[st.sampled_from(good)] * 3, ODD) if good else ODD)

    base = st.sampled_from(BASES).flatmap(lambda names: st.tuples(*(pair(name) for name in names)))
    more = st.lists(st.sampled_from(NAMES).flatmap(pair), max_size=3)
    pairs = st.tuples(base, more).map(lambda parts: [*parts[0], *parts[1]])
    header = st.one_of(
        *[st.just(known["authorization"][0])] * 3, st.none(), st.sampled_from(known["authorization"]), ODD
    )
    return st.tuples(pairs, header, st.one_of(st.none(), st.none(), st.sampled_from(known["proof"]), ODD))


def encoded(pairs):
    return "&".join(f"{quote_plus(name)}={quote_plus(value, errors='surrogatepass')}" for name, value in pairs)


@pytest.mark.parametrize("path", FORMS)
def test_programs_always_get_an_answer_in_json_that_no_cache_keeps(path, known):
    http = Browser(raise_request_exception=False)

    @hypothesis_settings(max_examples=examples(60))
    @given(requests(known))
    def ask(request):
        cache.clear()  # of what rate limits count
        pairs, authorization, proof = request
        headers = {"Authorization": authorization, "DPoP": proof}
        headers = {name: value for name, value in headers.items() if value is not None}
        answer = http.post(path, encoded(pairs), content_type=FORM, headers=headers)
        assert answer.status_code < 500, answer.content
        assert answer["Cache-Control"] == "no-store"
        assert answer["Content-Type"] == "application/json"
        if answer.status_code >= 400:
            assert answer.json()["error"].isidentifier()
            assert answer.json()["error_description"].isascii()

    ask()


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("path", PAGES)
def test_people_always_get_a_page_or_are_sent_where_the_client_registered(path, known, alice, signed_in):
    browser = Browser(raise_request_exception=False)

    @hypothesis_settings(max_examples=examples(30))
    @given(requests(known), st.booleans())
    def ask(request, by_post):
        cache.clear()
        if signed_in:
            browser.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
        else:
            browser.logout()
        query = encoded(request[0])
        if by_post:
            answer = browser.post(f"{path}?{query}", query, content_type=FORM)
        else:
            answer = browser.get(f"{path}?{query}")
        assert answer.status_code < 500, answer.content
        if place := answer.headers.get("Location"):
            assert place.startswith(("/", BACK)), place
            assert not place.startswith(("//", "/\\"))

    ask()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_userinfo_always_answers(known, method):
    http = Browser(raise_request_exception=False)

    @hypothesis_settings(max_examples=examples(40))
    @given(
        st.one_of(st.sampled_from(known["authorization"]), st.text(max_size=50)),
        st.none() | st.sampled_from(known["proof"]),
    )
    def ask(authorization, proof):
        headers = {"Authorization": authorization} | ({"DPoP": proof} if proof else {})
        assert http.generic(method, "/oauth2/userinfo", headers=headers).status_code in (200, 401, 403)

    ask()
