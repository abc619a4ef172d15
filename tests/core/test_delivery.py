"""What is due is claimed, delivered without a lock, and then written down; at least once, whoever dies meanwhile."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from core import mail
from core.delivery import LEASE
from core.mail import MailQueue
from core.models import Message

pytestmark = pytest.mark.django_db


class Queue(MailQueue):
    """The queue of mail, with another server behind it."""

    def __init__(self, server):
        self.server = server

    def deliver(self, row):
        self.server(row)


def waiting(**columns):
    return Message.objects.create(recipients="jonas@acme.example", subject="Hello", **columns)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_and_no_lock_is_held_meanwhile():
    message = waiting()
    seen = []

    def server(row):
        seen.append(connection.in_atomic_block)
        other = threading.Thread(target=look)
        other.start()
        other.join()

    def look():
        with transaction.atomic():
            seen.append(Message.objects.select_for_update(nowait=True).get().attempts)
        seen.append(Queue(server).deliver_next())  # another worker, which finds nothing to do
        connections.close_all()

    assert Queue(server).deliver_next()
    assert seen == [False, 1, False]
    message.refresh_from_db()
    assert message.state == "sent"


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_what_a_dead_worker_left_is_due_again_after_the_lease(end, time_machine):
    message = waiting()

    def dies(row):
        raise end

    with pytest.raises(end):
        Queue(dies).deliver_next()
    delivered = []
    assert not Queue(delivered.append).deliver_next()
    time_machine.move_to(timezone.now() + LEASE + timedelta(seconds=1))
    assert Queue(delivered.append).deliver_next()
    message.refresh_from_db()
    assert (message.state, message.attempts, delivered) == ("sent", 2, [message])


def test_what_ends_every_worker_is_given_up():
    message = waiting(attempts=len(MailQueue.retry_after) + 1)  # each of them died before it could say so
    delivered = []
    assert Queue(delivered.append).deliver_next()
    message.refresh_from_db()
    assert (message.state, delivered) == ("failed", [])
    assert "ended" in message.last_error


def test_any_fault_puts_it_off_and_is_written_down():
    message = waiting()

    def fails(row):
        raise LookupError("no key\0 opens it")

    assert Queue(fails).deliver_next()
    message.refresh_from_db()
    assert (message.state, message.last_error) == ("waiting", "LookupError: no key opens it")
    assert message.next_attempt_at > timezone.now() + timedelta(seconds=50)


def test_a_late_failure_does_not_undo_what_others_did_since():
    message = waiting()

    def slow(row):
        mail.try_again(message)  # by an operator, while the server keeps us waiting
        raise TimeoutError

    assert Queue(slow).deliver_next()
    message.refresh_from_db()
    assert message.attempts == 0
    assert message.next_attempt_at <= timezone.now()


def test_a_late_success_counts():
    message = waiting()
    assert Queue(lambda row: mail.try_again(message)).deliver_next()
    message.refresh_from_db()
    assert message.state == "sent"
    assert not Queue(pytest.fail).deliver_next()
