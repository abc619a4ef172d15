"""Sessions in the database: moved to another key, and ended."""

import pytest

from consumers.accounts.sessions import SessionStore, session_ended, session_moved

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended():
    """Collect the keys of sessions whose end is told."""
    keys = []

    def note(sender, key, **kwargs):
        keys.append(key)

    session_ended.connect(note)
    yield keys
    session_ended.disconnect(note)


@pytest.fixture
def session():
    session = SessionStore()
    session["name"] = "value"
    session.create()
    return session


def test_a_session_that_gets_another_key_does_not_end(session, ended):
    session.cycle_key()
    assert ended == []
    assert session["name"] == "value"


def test_a_session_whose_move_failed_tells_its_end_later(session, ended):
    def fail(sender, **kwargs):
        raise RuntimeError("the receiver failed")

    session_moved.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            session.cycle_key()
    finally:
        session_moved.disconnect(fail)
    session.delete()
    assert ended == [session.session_key]
