"""Periodic deletion of browser sessions that have expired."""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from core.sweeps import delete_in_batches


def delete_expired_sessions() -> None:
    """Delete the sessions that have expired, and the list entries of sessions that are gone."""
    delete_in_batches(Session.objects.filter(expire_date__lt=timezone.now()), "expire_date")
    is_gone = ~Exists(Session.objects.filter(pk=OuterRef("session_key")))
    delete_in_batches(UserSession.objects.all(), "pk", ended=Q(is_gone))
