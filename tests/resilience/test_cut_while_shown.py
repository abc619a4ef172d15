"""The connection breaks after the commit, while the page that shows a secret is on its way."""

import re
import socket
import struct
import uuid
from urllib.parse import urlencode, urlsplit

import pytest

from clients import secrets
from clients.models import Client
from consumers.models import Event
from tests import patient
from tests.authority.listening import eventually
from tests.forms import Forms

SECRET = re.compile(r"cdsk_\w+")


@pytest.fixture
def alice(server):
    """A manager's browser that has just signed in."""
    person = server.demo["managers"][0]
    with patient.Client(base_url=server.url, follow_redirects=True) as browser:
        csrf = Forms(browser.get("/account/login/").text).found[0].sent["csrfmiddlewaretoken"]
        form = {"login": person["email"], "password": person["password"], "csrfmiddlewaretoken": csrf}
        assert browser.post("/account/login/", data=form).url.path.startswith("/consumers/")
        yield browser


def filled_in(browser, path, label, **typed):
    """Return what a browser sends of the page's form."""
    for form in Forms(browser.get(path).text).found:
        for button in form.buttons:
            if button.label == label:
                return form.filled_in(button, **typed)
    raise AssertionError(f"{path} has no button {label}")


def post_and_reset(browser, path, form, committed):
    """Send the form, read nothing, and reset the connection as soon as the change is committed."""
    parts, body = urlsplit(str(browser.base_url)), urlencode(form, doseq=True)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookies}\r\nContent-Length: {len(body)}\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    with socket.create_connection((parts.hostname, parts.port)) as link:
        link.sendall(head.encode() + body.encode())
        eventually(committed)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def assert_shown_nowhere(server, browser, client_id):
    """Look for anything that is a secret on whatever page, or in whatever answer of the API, could show one."""
    at = f"/consumers/acme/clients/{client_id}/"
    texts = [browser.get(at + page).text for page in ("", "secrets/", "settings/", "activity/", "authentication/")]
    texts += [browser.get(path).text for path in ("/consumers/acme/", "/consumers/acme/clients/")]
    headers = {"Authorization": f"Bearer {server.demo['operator_token']}"}
    texts += [patient.get(f"{server.url}/admin/clients/{client_id}", headers=headers).text]
    texts += [patient.get(f"{server.url}/admin/clients/{client_id}/secrets", headers=headers).text]
    assert [found for text in texts for found in SECRET.findall(text) if secrets.looks_real(found)] == []
    assert all(client_id in text for text in texts[:5]), "the pages are those of the client"


def rotated(server, browser, client_id, end="now"):
    """Rotate the newest secret on its page; return what the page shows."""
    with server.database():
        newest = Client.objects.get(client_id=client_id).secrets.live().latest("created_at").pk
    path = f"/consumers/acme/clients/{client_id}/secrets/{newest}/rotate/"
    page = browser.post(path, data=filled_in(browser, path, "Create secret", ends=end))
    (shown,) = {found for found in SECRET.findall(page.text) if secrets.looks_real(found)}
    return shown


def test_a_client_whose_secret_was_lost_on_the_way_is_complete_and_gets_another(server, alice):
    name, new = f"Cut {uuid.uuid4()}", "/consumers/acme/clients/new"
    form = filled_in(alice, new, "Create client", client_name=name, scope="shipments:read")

    def row():
        with server.database():
            return Client.objects.filter(client_name=name).first()

    post_and_reset(alice, new, form, row)
    client_id = row().client_id
    with server.database():
        client = Client.objects.get(client_id=client_id)
        assert client.secrets.live().count() == 1
        assert Event.objects.filter(target_id=client.pk, name="client.registered").count() == 1
    assert_shown_nowhere(server, alice, client_id)
    again = alice.post(new, data=form)  # “Send again?”, asks the browser
    assert again.status_code == 200
    assert [found for found in SECRET.findall(again.text) if secrets.looks_real(found)] == []
    with server.database():
        assert Client.objects.filter(client_name=name).count() == 1
    assert server.token(service=(client_id, rotated(server, alice, client_id)))
    assert_shown_nowhere(server, alice, client_id)


def test_a_rotation_whose_secret_was_lost_on_the_way_ends_nothing_too_early(server, alice):
    client_id, secret = server.service()

    def live():
        with server.database():
            return list(Client.objects.get(client_id=client_id).secrets.live().values_list("pk", flat=True))

    (old,) = live()
    path = f"/consumers/acme/clients/{client_id}/secrets/{old}/rotate/"
    post_and_reset(alice, path, filled_in(alice, path, "Create secret", ends="first-use"), lambda: len(live()) == 2)
    assert_shown_nowhere(server, alice, client_id)
    assert server.token(service=(client_id, secret)), "the old one waits for the first use of the one that was lost"
    another = rotated(server, alice, client_id)
    assert server.token(service=(client_id, another))
    assert server.token(service=(client_id, secret))
