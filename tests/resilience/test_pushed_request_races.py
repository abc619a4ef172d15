"""Twenty browsers and twenty answers at once: a pushed request is opened by one and answered once (RFC 9126, 7.3)."""

import re
from html import unescape

import pytest
from django.test import Client as Browser
from oauth2_provider.models import get_grant_model

from authority.models import Consent
from tests.resilience.test_token_races import THREADS, at_once, flow  # noqa: F401  # a fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.compliance("RFC 9126", "7.3")
def test_pushed_request_is_opened_once_and_answered_once(flow):  # noqa: F811
    request_uri = flow.program.post("/oauth2/par", flow.request).json()["request_uri"]
    flow.request = {"client_id": flow.program.client.client_id, "request_uri": request_uri}
    opened = at_once([lambda: Browser().get(flow.address)] * THREADS)
    assert sorted(answer.status_code for answer in opened) == [303, *[400] * (THREADS - 1)]
    [address] = [answer["Location"] for answer in opened if answer.status_code == 303]

    page = flow.browser.get(address).content.decode()
    action = unescape(re.search(r'action="([^"]+/decision[^"]*)"', page)[1])
    form = {
        "signed_request": unescape(re.search(r'name="signed_request" value="([^"]+)"', page)[1]),
        "decision": "allow",
        "scope": "shipments:read",
    }
    session = flow.browser.cookies

    def answer():
        browser = Browser()
        browser.cookies = session
        return browser.post(action, form)

    answered = at_once([answer] * THREADS)
    assert sorted(each.status_code for each in answered) == [303, *[400] * (THREADS - 1)]
    assert get_grant_model().objects.count() == 1
    assert Consent.objects.count() == 1
