# ruff: noqa: S608  # statements are put together of the names and numbers of this file
"""`manage.py verify_audit`, the heads that it compares, and the worker that seals, signs and verifies."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from authority import tasks
from authority.keys import activity_heads, rotation
from authority.models import SigningKey
from consumers import audit
from consumers.actions.personal_tokens import create_token
from consumers.activity import chain, verification
from consumers.audit import SYSTEM
from consumers.events import ConsumerEvent
from consumers.models import Event, EventSeal, SignedHead, UnsealedEvent, Verification
from portal import activity_check, work_status
from tests.consumers.activity.test_chain import owner, seal_all
from tests.factories import UserFactory, actor_for

pytestmark = pytest.mark.django_db


def record(consumer=None, age=timedelta()):
    with transaction.atomic():
        event = audit.record(ConsumerEvent.CONSUMER_UPDATED, actor=SYSTEM, consumer=consumer)
    if age:
        owner(f"UPDATE consumers_event SET at = at - interval '{age.days} days' WHERE id = {event.pk}")
    return event


@pytest.fixture
def events(acme):
    made = [record(acme) for _ in range(6)]
    seal_all()
    return made


def run(*words):
    output = StringIO()
    call_command("verify_audit", "--threads", "1", *words, stdout=output)
    return output.getvalue()


def export(folder):
    path = folder / "head.json"
    path.write_text(run("--export"))
    return str(path)


def change(event):
    owner(f"UPDATE consumers_event SET actor_label = 'Somebody else' WHERE id = {event.pk}")


# -- The command ------------------------------------------------------------------------------------------------------


def test_complete_record_agrees_with_the_exported_head(events, tmp_path):
    head = export(tmp_path)
    seal_all()
    sealed = EventSeal.objects.count()
    assert run("--head", head).startswith(f"The record is complete: {sealed} events, in agreement with 2 signed heads.")
    told = json.loads(run("--json"))
    assert (told["complete"], told["sealed"], told["waiting"], told["problems"]) == (True, sealed, 0, [])
    assert told["head"] == {"position": sealed, "hash": chain.head().hash.hex()}


def test_changed_event_is_named_with_exit_code_one(events, capsys):
    change(events[2])
    output = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("verify_audit", "--threads", "1", stdout=output)
    assert stopped.value.code == 1
    assert f"Event {events[2].pk:,} was changed after it was sealed." in output.getvalue()


def test_head_of_another_portal_or_changed_head_is_refused_with_exit_code_two(events, tmp_path, settings):
    name = export(tmp_path)
    document = json.loads((tmp_path / "head.json").read_text())
    broken = [document["head"][:-4] + "AAAA", "{", '{"head": 1}', "", "[]"]
    for text in broken:
        (tmp_path / "broken").write_text(text)
        with pytest.raises(CommandError, match="is no head") as refused:
            run("--head", str(tmp_path / "broken"))
        assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="No such file"):
        run("--head", str(tmp_path / "nowhere"))
    settings.ISSUER = "https://elsewhere.example"
    with pytest.raises(CommandError, match="is no head"):
        run("--head", name)


def test_head_is_no_access_token(events, client):
    """Its type keeps it apart from tokens that the same keys sign (RFC 8725 section 3.11)."""
    token = activity_heads.export(actor=SYSTEM).token
    answer = client.get("/admin/activity", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_head_that_was_signed_by_a_key_that_is_retired_or_revoked_since_still_counts(events, tmp_path):
    head = export(tmp_path)
    rotation.revoke(SigningKey.objects.get(algorithm="ES256", state="active"), actor=SYSTEM)
    seal_all()
    assert "complete" in run("--head", head)


def test_forged_head_in_the_database_is_named(events, tmp_path):
    export(tmp_path)
    owner("UPDATE consumers_signedhead SET position = position - 1")
    told = json.loads(_failing("--json"))
    assert {problem["kind"] for problem in told["problems"]} == {"signature"}


def _failing(*words):
    output = StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_audit", "--threads", "1", *words, stdout=output)
    return output.getvalue()


@pytest.mark.django_db(transaction=True)
def test_parts_that_are_verified_at_the_same_time_find_the_same(acme):
    made = [record(acme) for _ in range(50)]
    seal_all()
    assert activity_check.verify(threads=3).problems == []
    change(made[30])
    assert [problem.event for problem in activity_check.verify(threads=3).problems] == [made[30].pk]


# -- The worker -------------------------------------------------------------------------------------------------------


def verify_by_steps():
    activity_check.request()
    while activity_check.advance():
        pass
    return Verification.objects.first()


def test_worker_verifies_once_a_day_and_when_asked(events):
    activity_check.request_daily()
    activity_check.request()
    assert Verification.objects.count() == 1
    row = verify_by_steps()
    assert (row.problems, row.finished_at is not None) == ([], True)
    activity_check.request_daily()
    assert Verification.objects.count() == 1
    Verification.objects.update(requested_at=timezone.now() - timedelta(days=1, minutes=1))
    activity_check.request_daily()
    assert Verification.objects.count() == 2


def test_operators_are_mailed_what_is_found_once(events, olga):
    UserFactory(is_staff=True, email="no-rights@provider.example")
    change(events[2])
    assert [problem["event"] for problem in verify_by_steps().problems] == [events[2].pk]
    (told,) = mail.outbox
    assert told.to == ["olga@provider.example"]
    assert f"Event {events[2].pk:,} was changed after it was sealed." in told.body
    verify_by_steps()
    assert len(mail.outbox) == 1


def test_head_is_signed_once_a_day_where_the_chain_has_grown(acme):
    activity_heads.sign_daily()
    assert not SignedHead.objects.exists()
    record(acme)
    seal_all()
    activity_heads.sign_daily()
    activity_heads.sign_daily()
    assert SignedHead.objects.count() == 1


def test_events_that_wait_are_told(acme):
    record(acme, age=timedelta(days=1))
    record(acme)
    waiting = work_status.unsealed()
    assert waiting.waiting == 2
    assert 86_000 < waiting.seconds_late < 87_000
    seal_all()
    assert work_status.unsealed().waiting == 0


def test_readiness_warns_of_events_that_have_waited_for_long(acme, client):
    record(acme)
    assert "record" not in client.get("/health/ready").json().get("warnings", {})
    record(acme, age=timedelta(days=1))
    UnsealedEvent.objects.order_by("-pk").last().delete()
    answer = client.get("/health/ready")
    assert (answer.status_code, "15 minutes" in answer.json()["warnings"]["record"]) == (200, True)
    seal_all()
    assert "record" not in client.get("/health/ready").json().get("warnings", {})


# -- Expiry -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def old(acme, globex, settings):
    """Six events of 400 days ago and four of now, all sealed."""
    settings.RETENTION_DAYS = settings.RETENTION_DAYS | {"EVENT": 365}
    made = [record(consumer, timedelta(days=400)) for consumer in (acme, globex, None) * 2]
    made += [record(consumer) for consumer in (acme, globex, None, acme)]
    seal_all()
    return made


def test_expired_events_are_deleted_and_a_signed_head_stands_for_them(old):
    kept = activity_heads.export(actor=SYSTEM)
    tasks.delete_expired_events()
    seal_all()
    assert not Event.objects.filter(pk__in=[event.pk for event in old[:6]]).exists()
    assert EventSeal.objects.first().event_id == old[6].pk
    report = activity_check.verify(threads=1)
    assert (report.problems, report.expired, kept.position) == ([], 6, 10)
    assert Event.objects.filter(name="activity.expired").get().detail == {"days": 365}
    tasks.delete_expired_events()
    assert SignedHead.objects.filter(kind="expiry").count() == 1


def test_nothing_expires_unless_the_setting_says_so(old, settings):
    settings.RETENTION_DAYS = settings.RETENTION_DAYS | {"EVENT": 0}
    tasks.delete_expired_events()
    assert Event.objects.filter(pk__in=[event.pk for event in old]).count() == 10


def test_what_is_removed_after_the_expired_events_is_still_named(old):
    tasks.delete_expired_events()
    seal_all()
    owner(f"DELETE FROM consumers_event WHERE id = {old[7].pk}")
    assert [(p.kind, p.event) for p in activity_check.verify(threads=1).problems] == [("removed", old[7].pk)]


def test_forged_head_stands_for_nothing(old):
    owner(
        f"DELETE FROM consumers_event WHERE id <= {old[7].pk}",
        "DELETE FROM consumers_eventseal WHERE position <= 8",
        "INSERT INTO consumers_signedhead (kind, position, hash, signed_at, token) "
        "VALUES ('expiry', 8, '', now(), 'x')",
    )
    assert [p.kind for p in activity_check.verify(threads=1).problems] == ["missing", "signature"]


def test_deletion_that_was_cut_short_is_continued(old, monkeypatch):
    monkeypatch.setattr("consumers.actions.expiry.delete_expired", lambda through: 0)
    tasks.delete_expired_events()
    monkeypatch.undo()
    with connection.cursor() as cursor:
        cursor.execute("SELECT delete_expired_events(6, 2)")
    assert EventSeal.objects.first().position == 3
    assert activity_check.verify(threads=1).problems == []
    tasks.delete_expired_events()
    assert EventSeal.objects.first().position == 7


def test_what_expires_during_a_verification_is_no_problem(old):
    """The beginning is looked at first; by the time that its seals are read, they have expired."""
    start = verification.anchor(activity_heads.expiry())
    tasks.delete_expired_events()
    assert verification.verify_seals(verification.Part(0, 10), start)[0].kind == "missing"
    assert activity_check._verify_step(verification.Part(0, 10), start, 100) == []


def test_database_deletes_no_event_that_is_young_or_for_which_no_head_stands(old):
    with connection.cursor() as cursor:
        for through in (6, 10):
            with pytest.raises(Exception, match="append-only"), transaction.atomic():
                cursor.execute("SELECT delete_expired_events(%s, 100)", [through])
    activity_heads.sign_expiry(10)
    with connection.cursor() as cursor, pytest.raises(Exception, match="append-only"), transaction.atomic():
        cursor.execute("SELECT delete_expired_events(10, 100)")


# -- The operators' page ----------------------------------------------------------------------------------------------

PAGE = "/operators/consumers/event/verify/"


def test_page_tells_what_was_found(events, olga, browser_of):
    browser = browser_of(olga)
    assert "has not been verified yet" in browser.get(PAGE).text
    browser.post(PAGE)
    assert "The worker verifies the record" in browser.get(PAGE).text
    verify_by_steps()
    assert "The record is complete." in browser.get(PAGE).text
    change(events[2])
    verify_by_steps()
    page = browser.get(PAGE).text
    assert "The record was changed" in page
    assert bytes(EventSeal.objects.get(event_id=events[2].pk).digest).hex() in page
    assert "Find the way in." in page


def test_head_is_exported_as_a_file_and_recorded(events, olga, browser_of, tmp_path):
    answer = browser_of(olga).post("/operators/consumers/event/head/")
    assert answer["Content-Disposition"] == f'attachment; filename="activity-head-{chain.head().position}.json"'
    (tmp_path / "head.json").write_bytes(answer.content)
    seal_all()
    assert "complete" in run("--head", str(tmp_path / "head.json"))
    event = Event.objects.get(name="activity.head.exported")
    assert (event.actor_id, event.detail["position"]) == (str(olga.pk), answer.json()["position"])


def test_pages_are_for_operators_who_may_read_the_activity(events, alice, browser_of, client):
    person = UserFactory(is_staff=True)
    for path in (PAGE, "/operators/consumers/event/head/"):
        assert browser_of(person).post(path).status_code == 403
        assert browser_of(alice).post(path).status_code in (302, 403)
    assert not Verification.objects.exists()


def test_program_of_an_operator_exports_a_head(events, olga, alice, client, tmp_path):
    def post(person):
        end = timezone.now() + timedelta(days=1)
        _, token = create_token(
            user=person, name="Test", scopes=["activity:read"], expires_at=end, actor=actor_for(person)
        )
        return client.post("/admin/activity/head", headers={"Authorization": f"Bearer {token}"})

    assert post(alice).status_code == 403
    answer = post(olga)
    assert answer.status_code == 200
    (tmp_path / "head.json").write_bytes(answer.content)
    seal_all()
    assert "complete" in run("--head", str(tmp_path / "head.json"))
