"""The tab of a client that shows who is signed in to it, and what ends there."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from authority.authorization import client_people
from authority.models import Consent, LogoutNotice, SignIn, TokenFamily
from authority.people import at_client
from authority.people.at_client import Wanted
from consumers.audit import SYSTEM
from consumers.models import Event
from tests.authority.endpoints.test_rfc8628_device_grant import Device
from tests.authority.signed_in import end_user, sign_in_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def app(web):
    return web.client


@pytest.fixture
def tab(app):
    return f"/consumers/acme/clients/{app.client_id}/people/"


@pytest.fixture
def people(app, alice):
    """Alice, and three end users: with all scopes, without one for their name or address, and one of a login."""
    ada = end_user("Ada Lind", "ada@home.example")
    hidden = end_user("Hidden Name", "hidden@home.example")
    customer = end_user(subject="customer/42")
    sign_in_at(app, alice, days=3, as_member=True)
    sign_in_at(app, ada, days=40)
    sign_in_at(app, ada, days=1, user_agent="clientdesk/1.0")
    sign_in_at(app, hidden, days=2, scopes=["openid", "shipments:read"])
    sign_in_at(app, customer, days=45, rotated_at=timezone.now() - timedelta(days=31), scopes=["openid", "email"])
    return {"ada": ada, "hidden": hidden, "customer": customer}


def shown(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 200
    return [" ".join(name.split()) for name in re.findall(r"<b><bdi>(.*?)</bdi></b>", answer.text)]


def test_manager_sees_who_is_signed_in_as_far_as_the_client_may_know_them(app, tab, people, browser_of, alice):
    page = browser_of(alice).get(tab).text
    assert "4 people are signed in" in page
    assert shown(browser_of(alice), tab) == ["Ada Lind", str(people["hidden"].pk), "Alice Martin", "customer/42"]
    assert "ada@home.example" in page
    assert not re.search("Hidden Name|hidden@home|no-address", page)
    assert page.count("Outside Acme Logistics") == 3
    row = page[page.index("Ada Lind") : page.index("Revoke<", page.index("Ada Lind"))]
    assert "clientdesk/1.0" in row
    since = timezone.localtime(timezone.now() - timedelta(days=40))
    assert f"Since {since.day} {since:%b %Y}" in row  # of the first sign-in that lives, on another device
    figures = re.findall(r"<dd>(\S+)</dd>", page)
    assert figures[:3] == ["0", "2", "1"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ada", ["ada"]),
        ("ADA L", ["ada"]),
        ("Lind", []),  # not the beginning
        ("ada@home.example", ["ada"]),
        ("ada@home.exampl", []),
        ("Hidden", []),
        ("hidden@home.example", []),
        ("customer/42", ["customer"]),
        ("customer/4", []),
        ("%", []),
        ("no-address.invalid", []),
    ],
)
def test_nobody_is_found_by_what_the_client_may_not_know(app, people, words, found):
    page = at_client.page(app, Wanted(words), size=9)
    assert [each.user for each in page.people] == [people[name] for name in found]


def test_a_person_is_found_by_their_subject_without_any_scope(app, people):
    for name in ("hidden", "ada"):
        page = at_client.page(app, Wanted(str(people[name].pk)), size=9)
        assert [each.user for each in page.people] == [people[name]]


def test_people_are_listed_by_permission_and_by_when_they_were_active(tab, people, browser_of, alice, app):
    browser = browser_of(alice)
    assert shown(browser, f"{tab}?scope=email") == ["Ada Lind", "Alice Martin", "customer/42"]
    assert shown(browser, f"{tab}?active=idle") == ["customer/42"]
    assert shown(browser, f"{tab}?active=today") == []
    TokenFamily.objects.filter(user=people["ada"], began_at__lt=timezone.now() - timedelta(days=9)).update(
        rotated_at=timezone.now()
    )  # on the older of two devices
    assert shown(browser, f"{tab}?active=today") == ["Ada Lind"]


def test_pages_go_on_after_the_last_row_whatever_began_in_one_moment(app, monkeypatch):
    moment = timezone.now()
    crowd = {sign_in_at(app, end_user(f"P {n}"), at=moment - timedelta(seconds=n // 4)).user_id for n in range(11)}
    for scanned in (10_000, 3):  # of those without a match
        monkeypatch.setattr(at_client, "SCANNED", scanned)
        for wanted in (Wanted(), Wanted(scope="email")):
            seen, after = [], ""
            for _ in range(20):
                page = at_client.page(app, wanted, after=after, size=2)
                seen += [each.user.pk for each in page.people]
                after = page.next
                if not after:
                    break
            assert (len(seen), set(seen)) == (11, crowd), (scanned, wanted)


@pytest.mark.parametrize("after", ["x", "1_2", "nan_x", "1e400_0", "_", "-1_00000000-0000-4000-8000-000000000000"])
def test_a_place_that_is_none_is_no_fault(tab, people, browser_of, alice, after):
    assert browser_of(alice).get(tab, {"after": after}).status_code == 200


def test_counts_stop_and_say_so(app, tab, browser_of, alice, monkeypatch):
    monkeypatch.setattr(at_client, "SCANNED", 3)
    for n in range(5):
        sign_in_at(app, end_user(f"P {n}"), days=n * 10)
    figures = at_client.figures(app)
    assert [str(each) for each in (figures.signed_in, figures.active_today, figures.new, figures.idle)] == [
        "3+",
        "1+",
        "1",  # all of them were looked at
        "2",
    ]
    assert "3+ people are signed in" in browser_of(alice).get(tab).text
    sign_in_at(app, end_user("Late"))
    assert at_client.figures(app) == figures, "where there are many, they are kept for a minute"
    browser_of(alice).post(f"{tab}revoke-all/")
    app.refresh_from_db()
    assert not at_client.figures(app).signed_in


def test_viewers_read_and_strangers_find_nothing(tab, people, browser_of, bob, mallory, service):
    page = browser_of(bob).get(tab)
    assert "Ada Lind" in page.text
    assert "Revoke all" not in page.text
    assert 'method="post"' not in page.text[page.text.index("<main") :]
    assert browser_of(bob).post(f"{tab}revoke/", {"subject": "customer/42"}).status_code == 403
    assert browser_of(bob).post(f"{tab}revoke-all/").status_code == 403
    for method in (browser_of(mallory).get, browser_of(mallory).post):
        assert method(tab).status_code == 404
    assert TokenFamily.objects.filter(ended_at=None).count() == 5
    other = f"/consumers/acme/clients/{service.client_id}/"  # to which nobody signs in
    assert browser_of(bob).get(f"{other}people/").status_code == 404
    assert "Signed in" not in browser_of(bob).get(other).text


def test_manager_signs_one_person_out(app, tab, people, browser_of, alice):
    app.backchannel_logout_uri = "https://app.example.com/logout"
    app.save()
    SignIn.objects.filter(user=people["customer"]).update(sid="s", session="d")
    browser = browser_of(alice)
    answer = browser.post(f"{tab}revoke/", {"subject": "customer/42"}, follow=True)
    assert "One person is signed out" in answer.text
    assert "customer/42" not in shown(browser, tab)
    assert TokenFamily.objects.filter(ended_at=None).count() == 4
    event = Event.objects.get(name="client.person.signed_out")
    assert (event.detail, event.consumer) == ({"person_id": str(people["customer"].pk)}, app.consumer)
    notice = LogoutNotice.objects.get()
    assert (notice.subject, notice.sid) == ("customer/42", "s")
    again = browser.post(f"{tab}revoke/", {"subject": "customer/42"}, follow=True)
    assert "not signed in any more" in again.text


# -- Everybody --------------------------------------------------------------------------------------------------------


def test_everybody_is_signed_out_and_what_they_allowed_stays(flow, app, tab, browser_of, alice):
    tokens, code = flow.tokens(), flow.code()
    program = flow.program
    own = program.post("/oauth2/token", {"grant_type": "client_credentials"}).status_code
    browser = browser_of(alice)
    assert "Sign everybody out of Dispatch board?" in browser.get(f"{tab}revoke-all/").text
    assert program.introspect(tokens["access_token"])["active"]
    assert "Nobody is signed in" in browser.post(f"{tab}revoke-all/", follow=True).text
    assert program.introspect(tokens["access_token"]) == {"active": False}
    assert program.introspect(tokens["refresh_token"]) == {"active": False}
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert program.http.get("/oauth2/userinfo", headers=bearer).status_code == 401
    assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert flow.exchange(code).json()["error"] == "invalid_grant"
    assert Consent.objects.filter(client=app, user=alice).exists()
    assert not TokenFamily.objects.signed_in().exists()
    assert Event.objects.filter(name="client.people.signed_out").exists()
    assert own in (200, 400)
    assert flow.program.introspect(flow.tokens()["access_token"])["active"]  # who signs in again is signed in


def test_code_that_was_written_after_all_were_deleted_is_worth_nothing(flow, app):
    """Such as by a request that had begun before: its time tells."""
    code = flow.code()
    app.people_signed_out_at = timezone.now()
    app.save()
    assert flow.exchange(code).json()["error"] == "invalid_grant"


def test_device_that_was_let_in_before_gets_nothing(web, browser_of, alice):
    web.client.grant_types = [*web.client.grant_types, "urn:ietf:params:oauth:grant-type:device_code"]
    web.client.save()
    device = Device(web, browser_of(alice))
    device.begin()
    device.decide()
    client_people.end_all_sign_ins(client=web.client, actor=SYSTEM)
    assert device.error() == "invalid_grant"
