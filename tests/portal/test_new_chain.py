# ruff: noqa: S608  # statements are put together of the names and numbers of this file
"""A new chain names what was found before, and the evidence that is kept of it."""

import hashlib
import io
import json
import zipfile

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authority.keys import activity_heads, chain_starts
from authority.models import SigningKey
from consumers.audit import SYSTEM
from consumers.models import Event, EventSeal, SignedHead, Verification
from core.errors import Conflict
from core.jose import jws
from portal import activity_check, evidence
from tests.consumers.activity.test_chain import owner, seal_all
from tests.factories import UserFactory
from tests.portal.test_verify_audit import PAGE, change, record, run, verify_by_steps

pytestmark = pytest.mark.django_db

CHAIN, EVIDENCE = "/operators/consumers/event/chain/", "/operators/consumers/event/evidence/"


@pytest.fixture
def events(acme):
    made = [record(acme) for _ in range(6)]
    seal_all()
    return made


def start(note="A slip of the hand"):
    return chain_starts.start(Verification.objects.exclude(finished_at=None).first(), note=note, actor=SYSTEM)


def found():
    report = activity_check.verify(threads=1)
    row = verify_by_steps()
    assert [problem["text"] for problem in row.problems] == [problem.text for problem in report.problems]
    assert [problem["text"] for problem in row.named] == [problem.text for problem in report.named][:100]
    return [problem.event for problem in report.problems], [problem.event for problem in report.named]


# -- What a new chain names -------------------------------------------------------------------------------------------


def test_what_is_named_is_a_problem_no_more_and_what_is_new_is(events, acme, olga):
    change(events[2])
    verify_by_steps()
    assert len(mail.outbox) == 1
    start()
    seal_all()
    assert found() == ([], [events[2].pk])
    said = run()
    assert said.startswith("Nothing new was found: ")
    assert f"- Event {events[2].pk:,} was changed after it was sealed." in said
    assert not json.loads(run("--json"))["complete"]
    assert len(mail.outbox) == 1
    record(acme)
    seal_all()
    change(events[4])  # before the new chain, and not named
    assert found() == ([events[4].pk], [events[2].pk])
    assert len(mail.outbox) == 2
    start("And another")
    seal_all()
    assert found() == ([], [events[2].pk, events[4].pk])


def test_seals_that_were_removed_or_computed_again_are_named_too(events, tmp_path):
    activity_heads.export(actor=SYSTEM)
    seal_all()
    owner("UPDATE consumers_eventseal SET hash = sha256(hash) WHERE position = 3")
    owner("DELETE FROM consumers_eventseal WHERE position = 5")
    verify_by_steps()
    kinds = sorted(problem["kind"] for problem in Verification.objects.first().problems)
    assert {"broken", "missing"} <= set(kinds)
    start()
    seal_all()
    assert found()[0] == []


def test_of_more_problems_than_are_told_each_new_chain_names_a_part(acme):
    made = [record(acme) for _ in range(130)]
    seal_all()
    for event in made[:120]:
        change(event)
    assert len(verify_by_steps().problems) == 100
    start()
    seal_all()
    assert len(verify_by_steps().problems) == 20
    start()
    seal_all()
    assert verify_by_steps().problems == []
    assert len(activity_check.verify(threads=1).named) == 120
    change(made[125])
    assert found()[0] == [made[125].pk]


def test_what_grows_after_it_was_named_is_told(events, acme):
    """A name is no licence to change more: of an erasure's events, or of a gap in the chain."""
    record(acme)
    seal_all()
    owner(f"UPDATE consumers_event SET erased_by = {events[0].pk} WHERE id = {events[3].pk}")
    owner("DELETE FROM consumers_eventseal WHERE position = 5")
    verify_by_steps()
    start()
    assert verify_by_steps().problems == []
    owner(f"UPDATE consumers_event SET erased_by = {events[0].pk} WHERE id = {events[2].pk}")
    owner("DELETE FROM consumers_eventseal WHERE position = 6")
    kinds = {problem["kind"] for problem in verify_by_steps().problems}
    assert {"erased", "missing"} <= kinds


def test_a_head_that_was_kept_elsewhere_is_compared_whatever_a_new_chain_names(events, tmp_path):
    kept = tmp_path / "head.json"
    kept.write_text(run("--export"))
    owner("UPDATE consumers_eventseal SET hash = sha256(hash) WHERE position = 6")
    verify_by_steps()
    start()
    seal_all()
    assert activity_check.verify(threads=1).problems == []
    with pytest.raises(SystemExit):
        run("--head", str(kept))


def test_a_chain_that_starts_during_a_verification_names_what_it_has_found(events):
    change(events[2])
    verify_by_steps()
    activity_check.request()
    while Verification.objects.get(finished_at=None).position == 0:
        activity_check.advance()
    assert Verification.objects.get(finished_at=None).problems
    start()
    while activity_check.advance():
        pass
    assert (Verification.objects.first().problems, len(Verification.objects.first().named)) == ([], 1)


def test_forged_start_names_nothing(events):
    change(events[2])
    verify_by_steps()
    start()
    seal_all()
    owner("UPDATE consumers_signedhead SET token = replace(token, '.', 'x.')")
    kinds = {problem.kind for problem in activity_check.verify(threads=1).problems}
    assert kinds == {"changed", "signature"}


def test_only_what_was_looked_at_is_named(events):
    change(events[2])
    seen = verify_by_steps()
    change(events[3])
    verify_by_steps()
    with pytest.raises(Conflict, match="Another verification"):
        chain_starts.start(seen, note="", actor=SYSTEM)
    assert not SignedHead.objects.filter(kind="start").exists()


# -- The pages --------------------------------------------------------------------------------------------------------


def test_operator_with_full_rights_starts_a_chain_and_says_what_it_was(events, olga, browser_of):
    browser = browser_of(olga)
    assert browser.get(CHAIN)["Location"] == PAGE  # there is nothing to name
    change(events[2])
    verify_by_steps()
    assert CHAIN in browser.get(PAGE).text
    page = browser.get(CHAIN).text
    assert "1 problem stays in the record," in page
    seen = Verification.objects.first().pk
    assert f"Event {events[2].pk:,} was changed after it was sealed." in page
    assert browser.post(CHAIN, {"reason": " ", "verification": seen}).status_code == 422
    verify_by_steps()
    told = browser.post(CHAIN, {"reason": "A slip of the hand", "verification": seen}, follow=True).text
    assert "Another verification has finished since." in told
    assert not SignedHead.objects.filter(kind="start").exists()
    mail.outbox.clear()
    seen = Verification.objects.first().pk
    assert browser.post(CHAIN, {"reason": "A slip of the hand", "verification": seen})["Location"] == PAGE
    event = Event.objects.get(name="activity.chain.started")
    assert event.detail == {"position": 7, "problems": 1, "note": "A slip of the hand"}
    assert [told.to for told in mail.outbox] == [["olga@provider.example"]]
    verify_by_steps()
    page = browser.get(PAGE).text
    assert "Nothing new was found." in page
    assert "A new chain started at position 7." in page
    assert f"Event {events[2].pk:,} was changed after it was sealed." in page


def test_a_session_from_before_is_asked_who_it_is(events, olga, browser_of):
    change(events[2])
    verify_by_steps()
    browser = browser_of(olga)
    session = browser.session
    for method in session["account_authentication_methods"]:
        method["at"] -= 3600
    session.save()
    sent = {"reason": "x", "verification": Verification.objects.first().pk}
    assert "/reauthenticate/" in browser.post(CHAIN, sent)["Location"]
    assert not SignedHead.objects.filter(kind="start").exists()


def test_readers_of_the_activity_export_evidence_and_start_no_chain(events, browser_of):
    change(events[2])
    verify_by_steps()
    reader, other = UserFactory(is_staff=True), UserFactory(is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_event"))
    for path in (CHAIN, EVIDENCE):
        assert browser_of(other).post(path).status_code == 403
    assert browser_of(reader).post(CHAIN, {"reason": "x"}).status_code == 403
    page = browser_of(reader).get(PAGE).text
    assert "An operator with full rights can start it." in page
    assert "postgresql.log" not in opened(browser_of(reader).post(EVIDENCE).getvalue())
    assert browser_of(reader).get(EVIDENCE).status_code == 405


# -- The evidence -----------------------------------------------------------------------------------------------------


def opened(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name.removeprefix("evidence/"): archive.read(name) for name in archive.namelist()}


def lines(data):
    return [json.loads(line) for line in data.decode().splitlines()]


def test_evidence_holds_the_record_and_is_signed(events, olga, browser_of):
    activity_heads.export(actor=SYSTEM)
    change(events[2])
    verify_by_steps()
    answer = browser_of(olga).post(EVIDENCE)
    assert answer["Content-Disposition"] == 'attachment; filename="activity-evidence.zip"'
    files = opened(answer.getvalue())
    signed = files.pop("evidence.jwt").decode()
    claims = jws.decode(signed, lambda kid: SigningKey.objects.get(kid=kid).public_jwk, typ="activity-evidence+jwt")
    assert claims["sha256"] == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert claims["position"] == EventSeal.objects.count()
    rows = files["events.jsonl"].decode().splitlines()
    assert len(rows) == Event.objects.count()
    seals = {seal["event"]: seal for seal in lines(files["seals.jsonl"])}
    digests = {json.loads(row)[0]: hashlib.sha256(row.encode()).hexdigest() for row in rows}
    differing = [event for event, seal in seals.items() if digests[event] != seal["digest"]]
    assert differing == [events[2].pk]
    assert [head["kind"] for head in lines(files["heads.jsonl"])] == ["export"]
    assert json.loads(files["verifications.json"])[0]["problems"][0]["event"] == events[2].pk
    assert Event.objects.get(name="activity.evidence.exported").actor_id == str(olga.pk)


def test_evidence_tells_who_may_change_the_record(events):
    def database():
        return json.loads(opened(b"".join(evidence.export(actor=SYSTEM, with_log=True)))["database.json"])

    working = {row["name"] for row in database()["triggers"] if row["works"]}
    assert "event_append_only" in working
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE consumers_event DISABLE TRIGGER USER")
    told = database()
    off = {row["table"] for row in told["triggers"] if not row["works"] and row["name"] in working}
    assert off == {"consumers_event"}
    assert {row["table"] for row in told["tables"]} >= {
        "consumers_event",
        "consumers_eventseal",
        "consumers_signedhead",
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        name, is_superuser = cursor.fetchone()
    assert told["server"]["user"] == name
    assert {row["role"]: row["superuser"] for row in told["roles"]}[name] == is_superuser


def test_evidence_has_the_log_where_the_portal_may_read_it(events, monkeypatch):
    assert b"LOG:" in opened(b"".join(evidence.export(actor=SYSTEM, with_log=True)))["postgresql.log"]
    monkeypatch.setattr(evidence, "LONGEST_LOG", 100)
    assert len(opened(b"".join(evidence.export(actor=SYSTEM, with_log=True)))["postgresql.log"]) == 100
    owner("CREATE ROLE reader_of_nothing")
    with connection.cursor() as cursor:
        cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_of_nothing")
        cursor.execute("SET LOCAL ROLE reader_of_nothing")
        assert evidence._log() is None
        cursor.execute("RESET ROLE")


def test_evidence_is_made_piece_by_piece_while_it_is_sent(events, acme, monkeypatch):
    for _ in range(40):
        record(acme)
    seal_all()
    monkeypatch.setattr(evidence, "PIECE", 1)
    monkeypatch.setattr("consumers.activity.verification.TEXTS", 7)
    pieces = evidence.export(actor=SYSTEM, with_log=False)
    with CaptureQueriesContext(connection) as asked:
        first = next(pieces)
    assert not any("consumers_event event" in query["sql"] for query in asked)
    with CaptureQueriesContext(connection) as asked:
        whole = first + b"".join(pieces)
    assert sum("consumers_event event" in query["sql"] for query in asked) > Event.objects.count() // 7
    assert len(lines(opened(whole)["events.jsonl"])) == Event.objects.count()


def test_evidence_is_written_by_the_command_too(events, tmp_path):
    name = tmp_path / "evidence.zip"
    call_command("verify_audit", "--evidence", str(name))
    assert len(lines(opened(name.read_bytes())["events.jsonl"])) == Event.objects.count()
    assert name.stat().st_mode & 0o777 == 0o600
    for key in SigningKey.objects.all():
        key.encrypted_private_key = b"of other keys"
        key.save()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("verify_audit", "--evidence", str(tmp_path / "half.zip"))
    assert not (tmp_path / "half.zip").exists()
    for wrong in (name, tmp_path / "no" / "folder.zip"):  # nothing is overwritten
        with pytest.raises(CommandError, match="cannot be written") as refused:
            call_command("verify_audit", "--evidence", str(wrong))
        assert refused.value.returncode == 2
