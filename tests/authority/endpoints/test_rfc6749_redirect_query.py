"""RFC 6749 section 3.1.2: whatever the client registered stands unchanged in the address that the person is sent to."""

from urllib.parse import urlsplit

import pytest

from tests.authority.flows import Flow, leads_to

pytestmark = pytest.mark.django_db

ADDRESSES = [
    "https://app.example.com/signed-in?flag",
    "https://app.example.com/signed-in?flag&tenant=",
    "https://app.example.com/signed-in?next=/home&name=%20x+y",
    "https://app.example.com/signed-in?a=1;b=2",
    "https://app.example.com/signed-in?",
    "https://app.example.com/signed-in?a=1&",
    "https://app.example.com?a=%c3%a9",
    "com.example.app:/signed-in?flag",
    "com.example.app:///signed-in",
    "com.example.app://signed-in",
]


def prepared(program, uri):
    program.client.redirect_uris = [uri]
    program.client.save()


@pytest.mark.compliance("RFC 6749", "3.1.2")
@pytest.mark.parametrize("uri", ADDRESSES)
def test_registered_address_stays_as_it_is_when_the_answer_is_added(spa, browser_of, alice, uri):
    prepared(spa, uri)
    flow = Flow(spa, browser_of(alice), redirect_uri=uri, scope="openid", prompt="consent")
    granted, refused = leads_to(flow.decide()), leads_to(flow.decide("deny"))
    for address, first in ((granted, "code="), (refused, "error=")):
        rest = address.removeprefix(uri)
        assert address.startswith(uri)
        assert rest.lstrip("?&").startswith(first)
        assert urlsplit(address).query.count("?") == 0


@pytest.mark.compliance("RFC 6749", "3.1.2")
def test_registered_address_stays_as_it_is_before_a_fragment(web, browser_of, alice):
    uri = "https://app.example.com/signed-in?flag"
    prepared(web, uri)
    flow = Flow(web, browser_of(alice), redirect_uri=uri, response_mode="fragment")
    assert leads_to(flow.decide()).startswith(f"{uri}#code=")


@pytest.mark.compliance("OpenID Connect RP-Initiated Logout", "3")
def test_address_after_signing_out_stays_as_it_is_too(web, client):
    uri = "https://app.example.com/bye?flag"
    web.client.post_logout_redirect_uris = [uri]
    web.client.save()
    asked = {"client_id": web.client.client_id, "post_logout_redirect_uri": uri, "state": "a b"}
    assert client.get("/oauth2/logout", asked)["Location"] == f"{uri}&state=a+b"


@pytest.mark.compliance("OAuth 2.0 Form Post Response Mode", "2")
def test_scheme_that_begins_like_the_webs_takes_no_form(spa, browser_of, alice):
    uri = "http.example.app:/signed-in"
    prepared(spa, uri)
    answer = Flow(spa, browser_of(alice), redirect_uri=uri, scope="openid", response_mode="form_post").open()
    assert leads_to(answer).startswith(f"{uri}?error=invalid_request&")
