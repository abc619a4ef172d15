"""The token hook on an API's page."""

import pytest

from authority.tokens import token_hooks
from clients.models import Api, TokenHook
from consumers.scopes import AUDIENCE
from tests.authority.hook_server import ADDED, serving
from tests.clients.admin.test_apis import api_form
from tests.clients.admin_helpers import events, page, said
from tests.forms import Forms, save


@pytest.fixture
def operator(browser_of, olga, settings):
    settings.FETCH_LOCAL_HOSTS = ["127.0.0.1"]
    token_hooks.reset_for_tests()
    return browser_of(olga)


@pytest.fixture
def hook():
    with serving() as hook:
        yield hook


def form(**hook):
    typed = {"hook_url": "", "hook_timeout": "2000", "hook_failure": "open", "hook_cache_seconds": "60"} | hook
    return api_form(description="", access_token_lifetime="3600", **typed)


def test_operator_sets_changes_and_removes_it(operator, api):
    set_to = {"hook_url": "https://hooks.example.com/claims", "hook_failure": "closed", "hook_cache_seconds": "0"}
    assert save(operator, page(api), form(**set_to)).status_code == 302
    hook = TokenHook.objects.get()
    assert (hook.url, hook.timeout, hook.failure, hook.cache_seconds) == (
        "https://hooks.example.com/claims",
        2000,
        "closed",
        0,
    )
    save(operator, page(api), form(**set_to))  # which changes nothing
    assert len(events("api.token_hook.set")) == 1
    save(operator, page(api), form(**set_to | {"hook_timeout": "500"}))
    assert TokenHook.objects.get().timeout == 500
    save(operator, page(api), form())
    assert not TokenHook.objects.exists()
    assert [event.detail["url"] for event in events("api.token_hook.deleted")] == ["https://hooks.example.com/claims"]


def test_a_time_limit_that_a_program_set_stays(operator, api):
    TokenHook.objects.create(api=api, url="https://hooks.example.com/claims", timeout=750)
    (shown,) = [each for each in Forms(operator.get(page(api)).text).found if "hook_timeout" in each.names]
    assert shown.sent["hook_timeout"] == ["750"]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"hook_url": "http://hooks.example.com/"}, "Use https."),
        ({"hook_url": "https://127.0.0.2/"}, "Name a public domain"),
        ({"hook_url": "https://hooks.example.com/", "hook_timeout": "9000"}, "Select a valid choice"),
        ({"hook_url": "https://hooks.example.com/", "hook_cache_seconds": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(operator, api, typed, told):
    answer = save(operator, page(api), form(**typed))
    assert told in answer.text
    assert not TokenHook.objects.exists()


def test_the_portal_s_own_api_asks_nobody(operator, db):
    own = Api.objects.get(identifier=AUDIENCE)
    assert "hook_url" not in operator.get(page(own)).text


def test_a_test_request_says_whether_it_answers_as_it_should(operator, api, hook):
    assert "Send a test request" not in operator.get(page(api)).text
    TokenHook.objects.create(api=api, url=hook.url)
    assert "Send a test request" in operator.get(page(api)).text
    answer = operator.post(page(api, "test-hook"), follow=True)
    assert "answers as it should" in said(answer)
    assert hook.asked[0]["request"]["client_id"] == "cl_test"
    hook.answer = lambda asked: (200, {"session": {"access_token": {"iss": "us"}}})
    assert "Rename iss" in said(operator.post(page(api, "test-hook"), follow=True))
    hook.answer = lambda asked: (500, ADDED)
    assert "status 500" in said(operator.post(page(api, "test-hook"), follow=True))
