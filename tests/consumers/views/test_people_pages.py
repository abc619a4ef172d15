"""The pages of a workspace's people, its activity, and the choice of a workspace."""

import csv
import io
import re

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients.events import ClientEvent
from consumers import audit
from consumers.actions.invitations import invite_manager
from consumers.events import ConsumerEvent
from consumers.models import Invitation, Membership, Role
from core import spreadsheets
from tests.factories import (
    MembershipFactory,
    UserFactory,
    actor_for,
    invitations_in,
)

pytestmark = pytest.mark.django_db

PEOPLE = "/consumers/acme/people/"


def member_url(user, consumer):
    return f"{PEOPLE}{Membership.objects.get(user=user, consumer=consumer).pk}/"


# -- People -----------------------------------------------------------------------------------------------------------


def test_people_are_listed_with_how_they_sign_in_and_when_they_were_seen(browser_of, alice, bob, acme):
    TOTP.activate(bob, "JBSWY3DPEHPK3PXP")
    carol = UserFactory(name="Carol Ng", email="carol@acme.example")
    carol.set_unusable_password()
    carol.save()
    MembershipFactory(consumer=acme, user=carol, seen_at=timezone.now().replace(2026, 11, 2, 9, 30))
    page = browser_of(alice).get(PEOPLE).content.decode()
    assert "Password and authenticator app" in page
    assert "Email code" in page
    assert "2 Nov 2026, 09:30" in page
    assert Membership.objects.get(user=alice).seen_at


def test_many_people_and_many_invitations_are_paged_apart(browser_of, alice, acme):
    for number in range(59):
        person = UserFactory(name=f"Person {number:02}", email=f"p{number:02}@acme.example")
        MembershipFactory(consumer=acme, user=person, role=Role.VIEWER)
        invite_manager(consumer=acme, email=f"i{number:02}@acme.example", actor=actor_for(alice))
    browser = browser_of(alice)
    first = browser.get(PEOPLE).text
    assert "60 members" in first
    assert "59 invitations" in first
    assert "p48@acme.example" in first
    assert "p49@acme.example" not in first
    assert "i09@acme.example" in first
    assert "i08@acme.example" not in first
    second = browser.get(f"{PEOPLE}?page=2&invitations=2").text
    assert re.findall(r"[pi]\d\d@", second) == [f"p{n}@" for n in range(49, 59)] + [
        f"i{n:02}@" for n in range(8, -1, -1) for _ in range(3)
    ]
    assert "Page 2 of 2" in second
    assert 'href="?page=1&amp;invitations=2"' in second
    assert "Page 2 of 2" in browser.get(f"{PEOPLE}?page=99&invitations=nonsense").text


def test_pages_of_people_ask_the_database_as_often_as_one_page(browser_of, alice, acme, django_assert_num_queries):
    browser = browser_of(alice)
    browser.get(PEOPLE)
    with CaptureQueriesContext(connection) as few:
        browser.get(PEOPLE)
    for _ in range(20):
        MembershipFactory(consumer=acme, user=UserFactory())
    with django_assert_num_queries(len(few)):
        browser.get(PEOPLE)


def test_a_visit_is_noted_at_most_every_five_minutes(browser_of, alice, django_assert_num_queries, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    browser = browser_of(alice)
    browser.get(PEOPLE)
    seen = Membership.objects.get(user=alice).seen_at
    time_machine.shift(299)
    browser.get(PEOPLE)
    assert Membership.objects.get(user=alice).seen_at == seen
    time_machine.shift(2)
    browser.get(PEOPLE)
    assert Membership.objects.get(user=alice).seen_at > seen


def test_a_manager_invites_several_at_once_or_none(browser_of, alice, bob, acme):
    browser = browser_of(alice)
    typed = "jonas@acme.example\nmia@acme.example, bob@acme.example"
    page = browser.post(f"{PEOPLE}invite/", {"emails": typed, "role": "viewer"})
    assert page.status_code == 422
    assert "bob@acme.example is a member already" in page.content.decode()
    assert "mia@acme.example" in page.content.decode()
    assert not Invitation.objects.exists()
    mail.outbox.clear()  # the outbox would have rolled it back; the test's own backend does not
    answer = browser.post(f"{PEOPLE}invite/", {"emails": "jonas@acme.example; mia@acme.example", "role": "viewer"})
    assert answer["Location"] == PEOPLE
    assert {message.to[0] for message in invitations_in(mail.outbox)} == {"jonas@acme.example", "mia@acme.example"}
    assert set(Invitation.objects.values_list("role", flat=True)) == {"viewer"}


@pytest.mark.parametrize("typed", ["", "no address", "a@b", "x" * 6000, "jonas@acme.example\x00"])
def test_bad_addresses_are_named_and_kept(browser_of, alice, typed):
    page = browser_of(alice).post(f"{PEOPLE}invite/", {"emails": typed, "role": "manager"})
    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.content.decode()
    assert re.search(r'value="manager" checked', page.content.decode())


def test_an_unknown_role_is_refused(browser_of, alice):
    page = browser_of(alice).post(f"{PEOPLE}invite/", {"emails": "jonas@acme.example", "role": "owner"})
    assert page.status_code == 422
    assert not Invitation.objects.exists()


def test_an_invitation_is_sent_again_with_a_new_link_and_revoked(browser_of, alice, invite):
    invitation, token = invite()
    browser = browser_of(alice)
    base = f"/consumers/acme/invitations/{invitation.pk}/"
    assert "Resend" in browser.get(PEOPLE).content.decode()
    assert browser.get(f"{base}resend/").status_code == 405
    browser.post(f"{base}resend/")
    assert len(invitations_in(mail.outbox)) == 2
    assert browser.get(f"/invitations/{token}/").status_code == 404
    browser.post(f"{base}revoke/")
    page = browser.post(f"{base}revoke/", follow=True).content.decode()
    assert "already been accepted or revoked" in page
    assert "Resend" not in page


def test_roles_change_and_people_are_removed(browser_of, alice, bob, acme):
    browser = browser_of(alice)
    url = member_url(bob, acme)
    assert browser.post(url, {"role": "manager"})["Location"] == PEOPLE
    assert Membership.objects.get(user=bob).role == Role.MANAGER
    assert browser.post(url, {"role": "owner"}).status_code == 422
    assert browser.post(url, {"remove": "1"})["Location"] == PEOPLE
    assert not Membership.objects.filter(user=bob).exists()
    assert browser.post(url, {"remove": "1"}).status_code == 404


def test_the_last_manager_stays(browser_of, alice, bob, acme):
    browser = browser_of(alice)
    url = member_url(alice, acme)
    for change in ({"remove": "1"}, {"role": "viewer"}):
        page = browser.post(url, change, follow=True).content.decode()
        assert "needs at least one manager" in page
    assert Membership.objects.get(user=alice).role == Role.MANAGER


def test_a_viewer_reads_and_may_leave_but_changes_nothing(browser_of, alice, bob, acme, invite):
    invitation, _ = invite()
    browser = browser_of(bob)
    page = browser.get(PEOPLE).content.decode()
    assert "jonas@acme.example" in page
    assert "Invite someone" not in page
    assert "Resend" not in page
    forbidden = [
        browser.get(f"{PEOPLE}invite/"),
        browser.post(f"{PEOPLE}invite/", {"emails": "eve@evil.example", "role": "manager"}),
        browser.get(member_url(alice, acme)),
        browser.post(member_url(alice, acme), {"remove": "1"}),
        browser.post(member_url(bob, acme), {"role": "manager"}),
        browser.post(f"/consumers/acme/invitations/{invitation.pk}/resend/"),
        browser.post(f"/consumers/acme/invitations/{invitation.pk}/revoke/"),
    ]
    assert [answer.status_code for answer in forbidden] == [403] * len(forbidden)
    assert all("manager" in answer.content.decode() for answer in forbidden)
    assert Membership.objects.get(user=bob).role == Role.VIEWER
    assert browser.post(member_url(bob, acme), {"remove": "1"})["Location"] == "/consumers/"


def test_strangers_get_the_answer_of_a_workspace_that_does_not_exist(browser_of, mallory, alice, acme, invite):
    invitation, _ = invite()
    browser = browser_of(mallory)
    paths = [
        "people/",
        "people/invite/",
        f"people/{Membership.objects.get(user=alice).pk}/",
        "activity/",
        "activity/download/",
    ]
    posts = [f"invitations/{invitation.pk}/resend/", f"invitations/{invitation.pk}/revoke/"]

    def text(answer):
        assert answer.status_code == 404
        return re.sub(r"req_\w+|csrf\S+ value=\S+", "", answer.content.decode())

    answers = {text(browser.get(f"/consumers/{slug}/{path}")) for path in paths for slug in ("acme", "no-such")}
    answers |= {text(browser.post(f"/consumers/{slug}/{path}")) for path in posts for slug in ("acme", "no-such")}
    assert len(answers) == 1
    assert "Acme" not in answers.pop()


def test_objects_of_another_workspace_are_not_reached_through_ones_own(
    browser_of, mallory, alice, acme, invite, globex
):
    invitation, _ = invite()
    browser = browser_of(mallory)
    foreign = Membership.objects.get(user=alice)
    assert browser.post(f"/consumers/globex/people/{foreign.pk}/", {"remove": "1"}).status_code == 404
    assert browser.post(f"/consumers/globex/invitations/{invitation.pk}/revoke/").status_code == 404
    assert Membership.objects.filter(pk=foreign.pk).exists()


# -- Choice -----------------------------------------------------------------------------------------------------------


def test_people_with_several_workspaces_choose(browser_of, alice, acme, globex):
    MembershipFactory(consumer=globex, user=alice, role=Role.VIEWER)
    browser = browser_of(alice)
    assert browser.get("/")["Location"] == "/consumers/"
    page = browser.get("/consumers/").content.decode()
    assert "Acme Logistics" in page
    assert "Globex" in page
    globex.suspended_at = timezone.now()
    globex.save()
    assert "Globex" not in browser.get("/consumers/").content.decode()


def test_people_without_a_workspace_learn_how_to_get_one(browser_of, db):
    page = browser_of(UserFactory(email="nobody@acme.example")).get("/consumers/").content.decode()
    assert "need an invitation" in page
    assert "nobody@acme.example" in page


def test_people_change_their_own_name(browser_of, alice):
    browser = browser_of(alice)
    assert browser.post("/account/name/", {"name": "Alicia Martin"})["Location"] == "/account/2fa/"
    alice.refresh_from_db()
    assert alice.name == "Alicia Martin"
    assert browser.post("/account/name/", {"name": "A\u2066lice"}).status_code == 422


# -- Activity ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def history(acme, alice, bob, service):
    """Sixty events of Acme, the newest a rotation by Bob."""
    with transaction.atomic():
        for number in range(59):
            audit.record(
                ConsumerEvent.MANAGER_INVITED,
                actor=actor_for(alice),
                consumer=acme,
                detail={"email": f"guest{number}@acme.example", "role": "viewer"},
            )
        return audit.record(
            ClientEvent.SECRET_ROTATED,
            actor=actor_for(bob),
            consumer=acme,
            target=service,
            detail={"hint": "t6vn", "new_hint": "9k1d"},
        )


def test_activity_is_read_page_by_page(browser_of, bob, history):
    browser = browser_of(bob)
    first = browser.get("/consumers/acme/activity/").content.decode()
    assert first.count('class="dot"') == 50
    assert "rotated a secret of" in first
    assert f"/clients/{history.consumer.clients.get().client_id}/" in first
    older = re.search(r'href="\?(before=\d+)"', first)[1]
    second = browser.get(f"/consumers/acme/activity/?{older}").content.decode()
    assert second.count('class="dot"') == 10
    assert "guest0@" in second
    assert "Older entries" not in second


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("q=guest7", 1),
        ("q=t6vn", 1),
        ("q=Bob", 1),
        ("q=192.0.2.1&what=secrets", 1),
        ("what=people", 50),
        ("what=clients", 0),
        ("when=1", 50),
        ("q=%25", 0),
        ("what=nonsense&when=nonsense&before=-3", 50),
        ("before=99999999999999999999999", 50),
        ("q=%00", 50),
    ],
)
def test_activity_is_filtered(browser_of, alice, history, query, count):
    page = browser_of(alice).get(f"/consumers/acme/activity/?{query}")
    assert page.status_code == 200
    assert page.content.decode().count('class="dot"') == count


def test_activity_never_mentions_another_workspace(browser_of, mallory, globex, history):
    page = browser_of(mallory).get("/consumers/globex/activity/?q=guest").content.decode()
    assert "No matching entries" in page
    table = b"".join(browser_of(mallory).get("/consumers/globex/activity/download/").streaming_content)
    assert table.count(b"\n") == 1


def test_activity_is_downloaded_without_formulas(browser_of, alice, acme, history):
    with transaction.atomic():
        audit.record(
            ConsumerEvent.MANAGER_INVITED,
            actor=actor_for(UserFactory(name="=HYPERLINK(1)")),
            consumer=acme,
            detail={"email": "x", "role": "viewer"},
        )
    answer = browser_of(alice).get("/consumers/acme/activity/download/?what=people")
    assert answer["Content-Disposition"].startswith('attachment; filename="activity-acme-')
    assert "no-store" in answer["Cache-Control"]
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert len(rows) == 60
    assert rows[0]["who"] == "'=HYPERLINK(1)"
    assert rows[1]["what"] == "Alice Martin invited guest58@acme.example as viewer"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1+1"])
def test_no_cell_is_a_formula(cell):
    assert spreadsheets.safe_cell(cell).startswith("'")


def test_mail_to_invited_people_is_limited(browser_of, alice, bob, acme):
    browser = browser_of(alice)
    for number in range(29):
        browser.post(f"{PEOPLE}invite/", {"emails": f"n{number}@acme.example", "role": "viewer"})
    again = f"/consumers/acme/invitations/{Invitation.objects.first().pk}/resend/"
    assert browser.post(again).status_code == 302
    sent = len(mail.outbox)
    assert "30 invitations an hour" in browser.post(again, follow=True).text
    page = browser.post(f"{PEOPLE}invite/", {"emails": "one@acme.example", "role": "viewer"})
    assert page.status_code == 422
    assert "30 invitations an hour" in page.text
    assert "one@acme.example" in page.text
    assert len(mail.outbox) == sent


def test_each_address_of_a_form_counts(browser_of, alice):
    typed = " ".join(f"n{number}@acme.example" for number in range(31))
    page = browser_of(alice).post(f"{PEOPLE}invite/", {"emails": typed, "role": "viewer"})
    assert page.status_code == 422
    assert not Invitation.objects.exists()
    assert mail.outbox == []
