"""The secrets pages of a client: list, add, rotate, revoke."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.models import ClientSecret
from tests.factories import ClientFactory, give_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(alice, browser_of):
    return browser_of(alice)


@pytest.fixture
def old(service):
    row, _ = give_secret(service, name="Production", last_used_at=timezone.now(), last_used_ip="198.51.100.7")
    return row


def path(name, client, *more) -> str:
    return reverse(f"clients:{name}", args=["acme", client.client_id, *more])


def secret_of(page) -> str:
    return re.search(r'<code id="client-secret">(cdsk_\w+)</code>', page.text)[1]


def rotate(browser, client, old, **form):
    return browser.post(path("rotate-secret", client, old.pk), {"lifetime": "never"} | form)


def test_list_tells_secrets_by_name_hint_maker_end_and_last_use(browser, service, old):
    give_secret(service, expires_at=timezone.now() + timedelta(days=5, hours=1))
    give_secret(service, expires_at=timezone.now() - timedelta(days=3))
    give_secret(service, expires_at=timezone.now() - timedelta(days=40))
    page = browser.get(path("secrets", service)).text
    assert page.count('<span class="masked">') == 0
    assert page.count('class="masked">••••') == 3  # the one that ended 40 days ago is no longer listed
    for text in (str(old), "Production", "198.51.100.7", "Factory", "in 5 days", "3 days ago", "Expired"):
        assert text in page
    assert old.digest not in page


def test_notice_says_which_secret_ends_soon_and_which_is_being_replaced(browser, service, old):
    give_secret(service, expires_at=timezone.now() + timedelta(days=5))
    rotate(browser, service, old, ends="first-use")
    page = browser.get(path("secrets", service)).text
    assert page.count('data-tone="warn"') == 2
    assert f"{old} expires a day after" in page


def test_added_secret_is_shown_once(browser, service):
    form = {"name": "Staging", "lifetime": "90", "key": "3f1c"}
    page = browser.post(path("create-secret", service), form)
    row = service.secrets.get()
    assert row.matches(secret_of(page))
    assert (row.name, (row.expires_at - timezone.now()).days) == ("Staging", 89)
    again = browser.post(path("create-secret", service), form, follow=True)
    assert again.redirect_chain == [(path("secrets", service), 302)]
    assert "already been created. Its secret was shown once" in again.text
    assert service.secrets.count() == 1


@pytest.mark.parametrize(
    ("form", "left"),
    [
        ({"ends": "now"}, timedelta()),
        ({"ends": "hour"}, timedelta(hours=1)),
        ({"ends": "day"}, timedelta(days=1)),
        ({"ends": "week"}, timedelta(days=7)),
        ({"ends": "date"}, timedelta(days=3)),
    ],
)
def test_old_secret_ends_when_the_person_chose(browser, service, old, time_machine, form, left):
    now = timezone.now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    time_machine.move_to(now, tick=False)
    if form["ends"] == "date":
        form = form | {"date": f"{timezone.localtime() + left:%Y-%m-%dT%H:%M}"}
    page = rotate(browser, service, old, **form)
    assert page.status_code == 200
    made = service.secrets.exclude(pk=old.pk).get()
    assert made.matches(secret_of(page))
    old.refresh_from_db()
    assert (old.revoked_at or old.expires_at) == now + left


def test_old_secret_can_wait_for_the_first_use_of_the_new_one(browser, service, old):
    rotate(browser, service, old, ends="first-use")
    old.refresh_from_db()
    assert old.expires_after_use_of == service.secrets.exclude(pk=old.pk).get()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "Choose when the old secret expires."),
        ({"ends": "never"}, "not one of the available choices"),
        ({"ends": "date"}, "Pick the day and the time."),
        ({"ends": "date", "date": "2020-01-01T10:00"}, "Pick a moment between now and a year from now."),
        ({"ends": "date", "date": "9999-12-31T23:59"}, "Pick a moment between now and a year from now."),
        ({"ends": "date", "date": "0001-01-01T00:00"}, "Pick a moment between now and a year from now."),
        ({"ends": "date", "date": "soon"}, "Enter a valid date/time."),
        ({"ends": "day", "lifetime": "-5"}, "not one of the available choices"),
    ],
)
def test_rotation_without_a_good_end_is_refused(browser, service, old, form, said):
    page = rotate(browser, service, old, **form)
    assert page.status_code == 422
    assert said in unescape(page.text)
    assert service.secrets.count() == 1


def test_sending_a_rotation_again_makes_no_third_secret(browser, service, old):
    form = {"ends": "week", "lifetime": "never", "key": "a-key"}
    secret = secret_of(browser.post(path("rotate-secret", service, old.pk), form))
    again = browser.post(path("rotate-secret", service, old.pk), form, follow=True)
    assert "has already been rotated" in again.text
    assert secret not in again.text
    assert service.secrets.count() == 2


def test_with_five_live_secrets_the_pages_say_so_beforehand(browser, service, old):
    for _ in range(4):
        give_secret(service)
    assert "The limit of 5 is reached: revoke one first." in browser.get(path("secrets", service)).text
    assert "has five active secrets, which is the limit" in browser.get(path("create-secret", service)).text
    page = browser.get(path("rotate-secret", service, old.pk)).text
    assert page.count('name="ends"') == 1
    assert rotate(browser, service, old, ends="week").status_code == 422
    refused = browser.post(path("create-secret", service), {"name": "Sixth", "lifetime": "never"})
    assert refused.status_code == 422
    assert "5 active secrets already" in refused.text
    assert rotate(browser, service, old, ends="now").status_code == 200
    assert service.secrets.live().count() == 5


def test_revoking_says_who_uses_it_and_then_ends_it(browser, service, old):
    page = " ".join(browser.get(path("revoke-secret", service, old.pk)).text.split())
    assert "from 198.51.100.7" in page
    assert "for up to 60 minutes" in page
    assert "It is the last active one" in page
    after = browser.post(path("revoke-secret", service, old.pk), follow=True)
    assert f"The secret {old} is revoked." in after.text
    old.refresh_from_db()
    assert not old.is_live
    twice = browser.post(path("revoke-secret", service, old.pk), follow=True)
    assert "already expired or been revoked" in twice.text
    for name in ("rotate-secret", "revoke-secret"):
        assert "is already revoked" in " ".join(browser.get(path(name, service, old.pk)).text.split())


def test_rotating_what_has_ended_meanwhile_is_refused_with_a_sentence(browser, service, old):
    ClientSecret.objects.filter(pk=old.pk).update(revoked_at=timezone.now())
    page = rotate(browser, service, old, ends="week")
    assert page.status_code == 422
    assert service.secrets.count() == 1


@pytest.mark.parametrize("name", ["create-secret", "rotate-secret", "revoke-secret", "disable", "delete"])
def test_dialog_gets_the_form_alone_and_the_address_is_a_page(browser, service, old, name):
    address = path(name, service, *([old.pk] if name in ("rotate-secret", "revoke-secret") else []))
    sheet = browser.get(address, headers={"HX-Request": "true", "HX-Target": "dialog"})
    assert "<html" not in sheet.text
    assert f'action="{address}"' in sheet.text
    assert 'command="close"' in sheet.text
    page = browser.get(address)
    assert "<html" in page.text
    assert f'action="{address}"' in page.text
    assert 'command="close"' not in page.text
    for answer in (sheet, page):
        assert {"Cookie", "HX-Target"} <= {part.strip() for part in answer.headers["Vary"].split(",")}


def test_public_client_is_offered_no_secret(browser, acme):
    public = ClientFactory(consumer=acme, template="public")
    assert path("secrets", public) not in browser.get(public.get_absolute_url()).text
    refused = browser.post(path("create-secret", public), {"lifetime": "never"})
    assert refused.status_code == 422
    assert "without a secret" in refused.text
