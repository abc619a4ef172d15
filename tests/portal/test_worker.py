"""The worker delivers when mail is committed, runs its periodic tasks, bears a lost database, and stops when told."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.mail import send_mail
from django.db import connection, connections
from django.utils import timezone

from core.mail import MailQueue
from core.models import Message, Submission
from portal import worker
from portal.demo import mailbox
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(settings, tmp_path):
    settings.MAIL_DIR = tmp_path / "mail"
    settings.MAILERS = {
        "default": {"BACKEND": "core.mail.OutboxBackend"},
        "delivery": {"BACKEND": "portal.demo.mailbox.FolderBackend"},
    }
    return settings.MAIL_DIR


@contextmanager
def working():
    stop = threading.Event()

    def run():
        try:
            worker.Worker(stop).run()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=120)
        assert not thread.is_alive()


def eventually(condition, seconds=50):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def delivered(folder):
    return len(list(folder.glob("*.eml")))


def test_mail_wakes_the_worker(folder, monkeypatch):
    monkeypatch.setattr(worker, "POLL", 3600)
    with working():
        assert eventually(listening)
        send_mail("Hello", "You", None, ["jonas@acme.example"])
        assert eventually(lambda: delivered(folder) == 1)
    assert Message.objects.get().state == "sent"


def listening():
    """Say whether a worker is connected and past its first statement, which is LISTEN."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state = 'idle' AND query NOT ILIKE '%set_config%' AND query <> ''"
        )
        return cursor.fetchone()[0] > 0


def test_what_became_due_is_found_without_being_woken(folder, monkeypatch):
    monkeypatch.setattr(worker, "POLL", 0.1)
    send_mail("Hello", "You", None, ["jonas@acme.example"])
    Message.objects.update(next_attempt_at=timezone.now() + timedelta(seconds=1))
    with working():
        assert eventually(lambda: delivered(folder) == 1)


def test_a_lost_connection_is_made_anew(folder, monkeypatch):
    monkeypatch.setattr(worker, "POLL", 0.2)
    with working():
        assert eventually(listening)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        send_mail("Hello", "You", None, ["jonas@acme.example"])
        assert eventually(lambda: delivered(folder) == 1)


def test_periodic_tasks_forget_what_is_old_and_nothing_else(folder, client):
    person = UserFactory()
    now = timezone.now()
    for days in (1, 3):
        Submission.objects.create(key=f"00000000-0000-4000-8000-00000000000{days}", user=person, created_at=now)
        Submission.objects.filter(key__endswith=str(days)).update(created_at=now - timedelta(days=days))
    for state in Message.State:
        for days in (1, 31):
            Message.objects.create(
                recipients="x", subject="x", state=state, created_at=now - timedelta(days=days), next_attempt_at=now
            )
    Message.objects.filter(state="waiting").update(next_attempt_at=now + timedelta(days=1))
    for key, days in (("kept", 1), ("gone", -1)):
        Session.objects.create(session_key=key, session_data="", expire_date=now + timedelta(days=days))
        UserSession.objects.create(user=person, session_key=key, ip="192.0.2.1", user_agent="x")
    for task in worker.PERIODIC_TASKS:
        task()
    assert [str(key)[-1] for key in Submission.objects.values_list("key", flat=True)] == ["1"]
    old = Message.objects.filter(created_at__lt=now - timedelta(days=30))
    assert [message.state for message in old] == ["waiting"]
    assert Message.objects.count() == 4
    assert [session.session_key for session in Session.objects.all()] == ["kept"]
    assert [session.session_key for session in UserSession.objects.all()] == ["kept"]


def test_the_command_stops_cleanly_when_told(settings, tmp_path):
    shutil.copy(settings.DATA_DIR / "identity.json", tmp_path)  # whose keys open what is in the database
    environ = os.environ | {"DATABASE_URL": settings.DATABASE_URL, "DATA_DIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "work"], cwd=settings.BASE_DIR, env=environ, stderr=subprocess.PIPE, text=True
    )
    said = []  # an empty database is told of first
    for line in iter(process.stderr.readline, ""):
        said.append(line)
        if "the worker is ready" in line:
            break
    assert "the worker is ready" in "".join(said[-1:]), "".join(said)
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "the worker has stopped" in rest


def test_each_mail_gets_a_file_of_its_own(folder):
    for number in range(5):
        send_mail(f"Mail {number}", "You", None, ["jonas@acme.example"])
    with working():
        assert eventually(lambda: delivered(folder) == 5)
    newest = sorted(folder.glob("*.eml"))[-1]
    assert mailbox.parse_mail(newest).subject == "Mail 4"


class Endless(MailQueue):
    """A queue whose servers are slow, and that never ends."""

    def __init__(self):
        self.tried = 0

    def deliver_next(self):
        self.tried += 1
        time.sleep(0.02)
        return True


def test_slow_servers_put_off_neither_mail_nor_tasks(folder, monkeypatch):
    endless, ran = Endless(), threading.Event()
    monkeypatch.setattr(worker, "QUEUES", (endless, *worker.QUEUES))
    monkeypatch.setattr(worker, "PERIODIC_TASKS", [ran.set])
    send_mail("Hello", "You", None, ["jonas@acme.example"])
    with working():
        assert ran.wait(50)
        assert eventually(lambda: delivered(folder) == 1)
        tried = endless.tried
        assert eventually(lambda: endless.tried > tried)


def test_a_task_that_fails_skips_no_other(folder, monkeypatch, caplog):
    ran = threading.Event()

    def divide():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    def fail():
        raise LookupError

    def disconnect():
        with connection.cursor() as cursor:
            if not ran.is_set():
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    def after():
        again.append(ran.is_set())
        ran.set()

    again = []
    monkeypatch.setattr(worker, "PERIODIC_TASKS", [divide, fail, after, disconnect, after])
    with working():
        assert eventually(lambda: again == [False, True])  # and what lost the connection was tried once more
    assert "the task divide failed" in caplog.text
    assert "the task fail failed" in caplog.text


def test_a_fault_of_our_own_does_not_end_the_worker(folder, monkeypatch, caplog):
    class Faulty(MailQueue):
        failed = False

        def deliver_next(self):
            if not self.failed:
                self.failed = True
                raise LookupError("something that nobody thought of")
            return False

    monkeypatch.setattr(worker, "QUEUES", (Faulty(), *worker.QUEUES))
    send_mail("Hello", "You", None, ["jonas@acme.example"])
    with working():
        assert eventually(lambda: delivered(folder) == 1)
    assert "something that nobody thought of" in caplog.text
