"""A form that is sent twice is carried out once."""

import threading

import pytest
from django.db import connection

from consumers.models import Consumer
from core.idempotency import AlreadySubmitted, idempotent, new_idempotency_key
from core.models import Submission
from tests.factories import ConsumerFactory, UserFactory


@pytest.mark.django_db
def test_a_form_sent_again_learns_what_the_first_made(alice):
    key = new_idempotency_key()
    with idempotent(key=key, user=alice) as submission:
        submission.outcome = "/made/"
    with pytest.raises(AlreadySubmitted) as again, idempotent(key=key, user=alice):
        pytest.fail("the block must not run")
    assert again.value.outcome == "/made/"


@pytest.mark.django_db
def test_a_refused_form_gives_its_key_back(alice):
    key = new_idempotency_key()
    with pytest.raises(ValueError, match="refused"), idempotent(key=key, user=alice):
        raise ValueError("refused")
    with idempotent(key=key, user=alice) as submission:
        submission.outcome = "/made/"
    assert Submission.objects.get().outcome == "/made/"


@pytest.mark.django_db
def test_a_foreign_key_tells_nothing_of_what_its_owner_made(alice, mallory):
    key = new_idempotency_key()
    with idempotent(key=key, user=alice) as submission:
        submission.outcome = "/consumers/acme/"
    with idempotent(key=key, user=mallory) as submission:
        submission.outcome = "/consumers/globex/"
    assert Submission.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "not a uuid", "x" * 5000, "\u202e"])
def test_odd_keys_are_no_error(alice, key):
    with idempotent(key=key, user=alice) as submission:
        submission.outcome = "/made/"


@pytest.mark.django_db(transaction=True)
def test_of_two_submissions_at_the_same_moment_one_is_carried_out():
    person, key = UserFactory(), new_idempotency_key()
    inside, outcomes = threading.Event(), []

    def submit(slow: bool) -> None:
        try:
            with idempotent(key=key, user=person) as submission:
                ConsumerFactory(slug="made-once")
                inside.set()
                if slow:
                    threading.Event().wait(0.3)
                submission.outcome = "/made/"
            outcomes.append("done")
        except AlreadySubmitted as done:
            outcomes.append(done.outcome)
        finally:
            connection.close()

    first = threading.Thread(target=submit, args=(True,))
    first.start()
    assert inside.wait(60)
    second = threading.Thread(target=submit, args=(False,))
    second.start()
    first.join(60)
    second.join(60)
    assert sorted(outcomes) == ["/made/", "done"]
    assert Consumer.objects.count() == 1
