"""Whatever is put into a page's address or form, the page answers with words, never with a failure of its own."""

from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.urls import reverse

from tests.authority.conftest import FORM
from tests.portal.test_who_may_open_what import ADDRESSES, address  # noqa: F401  # a fixture

pytestmark = pytest.mark.django_db

ODD = ["a\0b", "\ud800", "//[", "9" * 30]
ACCOUNT = [
    *("account_login", "account_request_login_code", "account_reset_password", "account_email"),
    *("account_reauthenticate", "account_change_password", "account_set_password", "account_logout"),
    *("mfa_index", "mfa_activate_totp", "mfa_list_webauthn", "mfa_add_webauthn", "mfa_view_recovery_codes"),
    *("usersessions_list", "apps", "device"),
]
OF_ADDRESSES = [
    *("page", "q", "next", "template", "days", "before", "kind", "state", "client", "sort", "o", "e", "p", "all"),
]


class Fields(HTMLParser):
    """The names of a page's form fields."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag in ("input", "select", "textarea", "button") and named.get("name"):
            self.names.add(named["name"])


def fields_of(page):
    fields = Fields()
    fields.feed(page.text)
    return sorted(fields.names - {"csrfmiddlewaretoken"})


def walk(browser, path):
    """Send the page each odd value in each place; return what failed."""
    failed = []
    page = browser.get(path)
    page.getvalue()  # a file stays open until it is read
    names = OF_ADDRESSES + ([] if page.streaming else fields_of(page))
    browser.raise_request_exception = False
    for odd in ODD:
        sent = urlencode(dict.fromkeys(names, odd), errors="surrogatepass")
        answers = [browser.get(f"{path}?{sent}"), browser.post(path, sent, content_type=FORM)]
        for answer in answers:
            answer.getvalue()
        failed += [(answer.request["REQUEST_METHOD"], odd) for answer in answers if answer.status_code >= 500]
    return failed


@pytest.mark.parametrize("name", ADDRESSES)
def test_pages_of_a_workspace_take_anything(name, address, alice, browser_of):  # noqa: F811
    assert walk(browser_of(alice), address(name)) == []


@pytest.mark.parametrize("name", ACCOUNT)
def test_pages_of_an_account_take_anything(name, alice, browser_of):
    assert walk(browser_of(alice), reverse(name)) == []


def test_pages_of_operators_take_anything(olga, browser_of):
    """The lists of all that operators manage, and the forms that make more of it."""
    admin.autodiscover()
    models = [f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry]
    assert len(models) > 10
    for model in models:
        for way in ("changelist", "add"):
            assert walk(browser_of(olga), reverse(f"admin:{model}_{way}")) == [], (model, way)
