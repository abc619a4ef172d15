"""A person's own pages about their access tokens."""

import re

import pytest

from consumers.models import Event, PersonalToken
from tests.api.conftest import Program

pytestmark = pytest.mark.django_db

NEW = "/account/tokens/new/"
FORM = {"name": "Deployment", "lifetime": "30", "scopes": ["clients:read"], "consumer": "", "key": "one"}


def shown(page) -> str:
    return re.search(r'id="access-token">(cdp_\w+)<', page.text)[1]


def test_a_token_is_shown_once_and_works(alice, service, browser_of):
    browser = browser_of(alice)
    assert browser.get(NEW).status_code == 200
    page = browser.post(NEW, FORM)
    text = shown(page)
    assert page.headers["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert Program(text).get("/admin/clients").status_code == 200
    listed = browser.get("/account/tokens/").text
    assert text not in listed
    assert f"••••{text[-4:]}" in listed
    assert text not in str(list(Event.objects.values_list("detail", flat=True)))


def test_a_form_that_is_sent_twice_makes_one_token(alice, service, browser_of):
    browser = browser_of(alice)
    browser.post(NEW, FORM)
    assert browser.post(NEW, FORM).status_code == 302
    assert PersonalToken.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"name": "a\u202eb"},
        {"name": "a\0b"},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"lifetime": "9999"},
        {"consumer": "nonsense"},
    ],
)
def test_what_was_typed_stays_when_something_is_wrong(changes, alice, browser_of):
    page = browser_of(alice).post(NEW, FORM | changes)
    assert page.status_code == 422
    assert 'id="errors"' in page.text
    assert not PersonalToken.objects.exists()


def test_nobody_narrows_a_token_to_a_workspace_that_is_not_theirs(alice, globex, olga, browser_of):
    assert browser_of(alice).post(NEW, FORM | {"consumer": str(globex.pk)}).status_code == 422
    assert browser_of(olga).post(NEW, FORM | {"consumer": str(globex.pk)}).status_code == 200


def test_a_revoked_token_opens_nothing(alice, service, browser_of):
    browser = browser_of(alice)
    text = shown(browser.post(NEW, FORM))
    path = f"/account/tokens/{PersonalToken.objects.get().pk}/revoke/"
    assert browser.get(path).status_code == 200
    assert browser.post(path).status_code == 302
    assert Program(text).get("/admin/clients").status_code == 401
    assert browser.post(path).status_code == 302  # a second click says that it is done


def test_the_token_of_another_person_is_not_found(alice, mallory, token_of, browser_of):
    token_of(alice)
    path = f"/account/tokens/{PersonalToken.objects.get().pk}/revoke/"
    assert browser_of(mallory).post(path).status_code == 404
    assert PersonalToken.objects.get().revoked_at is None
    assert "Test" not in browser_of(mallory).get("/account/tokens/").text
