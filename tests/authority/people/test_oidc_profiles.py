"""What the certification profiles of OpenID check and no other test here shows; docs/conformance.md has them all."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clients.vocabulary import IDENTITY_SCOPES
from tests.authority.conftest import FORM
from tests.authority.endpoints.test_oidc import id_token_claims, userinfo
from tests.authority.endpoints.test_rfc7591_registration import WANTED, ask, assert_refused, token  # noqa: F401  # a fixture
from tests.authority.flows import Flow, returned

pytestmark = pytest.mark.django_db
DISCOVERY = "/.well-known/openid-configuration"


@pytest.mark.compliance("RFC 6749", "3.3")
def test_order_of_scopes_and_parameters_does_not_matter(web, browser_of, alice):
    flow = Flow(web, browser_of(alice), scope="email openid")
    flow.request = dict(reversed(flow.request.items()))
    tokens = flow.tokens()
    assert set(tokens["scope"].split()) == {"openid", "email"}
    assert userinfo(web.http, tokens["access_token"]).json()["email"] == alice.email


@pytest.mark.compliance("OpenID Connect Core", "3.1.2.1")
def test_nonce_is_optional_where_a_code_is_asked_for(web, browser_of, alice):
    _, claims = id_token_claims(web.http, Flow(web, browser_of(alice), nonce=None).tokens()["id_token"])
    assert "nonce" not in claims


@pytest.mark.compliance("OpenID Connect Core", "9")
def test_client_that_sends_its_secret_in_the_body_signs_people_in(web, browser_of, alice):
    web.client.token_endpoint_auth_method = "client_secret_post"
    web.client.save()
    flow, secret = Flow(web, browser_of(alice)), web.secret
    code = flow.code()
    web.secret = None  # none in the header
    tokens = flow.exchange(code, client_id=web.client.client_id, client_secret=secret).json()
    _, claims = id_token_claims(web.http, tokens["id_token"])
    assert claims["sub"] == str(alice.pk)


@pytest.mark.compliance("RFC 6749", "4.1.2")
@pytest.mark.parametrize("seconds", [1, 30])
def test_code_that_comes_again_later_still_ends_what_it_gave(flow, time_machine, seconds):
    code = flow.code()
    tokens = flow.exchange(code).json()
    assert userinfo(flow.program.http, tokens["access_token"]).status_code == 200
    time_machine.move_to(timezone.now() + timedelta(seconds=seconds))
    assert flow.exchange(code).json()["error"] == "invalid_grant"
    assert userinfo(flow.program.http, tokens["access_token"]).status_code == 401


@pytest.mark.compliance("OpenID Connect Core", "5.4")
def test_every_scope_that_we_tell_of_can_be_had_at_once(web, browser_of, alice):
    web.client.scopes = [*IDENTITY_SCOPES]
    web.client.save()
    offered = web.http.get(DISCOVERY).json()["scopes_supported"]
    tokens = Flow(web, browser_of(alice), scope=" ".join(offered)).tokens()
    assert set(tokens["scope"].split()) == set(offered) >= {"openid", "profile", "email"}
    assert userinfo(web.http, tokens["access_token"]).json().keys() == {"sub", "name", "email", "email_verified"}


@pytest.mark.compliance("OpenID Connect Core", "5.4")
@pytest.mark.parametrize("scope", ["address", "phone"])
def test_scopes_whose_claims_nobody_keeps_are_neither_offered_nor_granted(flow, scope):
    document = flow.program.http.get(DISCOVERY).json()
    assert scope not in document["scopes_supported"]
    assert not {"address", "phone_number"} & set(document["claims_supported"])
    flow.request["scope"] = f"openid {scope}"
    assert returned(flow.open())["error"] == "invalid_scope"


@pytest.mark.compliance("RFC 6750", "2.2")
def test_userinfo_reads_no_token_from_the_body(flow):
    form = f"access_token={flow.tokens()['access_token']}"
    assert flow.program.http.post("/oauth2/userinfo", form, content_type=FORM).status_code == 401


@pytest.mark.compliance("RFC 6750", "3.1")
@pytest.mark.parametrize("place", ["address", "body"])
def test_token_that_comes_in_two_ways_is_an_invalid_request(flow, place):
    sent = flow.tokens()["access_token"]
    address = f"/oauth2/userinfo?access_token={sent}" if place == "address" else "/oauth2/userinfo"
    form = f"access_token={sent}" if place == "body" else ""
    answer = flow.program.http.post(address, form, content_type=FORM, headers={"Authorization": f"Bearer {sent}"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert 'error="invalid_request"' in answer["WWW-Authenticate"]
    assert sent not in answer.content.decode()


@pytest.mark.compliance("OpenID Connect Core", "2")
def test_no_client_gets_id_tokens_without_a_signature(client, token):  # noqa: F811  # the fixture
    assert "none" not in client.get(DISCOVERY).json()["id_token_signing_alg_values_supported"]
    assert_refused(
        ask(client, WANTED | {"id_token_signed_response_alg": "none"}, token), 400, "invalid_client_metadata"
    )


@pytest.mark.compliance("OpenID Connect Discovery", "3")
def test_configuration_has_every_member_that_must_be_there(client, settings):
    document = client.get(DISCOVERY).json()
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"):
        assert document[name].startswith(f"{settings.ISSUER}/"), name
    assert "code" in document["response_types_supported"]
    assert "openid" in document["scopes_supported"]
    assert "public" in document["subject_types_supported"]
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert {"sub", "iss", "auth_time"} <= set(document["claims_supported"])
    for name in ("claims", "request", "request_uri"):  # the last would be true by default
        assert document[f"{name}_parameter_supported"] is False
