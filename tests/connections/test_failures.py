"""What a provider may send or fail to send: each has its page with a reason, and no account opens."""

import time

import pytest
import time_machine
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from connections.models import Connection
from consumers.models import Event
from core.http_fetch import documents
from tests.connections.provider import CLIENT_ID, ScriptedProvider, connect
from tests.connections.test_sign_in import refused, signed_in
from tests.publisher import answer
from tests.signing import KeyPair

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def alices(alice):
    """The account that must stay closed."""
    return alice


@pytest.mark.compliance("OpenID Connect Core", "3.1.3.7")
@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "somebody-else"}, "audience"),
        ({"aud": [CLIENT_ID, "somebody-else"]}, "audience"),
        ({"aud": [CLIENT_ID, "other"], "azp": "other"}, "audience"),
        ({"azp": "somebody-else"}, "audience"),
        ({"aud": None}, "audience"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"exp": int(time.time()) - 3600}, "clock"),
        ({"iat": int(time.time()) + 3600}, "clock"),
        ({"exp": None}, "id_token"),
        ({"iat": "now"}, "id_token"),
        ({"sub": None}, "subject"),
        ({"sub": ""}, "subject"),
        ({"sub": 7}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"sub": "Zoë"}, "subject"),
    ],
)
def test_id_token_that_is_not_for_this_sign_in_is_refused(client, okta, provider, claims, reason):
    provider.claims |= claims
    response = provider.sign_in(client, okta)
    refused(response, reason, response.status_code)
    assert response.status_code in (400, 403, 502)
    assert not signed_in(client)
    assert not SocialAccount.objects.exists()


def test_longest_subject_is_kept_whole(client, okta, provider):
    provider.claims |= {"sub": "x" * 255}
    provider.sign_in(client, okta)
    assert SocialAccount.objects.get().uid == "x" * 255


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"alg": "none"}, "algorithm"),
        ({"alg": "HS256"}, "algorithm"),
        ({"alg": "PS256"}, "signature"),
        ({"typ": "logout+jwt"}, "id_token"),
        ({"typ": "at+jwt"}, "id_token"),
        ({"crit": ["exp"]}, "id_token"),
        ({"jwk": {}}, "id_token"),
        ({"kid": "nobody-knows-it"}, "key"),
        ({"kid": 5}, "id_token"),
    ],
)
def test_forged_headers_are_refused(client, okta, provider, headers, reason):
    original = provider.id_token

    def forged() -> str:
        from tests.signing import pack

        _, payload, signature = original().split(".")
        made = {"kid": "idp-1", "typ": "JWT", "alg": "RS256"} | headers
        return f"{pack(made)}.{payload}.{signature}"

    provider.id_token = forged
    refused(response := provider.sign_in(client, okta), reason, response.status_code)
    assert not signed_in(client)


def test_key_of_somebody_else_is_refused(client, okta, provider):
    theirs = KeyPair("RS256", kid="idp-1")
    provider.key, honest = theirs, provider.key
    provider.publisher.publish("/jwks", honest.jwks)
    refused(provider.sign_in(client, okta), "signature")


def test_rotated_keys_are_read_at_once(client, okta, provider):
    provider.sign_in(client, okta)
    client.logout()
    # The set is known, and lacks the new key; it was read more than a minute ago.
    provider.key = KeyPair("RS256", kid="idp-2")
    provider.publisher.publish("/jwks", provider.key.jwks)
    slot = documents._slot_for(f"{provider.issuer}/jwks")
    slot.tried_at -= documents.AGAIN
    provider.sign_in(client, okta)
    assert signed_in(client) == "alice@acme.example"


def test_key_without_kid_is_found_by_trying(client, okta, provider):
    provider.key.kid = None
    other = KeyPair("RS256", kid=None)
    provider.publisher.publish("/jwks", {"keys": [other.jwk, provider.key.jwk]})
    provider.sign_in(client, okta)
    assert signed_in(client) == "alice@acme.example"


# -- The authorization response ---------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 9207", "2.4")
@pytest.mark.parametrize("issuer", ["https://evil.example", None, ""], ids=["another", "missing", "empty"])
def test_answer_of_another_issuer_is_refused(client, okta, provider, issuer):
    refused(provider.sign_in(client, okta, iss=issuer), "response_issuer", 400)
    assert not any(each.startswith(b"POST /token") for each in provider.publisher.requests)


def test_issuer_is_judged_where_it_comes_though_nobody_promised_it(client, publisher):
    provider = ScriptedProvider(publisher, sends_issuer=False)
    connection = connect(provider, "acme.example")
    refused(provider.sign_in(client, connection, iss="https://evil.example"), "response_issuer", 400)


def test_answer_to_one_connection_is_none_to_another(client, publisher, okta, provider):
    """A mix-up: the code of an honest provider is sent to the redirect URI of another."""
    evil = connect(ScriptedProvider(publisher, "/evil"), "evil.example", slug="evil", name="Evil")
    sent = provider.begin(client, "/sso/acme-okta/login")
    response = client.get(f"/sso/{evil.slug}/callback?code=c-1&state={sent['state']}&iss={provider.issuer}")
    refused(response, "state", 400)
    assert not any(each.startswith(b"POST") for each in publisher.requests)


def test_state_works_once_and_in_one_browser(client, okta, provider):
    sent = provider.begin(client, "/sso/acme-okta/login")
    refused(provider.return_to(Client(), sent), "state", 400)
    assert provider.return_to(client, sent).status_code == 302
    refused(provider.return_to(client, sent), "state", 400)
    assert signed_in(client) == "alice@acme.example"


def test_sign_in_that_took_too_long_begins_again(client, okta, provider):
    sent = provider.begin(client, "/sso/acme-okta/login")
    with time_machine.travel(time.time() + 700):
        refused(provider.return_to(client, sent), "state", 400)


@pytest.mark.parametrize(
    ("answered", "reason", "status"),
    [
        ({"code": None, "error": "access_denied"}, "cancelled", 200),
        ({"code": None, "error": "server_error", "error_description": "<b>no</b>"}, "refused", 403),
        ({"code": None}, "refused", 403),
        ({"code": "x" * 5000}, "refused", 403),
    ],
)
def test_answer_without_code(client, okta, provider, answered, reason, status):
    response = provider.sign_in(client, okta, **answered)
    refused(response, reason, status)
    assert b"<b>no</b>" not in response.content


@pytest.mark.parametrize("state", ["", "x", "x" * 5000, "\0"])
def test_made_up_states(client, okta, state):
    response = client.get("/sso/acme-okta/callback", {"code": "c", "state": state})
    assert response.status_code == 400


# -- A provider that does not work ------------------------------------------------------------------------------------


def test_provider_that_is_down_is_said_so_and_shown_to_operators(client, okta, provider):
    provider.publisher.pages.clear()
    documents.reset()
    response = client.get("/sso/acme-okta/login")
    refused(response, "unreachable", 502)
    assert "Acme Okta cannot be reached" in response.content.decode()
    okta.refresh_from_db()
    assert okta.state == "unreachable"
    assert "status 404" in okta.problem
    provider.publish()
    provider.sign_in(client, okta)
    okta.refresh_from_db()
    assert okta.state == "works"
    assert okta.problem == ""


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (answer(b"oh", "503 Service Unavailable"), "unreachable"),
        (answer(b"<html>", "200 OK"), "token"),
        (answer(b'{"error": "invalid_client"}', "401 Unauthorized"), "token"),
        (answer(b'{"access_token": "a"}'), "id_token"),
        (answer(b'{"access_token": "a", "id_token": 7}'), "id_token"),
        (answer(b'{"access_token": "a", "id_token": "x.y.z"}'), "id_token"),
        (lambda link: link.close(), "unreachable"),
    ],
)
def test_token_endpoint_that_gives_none(client, okta, provider, page, reason):
    provider.publisher.publish("/token", page)
    refused(response := provider.sign_in(client, okta), reason, response.status_code)
    assert response.status_code == 502
    okta.refresh_from_db()
    assert okta.problem


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "http://10.0.0.1/token"},
        {"jwks_uri": 5},
    ],
)
def test_discovery_document_that_cannot_be_right(client, okta, provider, metadata):
    provider.metadata = metadata
    provider.publish()
    refused(client.get("/sso/acme-okta/login"), "metadata", 502)


def test_userinfo_about_somebody_else_is_refused(client, okta, provider):
    provider.claims.pop("groups")
    provider.userinfo = {"sub": "somebody-else", "groups": ["admins"]}
    refused(provider.sign_in(client, okta), "userinfo")


def test_userinfo_fills_what_the_id_token_lacks_and_overrides_nothing(client, okta, provider):
    provider.claims = {"email": "alice@acme.example"}
    provider.userinfo = {"sub": "00u1", "email": "bob@acme.example", "email_verified": True, "groups": ["a"]}
    provider.sign_in(client, okta)
    assert signed_in(client) == "alice@acme.example"
    assert SocialAccount.objects.get().identity.groups == ["a"]


def test_sign_in_that_is_too_old_is_asked_for_again(client, okta, provider):
    Connection.objects.update(max_age=600)
    sent = provider.begin(client, "/sso/acme-okta/login")
    assert sent["max_age"] == "600"
    provider.claims |= {"auth_time": int(time.time()) - 3600}
    refused(provider.return_to(client, sent), "too_old")
    provider.claims |= {"auth_time": None}
    refused(provider.sign_in(client, okta), "too_old")


def test_account_of_another_organisation_at_a_shared_issuer_is_refused(client, okta, provider):
    Connection.objects.update(domain_claim="hd")
    refused(provider.sign_in(client, okta), "domain")
    provider.claims |= {"hd": "evil.example"}
    refused(provider.sign_in(client, okta), "domain")
    provider.claims |= {"hd": "ACME.example"}
    provider.sign_in(client, okta)
    assert signed_in(client) == "alice@acme.example"


def test_started_by_the_provider_it_must_be_ours(client, okta, provider):
    refused(client.get("/sso/acme-okta/login?iss=https://evil.example"), "response_issuer", 400)
    assert client.get(f"/sso/acme-okta/login?iss={provider.issuer}").status_code == 302


def test_nothing_secret_is_kept_of_a_failure(client, okta, provider, caplog):
    provider.token_status = "400 Bad Request"
    provider.token_body = {"error": "invalid_grant", "error_description": "code c-1-very-secret"}
    provider.sign_in(client, okta, code="c-1-very-secret-code")
    assert "c-1-very-secret-code" not in caplog.text
    assert not Event.objects.filter(detail__icontains="c-1-very-secret-code").exists()
