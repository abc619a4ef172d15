"""What a client calls itself is text on every page that shows it: no dialog, no policy report, no logo fetched."""

from urllib.parse import urlencode

import pytest

from clients.models import Client

HOSTILE = "<img src=x onerror=alert(1)><svg/onload=alert(2)>[x](javascript:alert(3)) ”>'{{ 7*7 }}"


@pytest.fixture
def hostile(server):
    """A web app of Acme's whose words and addresses were written by somebody who means harm, past every rule."""
    client_id, _ = server.register("web", redirect_uris=("https://app.example.com/back",), scope=("openid",))
    with server.database():
        Client.objects.filter(client_id=client_id).update(
            client_name=HOSTILE[:100],
            description=HOSTILE,
            logo_uri="https://evil.example/logo.svg",
            client_uri="javascript:alert(4)",
            policy_uri="javascript:alert(5)",
            owner=HOSTILE,
        )
        return Client.objects.get(client_id=client_id)


@pytest.mark.browser
def test_hostile_names_and_addresses_are_inert(visitor, server, hostile):
    request = {
        "response_type": "code",
        "client_id": hostile.client_id,
        "redirect_uri": "https://app.example.com/back",
        "scope": "openid",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    at_acme = f"/consumers/acme/clients/{hostile.client_id}"
    people = {
        server.demo["managers"][0]["email"]: [
            "/oauth2/authorize?" + urlencode(request),
            "/consumers/acme/clients/",
            f"{at_acme}/",
            f"{at_acme}/settings/",
            f"{at_acme}/activity/",
            "/consumers/acme/activity/",
        ],
        server.demo["operator"]["email"]: ["/operators/clients/client/", f"/operators/clients/client/{hostile.pk}/"],
    }
    for email, pages in people.items():
        person = visitor()
        dialogs, elsewhere = [], []
        person.page.on("dialog", lambda dialog, seen=dialogs: (seen.append(dialog.message), dialog.dismiss()))
        person.page.on("request", lambda sent, seen=elsewhere: sent.url.startswith(server.url) or seen.append(sent.url))
        person.sign_in(email, server.demo["operator"]["password"])
        for address in pages:
            page = person.open(address)
            assert page.locator("img[src=x], svg[onload]").count() == 0, address
            assert page.locator("a[href^='javascript:']").count() == 0, address
        assert (dialogs, elsewhere) == ([], [])
