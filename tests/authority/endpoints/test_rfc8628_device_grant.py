"""RFC 8628: a device shows a code, a person types it elsewhere, and the device gets tokens."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from authority import tasks
from authority.authorization import consents, device_requests
from authority.models import Consent, DeviceRequest, TokenFamily
from clients.actions import cli_client
from clients.vocabulary import GrantType
from tests.authority.authorization.test_oidc_core_prompt import sign_in
from tests.authority.conftest import Program
from tests.authority.endpoints.test_oidc import id_token_claims
from tests.factories import ClientFactory, actor_for, give_secret

pytestmark = pytest.mark.django_db
SCOPE = "openid shipments:read shipments:write"


class Device:
    """A program without a browser, and the person who lets it in."""

    def __init__(self, program, browser=None):
        self.program, self.browser = program, browser
        self.named = {} if program.secret else {"client_id": program.client.client_id}

    def ask(self, **parameters):
        return self.program.post("/oauth2/device_authorization", {"scope": SCOPE} | self.named | parameters)

    def begin(self, **parameters):
        answer = self.ask(**parameters)
        assert answer.status_code == 200, answer.content
        self.asked = answer.json()
        return self.asked

    def poll(self, **parameters):
        form = {"grant_type": GrantType.DEVICE_CODE.value, "device_code": self.asked["device_code"]}
        return self.program.post("/oauth2/token", form | self.named | parameters)

    def error(self, **parameters):
        answer = self.poll(**parameters)
        assert answer.status_code == 400, answer.content
        return answer.json()["error"]

    def decide(self, decision="allow", scope=("shipments:read", "shipments:write"), code=None):
        form = {"user_code": code or self.asked["user_code"], "decision": decision, "scope": list(scope)}
        return self.browser.post("/device", form)


@pytest.fixture
def terminal(acme, acme_access):
    return ClientFactory(consumer=acme, client_name="Yard", template="device", scopes=SCOPE.split())


@pytest.fixture
def device(terminal, browser_of, alice):
    return Device(Program(terminal), browser_of(alice))


@pytest.mark.compliance("RFC 8628", "3.2")
def test_device_gets_two_codes_an_address_an_end_and_an_interval(device, settings):
    asked = device.begin()
    assert asked["verification_uri"] == settings.PUBLIC_URL + "/device"
    assert asked["verification_uri_complete"] == f"{asked['verification_uri']}?user_code={asked['user_code']}"
    assert (asked["expires_in"], asked["interval"]) == (600, 5)
    assert len(asked["device_code"]) > 43


@pytest.mark.compliance("RFC 8628", "6.1")
def test_user_code_has_letters_that_are_not_taken_for_each_other(device):
    code = device.begin()["user_code"]
    assert len(code) == 9
    assert code[4] == "-"
    assert set(code) - {"-"} <= set(device_requests.USER_CODE_ALPHABET)


@pytest.mark.compliance("RFC 8628", "3.4")
def test_person_allows_and_the_device_gets_tokens_of_theirs(device, alice):
    device.begin()
    assert "Yard" in device.browser.post("/device", {"user_code": device.asked["user_code"]}).content.decode()
    assert device.error() == "authorization_pending"
    assert "connected" in device.decide().content.decode()
    answer = device.poll()
    assert answer["Cache-Control"] == "no-store"
    tokens = answer.json()
    assert tokens["scope"] == SCOPE
    assert tokens["id_token"]
    assert device.program.post(
        "/oauth2/token",
        {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **device.named},
    ).json()["access_token"]
    who = device.program.http.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert who.json()["sub"] == str(alice.pk)


# -- Phishing: somebody else starts the request, and sends the person its code (section 5.4) --------------------------

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"


def ask_from(device, ip, user_agent):
    form = {"scope": SCOPE} | device.named
    answer = Browser(REMOTE_ADDR=ip, headers={"User-Agent": user_agent}).post(
        "/oauth2/device_authorization", urlencode(form), content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200, answer.text
    device.asked = answer.json()


def confirm_page(device):
    return " ".join(device.browser.post("/device", {"user_code": device.asked["user_code"]}).text.split())


@pytest.mark.compliance("RFC 8628", "5.4")
def test_the_page_says_where_the_request_comes_from_and_warns(device):
    ask_from(device, "203.0.113.7", "clientdesk/0.1.0 python-httpx/0.28")
    page = confirm_page(device)
    assert "<code>203.0.113.7</code>" in page
    assert "clientdesk/0.1.0" in page
    assert "Just now" in page
    assert "comes from another network than you" in page
    assert "If somebody sent you this code or a link with it, choose Deny" in page


def test_a_request_of_the_same_network_is_said_to_be_so(device):
    ask_from(device, "127.0.0.1", FIREFOX)
    page = confirm_page(device)
    assert "the same network as yours" in page
    assert "Firefox on Linux" in page
    assert "another network" not in page
    assert "choose Deny" in page


@pytest.mark.parametrize("user_agent", ["", "\u202eevil", "<script>x</script>", "x" * 5000])
def test_whatever_a_device_calls_itself_is_harmless(device, user_agent):
    ask_from(device, "203.0.113.7", user_agent)
    page = confirm_page(device)
    assert "<script>x" not in page
    assert "\u202e" not in page
    assert "x" * 201 not in page


@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_who_allows_a_device_gets_a_mail_with_the_way_to_end_it(device, alice, settings, decision):
    ask_from(device, "203.0.113.7", "clientdesk/0.1.0")
    device.decide(decision)
    if decision == "deny":
        assert mail.outbox == []
        return
    (message,) = mail.outbox
    assert (message.to, message.subject) == ([alice.email], "A device was signed in to your Clientdesk account")
    for text in ("Yard", "203.0.113.7", "clientdesk/0.1.0", "Read shipments", f"{settings.PUBLIC_URL}/account/apps/"):
        assert text in message.body


def test_a_device_that_names_no_scope_may_read_alone_of_the_management_api(browser_of, alice):
    cli_client.ensure_cli_client()
    form = urlencode({"client_id": "clientdesk-cli"})
    content_type = "application/x-www-form-urlencoded"
    assert Browser().post("/oauth2/device_authorization", form, content_type=content_type).status_code == 200
    request = DeviceRequest.objects.get()
    assert request.scopes
    assert all(scope.endswith(":read") for scope in request.scopes)


def test_a_device_that_names_no_scope_gets_those_of_other_apis(device):
    device.begin(scope="")
    assert DeviceRequest.objects.get().scopes == ["shipments:read", "shipments:write"]


def test_confidential_device_proves_itself(acme, acme_access, browser_of, alice):
    client = ClientFactory(
        consumer=acme, template="device", token_endpoint_auth_method="client_secret_basic", scopes=["shipments:read"]
    )
    device = Device(Program(client, give_secret(client)[1]), browser_of(alice))
    device.begin(scope="shipments:read")
    device.decide()
    tokens = device.poll().json()
    assert tokens["scope"] == "shipments:read"
    assert "id_token" not in tokens
    assert device.program.introspect(tokens["access_token"])["sub"] == str(alice.pk)
    impostor = Program(client, "wrong")
    assert impostor.post("/oauth2/device_authorization", {"scope": "shipments:read"}).status_code == 401


@pytest.mark.compliance("OpenID Connect Core", "2")
def test_id_token_of_a_device_says_how_and_when_the_person_signed_in(terminal, alice):
    browser = Browser()
    sign_in(browser, alice)
    device = Device(Program(terminal), browser)
    device.begin()
    device.decide()
    tokens = device.poll().json()
    _, claims = id_token_claims(device.program.http, tokens["id_token"])
    assert claims["sub"] == str(alice.pk)
    assert 0 <= claims["iat"] - claims["auth_time"] < 60
    assert (claims["acr"], claims["amr"]) == ("urn:clientdesk:one-factor", ["pwd"])
    assert "sid" not in claims  # the session of the browser is not the device's
    browser.post("/account/logout/")
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]} | device.named
    refreshed = device.program.post("/oauth2/token", form).json()
    assert id_token_claims(device.program.http, refreshed["id_token"])[1]["auth_time"] == claims["auth_time"]


def test_person_who_takes_it_back_before_the_device_asks_lets_nobody_in(device, alice):
    device.begin()
    device.decide()
    consents.revoke(consent=Consent.objects.get(user=alice), actor=actor_for(alice))
    assert device.error() == "invalid_grant"
    assert not TokenFamily.objects.exists()


def test_person_may_allow_less(device):
    device.begin()
    device.decide(scope=["shipments:read"])
    assert device.poll().json()["scope"] == "openid shipments:read"


@pytest.mark.compliance("RFC 8628", "3.5")
def test_person_who_denies_ends_it(device):
    device.begin()
    assert "was denied" in device.decide("deny").content.decode()
    assert device.error() == "access_denied"
    assert device.decide().status_code == 422  # no second thoughts under the same code
    assert not TokenFamily.objects.exists()


@pytest.mark.compliance("RFC 8628", "3.5")
def test_polling_too_fast_slows_down_by_five_seconds_each_time(device, time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    device.begin()
    assert device.error() == "authorization_pending"
    assert device.error() == "slow_down"
    time_machine.move_to(now + timedelta(seconds=9), tick=False)
    assert device.error() == "slow_down"
    time_machine.move_to(now + timedelta(seconds=9 + 15), tick=False)
    assert device.error() == "authorization_pending"


@pytest.mark.compliance("RFC 8628", "3.5")
def test_code_ends_after_ten_minutes(device, time_machine):
    device.begin()
    time_machine.move_to(timezone.now() + timedelta(minutes=10, seconds=1))
    assert device.error() == "expired_token"
    assert device.decide().status_code == 422
    time_machine.move_to(timezone.now() + timedelta(hours=2))
    tasks.delete_expired()
    assert not DeviceRequest.objects.exists()
    assert device.error() == "invalid_grant"


def test_code_pays_once_and_its_replay_ends_what_it_gave(device):
    device.begin()
    device.decide()
    token = device.poll().json()["access_token"]
    assert device.error() == "invalid_grant"
    answer = device.program.http.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_another_client_cannot_redeem_or_burn_the_code(device, acme, terminal):
    device.begin()
    device.decide()
    other = ClientFactory(consumer=acme, template="device", scopes=SCOPE.split())
    thief = Device(Program(other))
    thief.asked = device.asked
    assert thief.error() == "invalid_grant"
    assert device.poll().status_code == 200


def test_person_who_answers_is_bound_to_what_they_answered(device, browser_of, alice, bob):
    device.begin()
    device.decide()
    device.browser = browser_of(bob)
    assert device.decide().status_code == 422
    device.poll()
    assert TokenFamily.objects.get().user == alice


@pytest.mark.parametrize("what", ["person", "client", "consumer", "tokens"])
def test_nobody_gets_in_who_was_turned_off_meanwhile(device, alice, terminal, what):
    device.begin()
    device.decide()
    if what == "person":
        alice.is_active = False
        alice.save()
    elif what == "client":
        terminal.disabled_at = timezone.now()
    elif what == "tokens":
        terminal.tokens_valid_after = timezone.now()
    else:
        terminal.consumer.suspended_at = timezone.now()
        terminal.consumer.save()
    terminal.save()
    assert device.poll().json()["error"] in ("invalid_grant", "invalid_client")


@pytest.mark.compliance("RFC 8628", "3.1")
def test_client_without_the_grant_is_refused_and_so_is_a_foreign_scope(web, spa, device):
    answer = web.post("/oauth2/device_authorization", {"scope": "openid"})
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert device.ask(scope="openid invoices:read").json()["error"] == "invalid_scope"
    assert device.ask(scope="x" * 5000).json()["error"] == "invalid_scope"
    assert device.program.http.get("/oauth2/device_authorization").status_code == 405
    form = {"grant_type": GrantType.DEVICE_CODE.value, "device_code": "x"}
    assert web.post("/oauth2/token", form).json()["error"] == "unauthorized_client"
    assert not DeviceRequest.objects.exists()


def test_missing_and_strange_device_codes_are_refused(device):
    device.asked = {"device_code": ""}
    assert device.error() == "invalid_request"
    for code in ("x", "ü", "x" * 10_000):
        device.asked = {"device_code": code}
        assert device.error() == "invalid_grant"


@pytest.mark.compliance("RFC 8628", "3.3")
def test_page_takes_the_code_in_any_case_and_without_its_dash(device):
    code = device.begin()["user_code"]
    for typed in (code.lower(), code.replace("-", ""), f" {code[:4]} {code[5:]} "):
        assert device.browser.post("/device", {"user_code": typed}).status_code == 200


@pytest.mark.compliance("RFC 8628", "3.3.1")
def test_complete_address_fills_the_field_and_opens_nothing(device):
    address = device.begin()["verification_uri_complete"]
    page = device.browser.get(address).content.decode()
    assert device.asked["user_code"] in page
    assert "Yard" not in page
    assert DeviceRequest.objects.get().state == DeviceRequest.State.WAITING


@pytest.mark.parametrize("typed", ["", "BCDF-GHJK", "ü\0", "x" * 5000, "<script>"])
def test_unknown_codes_say_so(device, typed):
    answer = device.browser.post("/device", {"user_code": typed, "decision": "allow"})
    assert answer.status_code == 422
    assert "unknown or has expired" in answer.content.decode()


@pytest.mark.compliance("RFC 8628", "5.1")
def test_codes_cannot_be_guessed(device):
    cache.clear()
    statuses = [device.browser.post("/device", {"user_code": "BCDF-GHJK"}).status_code for _ in range(21)]
    assert statuses == [422] * 20 + [429]


def test_stranger_signs_in_first(device, client):
    client.logout()
    answer = client.get(device.begin()["verification_uri_complete"])
    assert answer.status_code == 302
    assert "/account/login/" in answer["Location"]


def test_no_device_or_user_code_rests(device):
    asked = device.begin()
    row = DeviceRequest.objects.values_list().get()
    for code in (asked["device_code"], asked["user_code"], asked["user_code"].replace("-", "")):
        assert code not in str(row)
