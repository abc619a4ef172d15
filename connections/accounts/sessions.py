"""Keep in step with browser sessions: which of them began at a provider."""

from typing import Any

from django.dispatch import receiver

from connections.models import ConnectionSession
from consumers.accounts.sessions import session_ended, session_moved


@receiver(session_moved)
def update_session_key(old: str, new: str, **kwargs: Any) -> None:
    ConnectionSession.objects.filter(session_key=old).update(session_key=new)


@receiver(session_ended)
def forget_session(key: str, **kwargs: Any) -> None:
    ConnectionSession.objects.filter(session_key=key).delete()
