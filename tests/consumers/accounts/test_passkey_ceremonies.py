"""Passkeys under attack: each lie of authenticator or page is refused, and signs nobody in (WebAuthn section 7)."""

import html
import json
import re

import pytest
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.cache import cache
from django.test import Client as Browser
from fido2.utils import websafe_encode

from consumers.models import User
from tests.consumers.accounts.soft_authenticator import ORIGIN, PRESENT, SoftAuthenticator
from tests.factories import PASSWORD, hold_second_factor, record_methods, sign_in_to

pytestmark = pytest.mark.django_db

ADD, LOGIN = "/account/2fa/webauthn/add/", "/account/2fa/webauthn/login/"
STEP, AGAIN = "/account/2fa/authenticate/", "/account/2fa/webauthn/reauthenticate/"


@pytest.fixture(autouse=True)
def production(settings):
    settings.PUBLIC_URL = ORIGIN
    settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = False


def options_on(browser, page):
    """Return the options of a ceremony, as the page's script reads them."""
    text = browser.get(page).text
    data = json.loads(html.unescape(re.search(r'<script id="js_data"[^>]*>(.*?)</script>', text, re.DOTALL)[1]))
    return data.get("creation_options") or data["request_options"]


def login_options(browser):
    return browser.get(LOGIN, headers={"Accept": "application/json"}).json()["request_options"]


def enrol(user, **lies):
    """Let the person add a passkey; return it with whether that worked."""
    key, browser = SoftAuthenticator(), Browser()
    sign_in_to(browser, user)
    record_methods(browser, user, "mfa" if user.holds_second_factor else "password")
    credential = key.create(options_on(browser, ADD), **lies)
    browser.post(ADD, {"name": "Key", "credential": credential, "passwordless": "on"})
    return key, Authenticator.objects.filter(user=user, type="webauthn").exists()


def signed_in(browser):
    return browser.session.get("_auth_user_id")


@pytest.fixture
def key(alice):
    key, worked = enrol(alice)
    assert worked
    return key


LIES = {
    "another origin": {"origin": "https://evil.example"},
    "an origin below ours": {"origin": f"{ORIGIN.replace('//', '//evil.')}"},
    "our host at another port": {"origin": f"{ORIGIN}:8443"},
    "our host without TLS": {"origin": ORIGIN.replace("https", "http")},
    "another relying party": {"rp_id": "evil.example"},
    "another challenge": {"challenge": websafe_encode(b"x" * 32)},
    "no presence and no verification": {"flags": 0},
    "no user verification": {"flags": PRESENT},
}


@pytest.mark.parametrize("lie", LIES)
def test_no_such_passkey_is_added(alice, lie):
    assert enrol(alice, **LIES[lie])[1] is False


def test_an_answer_to_another_ceremony_is_not_added(alice):
    assert enrol(alice, type="webauthn.get")[1] is False


def test_a_passkey_signs_in(alice, key):
    browser = Browser()
    answer = browser.post(LOGIN, {"credential": key.get(login_options(browser))})
    assert answer["Location"] == "/"
    assert signed_in(browser) == str(alice.pk)


@pytest.mark.parametrize("lie", LIES)
def test_no_lie_signs_in(key, lie):
    browser = Browser()
    answer = browser.post(LOGIN, {"credential": key.get(login_options(browser), **LIES[lie])})
    assert answer["Location"].startswith("/account/login/")
    assert signed_in(browser) is None


def test_another_key_signs_nobody_in(key):
    browser = Browser()
    forged = key.get(login_options(browser), key=ec.generate_private_key(ec.SECP256R1()))
    browser.post(LOGIN, {"credential": forged})
    assert signed_in(browser) is None


def test_the_key_of_one_person_signs_nobody_else_in(alice, bob, key):
    theirs, _ = enrol(bob)
    browser = Browser()
    browser.post(LOGIN, {"credential": key.get(login_options(browser), user_handle=theirs.user_handle)})
    assert signed_in(browser) is None


@pytest.mark.parametrize("handle", ["MDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAw", "", "_w", "bm9ib2R5"])
def test_a_passkey_of_nobody_signs_nobody_in_and_creates_nobody(key, handle):
    people, browser = User.objects.count(), Browser()
    answer = browser.post(LOGIN, {"credential": key.get(login_options(browser), user_handle=handle)})
    assert answer["Location"].startswith("/account/login/")
    assert signed_in(browser) is None
    assert User.objects.count() == people


def test_a_challenge_answers_once(key):
    browser = Browser()
    credential = key.get(login_options(browser))
    browser.post(LOGIN, {"credential": credential})
    assert signed_in(browser)
    browser.post("/account/logout/")
    browser.post(LOGIN, {"credential": credential})
    assert signed_in(browser) is None


def test_a_challenge_is_for_the_browser_that_asked(key):
    credential = key.get(login_options(Browser()))
    thief = Browser()
    login_options(thief)
    thief.post(LOGIN, {"credential": credential})
    assert signed_in(thief) is None


def test_a_new_challenge_ends_the_old_one(key):
    browser = Browser()
    credential = key.get(login_options(browser))
    login_options(browser)
    browser.post(LOGIN, {"credential": credential})
    assert signed_in(browser) is None


def test_a_person_who_was_deactivated_does_not_come_in(alice, key):
    alice.is_active = False
    alice.save()
    browser = Browser()
    browser.post(LOGIN, {"credential": key.get(login_options(browser))})
    assert signed_in(browser) is None


MALFORMED = [
    "",
    "[]",
    "1",
    '"x"',
    "null",
    "{}",
    '{"response": 1}',
    '{"id": "x", "rawId": "x", "response": {}}',
    "[" * 9000,
]
MALFORMED += [
    '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA","authenticatorData":"AA","signature":"A"}}',
    '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA"}}',
]


@pytest.mark.parametrize("page", [LOGIN, ADD, STEP, AGAIN])
def test_malformed_credentials_are_refused(alice, key, page):
    browser = Browser()
    if page in (ADD, AGAIN):
        sign_in_to(browser, alice)
        record_methods(browser, alice, "mfa")
    elif page == STEP:
        browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    for credential in MALFORMED:
        cache.clear()  # of how often it was tried
        login_options(browser) if page == LOGIN else browser.get(page)
        assert browser.post(page, {"credential": credential}).status_code in (200, 302), credential[:80]
    assert bool(signed_in(browser)) == (page in (ADD, AGAIN))
    assert Authenticator.objects.filter(type="webauthn").count() == 1


# -- As a second step, and to confirm who one is ----------------------------------------------------------------------


def test_a_passkey_is_a_second_step_after_the_password(alice, key):
    browser = Browser()
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    options = options_on(browser, STEP)
    for lie in ("another origin", "an origin below ours", "another challenge", "another relying party"):
        browser.post(STEP, {"credential": key.get(options, **LIES[lie])})
        assert signed_in(browser) is None
    browser.post(STEP, {"credential": key.get(options_on(browser, STEP))})
    assert signed_in(browser) == str(alice.pk)


def test_a_passkey_of_somebody_else_is_no_second_step(alice, bob, key):
    theirs, _ = enrol(bob)
    browser = Browser()
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    browser.post(STEP, {"credential": theirs.get(options_on(browser, STEP))})
    assert signed_in(browser) is None


def test_an_operator_confirms_with_a_passkey(olga, browser_of):
    """Who holds both is asked for the passkey first, and a session of before goes on after it."""
    key, _ = enrol(olga)
    browser = browser_of(olga)
    record_methods(browser, olga, "password")
    asked = browser.get("/operators/")["Location"]
    assert asked.startswith(AGAIN)
    options = options_on(browser, asked)
    browser.post(AGAIN, {"credential": key.get(options, origin="https://evil.example")})
    assert browser.get("/operators/").status_code == 302
    credential = key.get(options_on(browser, asked))
    assert browser.post(AGAIN, {"credential": credential, "next": "/operators/"})["Location"] == "/operators/"
    assert browser.get("/operators/").status_code == 200


def test_an_operator_who_signs_in_by_passkey_alone_opens_the_pages(olga):
    key, _ = enrol(olga)
    browser = Browser()
    browser.post(LOGIN, {"credential": key.get(login_options(browser))})
    assert browser.get("/operators/").status_code == 200


# -- A sign-in that is abandoned for another --------------------------------------------------------------------------


def left_of(browser, person) -> bool:
    """Say whether the session still knows the person."""
    said = json.dumps(dict(browser.session.items()))
    return str(person.pk) in said or person.email in said


@pytest.mark.parametrize("begun", ["password", "code"])
@pytest.mark.parametrize("ended", ["password", "passkey"])
def test_nothing_is_left_of_an_abandoned_sign_in(alice, bob, key, begun, ended):
    """Alice begins and stops before her second factor; Bob then signs in, in the same browser."""
    hold_second_factor(alice)
    theirs, _ = enrol(bob)
    browser = Browser()
    if begun == "password":
        browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    else:
        browser.post("/account/login/code/", {"email": alice.email})
    assert left_of(browser, alice)
    browser.post("/account/logout/")  # “Start again”
    if ended == "passkey":
        browser.post(LOGIN, {"credential": theirs.get(login_options(browser))})
    else:
        Authenticator.objects.filter(user=bob).delete()
        browser.post("/account/login/", {"login": bob.email, "password": PASSWORD})
    assert signed_in(browser) == str(bob.pk)
    assert not left_of(browser, alice)
    methods = [record["method"] for record in browser.session["account_authentication_methods"]]
    assert methods == (["mfa"] if ended == "passkey" else ["password"])


def test_the_factor_of_the_first_does_not_open_the_account_of_the_second(alice, bob, key):
    """Alice's second step is asked for; Bob's passkey, or a code of his, is none for her."""
    theirs, browser = enrol(bob)[0], Browser()
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    options = options_on(browser, STEP)
    for page in (STEP, LOGIN):
        browser.post(page, {"credential": theirs.get(options)})
        assert signed_in(browser) is None


@pytest.mark.parametrize("page", ["/account/reauthenticate/code/", "/account/2fa/totp/activate/"])
def test_a_reauthentication_of_the_first_is_none_for_the_second(alice, bob, page):
    browser = Browser()
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    browser.post("/account/reauthenticate/code/", {"action": "send"})
    browser.get(page)
    browser.post("/account/logout/")
    browser.post("/account/login/", {"login": bob.email, "password": PASSWORD})
    assert not left_of(browser, alice)
    assert "reauthentication_code" not in browser.session
