"""Where a request comes from, by what the proxies say of it."""

import pytest
from django.contrib.auth import SESSION_KEY
from django.core import mail

from tests.consumers.accounts.test_sign_in import ask_for_code, code_in

pytestmark = pytest.mark.django_db


def test_a_request_that_skipped_the_proxies_is_counted_by_its_own_address(client, alice, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    past = {"HTTP_X_FORWARDED_FOR": "203.0.113.7", "REMOTE_ADDR": "198.51.100.9"}
    ask_for_code(client, alice.email, **past)
    client.post("/account/login/code/confirm/", {"code": code_in(mail.outbox[-1])}, **past)
    assert client.session[SESSION_KEY] == str(alice.pk)
