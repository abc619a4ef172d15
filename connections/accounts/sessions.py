"""Keep in step with browser sessions: which of them began at a provider."""

from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q
from django.dispatch import receiver

from connections.models import ConnectionSession
from consumers.accounts.sessions import session_ended, session_moved
from core.sweeps import delete_in_batches


@receiver(session_moved)
def update_session_key(old: str, new: str, **kwargs: Any) -> None:
    ConnectionSession.objects.filter(session_key=old).update(session_key=new)


@receiver(session_ended)
def forget_session(key: str, **kwargs: Any) -> None:
    ConnectionSession.objects.filter(session_key=key).delete()


def delete_expired() -> None:
    """Delete the rows of sessions that are gone."""
    is_gone = ~Exists(Session.objects.filter(pk=OuterRef("session_key")))
    delete_in_batches(ConnectionSession.objects.all(), "pk", ended=Q(is_gone))
