"""The page that registers a client, and the one response that contains its secret."""

import json
import logging
import re
from html import unescape

import pytest
from django.db import connection
from django.urls import reverse

from clients import secrets
from clients.models import Client, ClientSecret
from consumers.models import Event

pytestmark = pytest.mark.django_db

NEW = "/consumers/acme/clients/new"
SERVICE = {"template": "service", "client_name": "Yard planner", "scope": ["shipments:read"]}
WEB = {
    "template": "web",
    "client_name": "Dispatch board",
    "scope": ["shipments:read"],
    "identity": ["openid"],
    "redirect_uris": "https://dispatch.example.com/cb\r\n\r\nhttp://127.0.0.1:8400/cb\r\n",
}


@pytest.fixture
def browser(alice, acme_access, browser_of):
    return browser_of(alice)


def key_of(page) -> str:
    return re.search(r'name="key" value="([^"]+)"', page.text)[1]


def secret_of(page) -> str:
    return re.search(r'<code id="client-secret">(cdsk_\w+)</code>', page.text)[1]


def test_form_offers_what_the_consumer_may_use(browser):
    page = browser.get(NEW)
    assert page.text.count('name="scope"') == 2
    assert "Book and change shipments" in page.text
    assert 'value="service" checked' in page.text
    assert 'value="web" checked' in browser.get(f"{NEW}?template=web").text


def test_answer_to_the_post_shows_the_secret_once(browser, acme):
    page = browser.post(NEW, SERVICE | {"key": key_of(browser.get(NEW))})
    assert page.status_code == 200
    client = Client.objects.get(consumer=acme, client_name="Yard planner")
    assert client.secrets.get().matches(secret_of(page))
    assert client.client_id in page.text
    assert "no-store" in page.headers["Cache-Control"]
    assert "Set-Cookie" not in page.headers or "cdsk_" not in str(page.cookies)
    assert Event.objects.get(name="client.registered").actor_label == "Alice Martin"


@pytest.mark.parametrize("template", ["service", "web"])
def test_secret_is_nowhere_after_its_answer(browser, template, caplog):
    caplog.set_level(logging.DEBUG)
    page = browser.post(NEW, (SERVICE if template == "service" else WEB) | {"key": key_of(browser.get(NEW))})
    secret = secret_of(page)
    client = Client.objects.get()
    for path in (
        NEW,
        client.get_absolute_url(),
        reverse("clients:secrets", args=["acme", client.client_id]),
        reverse("clients:settings", args=["acme", client.client_id]),
        reverse("clients:activity", args=["acme", client.client_id]),
        "/consumers/acme/",
        "/consumers/acme/clients/",
    ):
        assert secret not in browser.get(path).text
    assert secret not in caplog.text
    assert secret not in str(browser.cookies)
    assert browser.session["_auth_user_id"]  # it can be read, and
    assert secret not in str(dict(browser.session))
    assert rows_with(secret) == []
    assert rows_with(client.client_id) != []  # the search finds what is there


def rows_with(text: str) -> list[str]:
    """Return the tables of the whole database in which a row holds the text."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = []
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}" AS row WHERE row::text LIKE %s', [f"%{text}%"])  # noqa: S608
            if cursor.fetchone()[0]:
                found.append(table)
    return found


def test_sending_the_same_form_again_registers_nothing_and_shows_nothing(browser):
    form = SERVICE | {"key": key_of(browser.get(NEW))}
    secret = secret_of(browser.post(NEW, form))
    again = browser.post(NEW, form, follow=True)
    client = Client.objects.get()
    assert again.redirect_chain == [(client.get_absolute_url(), 302)]
    assert "already been created. Its secret was shown once" in again.text
    assert secret not in again.text
    assert ClientSecret.objects.count() == 1


def test_everything_wrong_is_listed_with_links_and_nothing_typed_is_lost(browser):
    typed = WEB | {
        "client_name": "",
        "description": "Kept <b>as typed</b>",
        "redirect_uris": "http://staging.example.com/cb\r\nhttps://ok.example.com/cb",
    }
    page = browser.post(NEW, typed)
    assert page.status_code == 422
    assert "Two things to correct" in page.text
    assert '<a href="#id_client_name">Give the client a name.</a>' in page.text
    assert '<a href="#id_redirect_uris">' in page.text
    assert 'aria-invalid="true"' in page.text
    assert "Kept &lt;b&gt;as typed&lt;/b&gt;" in page.text
    assert "http://staging.example.com/cb\nhttps://ok.example.com/cb" in page.text.replace("\r", "")
    assert 'value="shipments:read" checked' in page.text
    assert 'value="web" checked' in page.text
    assert not Client.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"template": ""}, "Choose a template"),
        ({"template": "robot"}, "not one of the available choices"),
        ({"client_name": "x" * 101}, "Shorten the name"),
        ({"client_name": "a\x00b"}, "Null characters"),
        ({"client_name": "evil\u202egnilib"}, "invisible character U+202E"),
        ({"scope": []}, "Choose at least one permission"),
        ({"scope": ["invoices:read"]}, "“invoices:read” is not a permission"),
        ({"scope": ["openid"]}, "“openid” is not a permission"),
        ({"description": "x" * 2000}, "Shorten the description"),
    ],
)
def test_bad_input_is_answered_with_a_sentence(browser, changes, said):
    page = browser.post(NEW, SERVICE | changes)
    assert page.status_code == 422
    assert said in unescape(page.text)
    assert not Client.objects.exists()


def test_what_does_not_apply_to_a_service_is_left_out(browser):
    browser.post(NEW, SERVICE | {"redirect_uris": "not an address", "identity": ["openid"]})
    client = Client.objects.get()
    assert (client.redirect_uris, client.scopes) == ([], ["shipments:read"])


def test_web_app_gets_its_addresses_and_identity(browser):
    browser.post(NEW, WEB)
    client = Client.objects.get()
    assert client.redirect_uris == ["https://dispatch.example.com/cb", "http://127.0.0.1:8400/cb"]
    assert client.scopes == ["openid", "shipments:read"]
    assert client.grant_types == ["authorization_code", "refresh_token"]


def test_public_client_is_led_to_its_page_for_it_has_no_secret(browser):
    form = WEB | {"template": "public", "key": key_of(browser.get(NEW))}
    page = browser.post(NEW, form, follow=True)
    client = Client.objects.get()
    assert page.redirect_chain == [(client.get_absolute_url(), 302)]
    assert "cdsk_" not in page.text
    assert f"client_id={client.client_id}" in unescape(page.text)
    again = browser.post(NEW, form, follow=True)
    assert "already been created." in again.text
    assert "secret was shown" not in again.text
    assert Client.objects.count() == 1


def test_ids_of_others_in_the_body_change_nothing(browser, acme, globex, mallory):
    browser.post(
        NEW, SERVICE | {"consumer": str(globex.pk), "user": str(mallory.pk), "client_id": "mine", "consumer_id": "1"}
    )
    client = Client.objects.get()
    assert (client.consumer, client.user.name) == (acme, "Alice Martin")
    assert client.client_id.startswith("cl_")


# -- The file ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def registered(browser):
    """A client, its secret, and the address that makes a file of both."""
    page = browser.post(NEW, SERVICE)
    client = Client.objects.get()
    return client, secret_of(page), reverse("clients:download-credentials", args=["acme", client.client_id])


def test_env_file_contains_the_credentials(browser, registered):
    client, secret, path = registered
    file = browser.post(path, {"secret": secret, "format": "env"})
    assert file.headers["Content-Disposition"] == 'attachment; filename="yard-planner.env"'
    assert "no-store" in file.headers["Cache-Control"]
    lines = dict(line.split("=", 1) for line in file.text.splitlines())
    assert lines["CLIENT_ID"] == client.client_id
    assert lines["CLIENT_SECRET"] == secret
    assert lines["TOKEN_URL"].endswith("/oauth2/token")


def test_json_file_contains_the_credentials(browser, registered):
    _, secret, path = registered
    file = browser.post(path, {"secret": secret, "format": "json"})
    assert file.headers["Content-Type"] == "application/json"
    assert json.loads(file.content)["client_secret"] == secret


def test_a_name_without_letters_still_names_a_file(browser, registered):
    client, secret, path = registered
    client.client_name = '日本 "../\r\n'
    client.save()
    name = browser.post(path, {"secret": secret}).headers["Content-Disposition"]
    assert name == f'attachment; filename="{client.client_id}.env"'


def test_a_file_is_made_of_this_clients_live_secret_alone(browser, registered, service):
    client, secret, path = registered
    foreign = reverse("clients:download-credentials", args=["acme", service.client_id])
    for address, text in ((foreign, secret), (path, secrets.generate()), (path, ""), (path, "cdsk_x\n<script>")):
        page = browser.post(address, {"secret": text, "format": "env"}, follow=True)
        assert "nothing to download" in page.text
        assert text == "" or text not in page.text
    client.secrets.get().delete()
    assert "nothing to download" in browser.post(path, {"secret": secret}, follow=True).text


def test_where_the_operator_allows_no_secrets_none_is_offered(browser, acme, service):
    acme.secrets_allowed = False
    acme.save()
    page = browser.get(NEW)
    assert 'value="client_secret_basic"' not in page.text
    assert "The operator does not allow secrets for Acme Logistics." in " ".join(page.text.split())
    answer = browser.post(NEW, SERVICE | {"key": key_of(page)})
    assert (answer.status_code, 'id="private-key"' in answer.text) == (200, True)
    made = Client.objects.get(client_name="Yard planner")
    assert made.token_endpoint_auth_method == "private_key_jwt"
    of_key = browser.get(f"{made.get_absolute_url()}authentication/").text
    assert 'value="client_secret_basic"' not in of_key
    kept = browser.get(f"{service.get_absolute_url()}authentication/").text
    assert 'value="client_secret_basic" checked' in kept
