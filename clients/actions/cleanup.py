"""What is cleared away of clients that registered themselves, by rule and not by hand."""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from clients.actions import clients as client_actions
from clients.models import Client, InitialToken, OpenRegistration
from clients.models.registration import Origin
from consumers.audit import SYSTEM

BATCH = 500
IDLE_DAYS = 90  # of clients by metadata document, which come back by themselves
ENDED_FOR = timedelta(days=30)


def forget_idle() -> None:
    """Delete what registered itself openly and is not used, and what ended a month ago."""
    now = timezone.now()
    door = OpenRegistration.objects.first()
    idle = timedelta(days=door.idle_days if door else IDLE_DAYS)
    clients = Client.objects.annotate(active_at=Coalesce("last_used_at", "created"))
    unused = Q(self_registration__how=Origin.OPEN, active_at__lt=now - idle) | Q(
        self_registration__how=Origin.DOCUMENT, active_at__lt=now - timedelta(days=IDLE_DAYS)
    )
    ended = Q(self_registration__isnull=False, expires_at__lt=now - ENDED_FOR)
    for client in clients.filter(unused | ended).order_by("pk")[:BATCH]:
        client_actions.delete_client(client=client, actor=SYSTEM)
    InitialToken.objects.filter(expires_at__lt=now - timedelta(days=365)).delete()
