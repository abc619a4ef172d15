"""Nobody of ours knows a client that registered itself: people are told so, and asked every time."""

import pytest
from django.urls import reverse

from clients.models import SelfRegistration
from tests.authority.flows import Flow
from tests.factories import ClientFactory

pytestmark = pytest.mark.django_db
SAID = {
    "open": "Its publisher is not verified",
    "initial_access_token": "with a token of <strong>Acme Logistics</strong>",
    "document": "Its metadata document is at <strong>",
}


@pytest.fixture
def browser(browser_of, alice):
    return browser_of(alice)


@pytest.mark.compliance("RFC 7591", "5")
@pytest.mark.parametrize("how", SAID)
def test_people_are_told_and_asked_every_time(web, browser, how):
    SelfRegistration.objects.create(client=web.client, method=how)
    for _ in range(2):
        flow = Flow(web, browser)
        page = flow.open().text
        assert SAID[how] in page
        assert "<strong>Acme Logistics</strong>" in page
        assert "We ask each time, because the app registered itself" in page
        assert flow.code()


def test_operators_word_does_not_stand_for_a_client_that_registered_itself(web, browser):
    SelfRegistration.objects.create(client=web.client, method="open")
    type(web.client).objects.update(skip_consent=True)
    assert "Allow" in Flow(web, browser).open().text


def test_client_that_people_registered_is_said_to_be_theirs(web, browser):
    page = Flow(web, browser).open().text
    assert "It belongs to <strong>Acme Logistics</strong>" in page
    assert "registered itself" not in page


def test_whoever_signed_its_description_is_named(web, browser):
    SelfRegistration.objects.create(client=web.client, method="open", software_issuer="https://statements.example")
    assert (
        "Its software statement is signed by <strong>https://statements.example</strong>"
        in Flow(web, browser).open().text
    )


@pytest.mark.parametrize(
    ("signed", "said"),
    [
        ([], "neither this name nor where you return to"),
        (["client_name"], "this name, but not for where you return to"),
        (["redirect_uris"], "where you return to, but not for this name"),
        (["client_name", "redirect_uris"], "this name and for where you return to"),
    ],
)
def test_whoever_signed_it_vouches_for_no_more_than_they_signed(web, browser, signed, said):
    SelfRegistration.objects.create(
        client=web.client, method="open", software_issuer="https://statements.example", signed_members=signed
    )
    page = Flow(web, browser).open().text
    assert said in " ".join(page.split())
    assert ("chose this name" in page) == ("client_name" not in signed)


@pytest.mark.parametrize("name", ["detail", "settings", "activity", "authentication", "secrets", "delete"])
def test_client_whose_id_is_an_address_has_its_pages(acme, browser, name):
    client = ClientFactory(consumer=acme, client_id="https://apps.example.com/desk/client.json")
    SelfRegistration.objects.create(client=client, method="document")
    address = reverse(f"clients:{name}", args=["acme", client.client_id])
    assert "//" not in address
    assert browser.get(address).status_code == 200
    assert client.get_absolute_url() in browser.get(reverse("clients:index", args=["acme"])).text


@pytest.mark.parametrize("wrong", ["~", "~!", "~A", "~_w==", "~aHR0cHM6Ly9ub2JvZHkuZXhhbXBsZQ=="])
def test_address_that_is_no_client_s_shows_nothing(browser, wrong):
    assert browser.get(f"/consumers/acme/clients/{wrong}/").status_code == 404


def test_client_s_page_says_that_it_registered_itself(web, browser):
    assert "Registered itself" not in browser.get(web.client.get_absolute_url()).text
    SelfRegistration.objects.create(client=web.client, method="initial_access_token")
    page = browser.get(web.client.get_absolute_url()).text
    assert "Registered itself" in page
    assert "Dynamically, with an initial access token" in page
