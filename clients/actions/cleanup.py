"""Periodic deletion of self-registered clients and old initial access tokens."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from clients.actions import clients as client_actions
from clients.models import Client, InitialAccessToken, OpenRegistration
from clients.models.registration import RegistrationMethod
from consumers.audit import SYSTEM
from core.sweeps import delete_in_batches

BATCH_SIZE = 500
IDLE_DAYS = 90  # of clients with a metadata document, which are registered again when they come back
EXPIRED_FOR = timedelta(days=30)


def delete_idle_clients() -> None:
    """Delete unused clients that registered openly or by document, and self-registered ones that expired a while ago.

    A few at a time: BATCH_SIZE a run, each in a transaction of its own. Those that another worker has locked are left
    to it.
    """
    now = timezone.now()
    open_registration = OpenRegistration.objects.first()
    idle = timedelta(days=open_registration.idle_days if open_registration else IDLE_DAYS)
    clients = Client.objects.annotate(active_at=Coalesce("last_used_at", "created"))
    unused = Q(self_registration__method=RegistrationMethod.OPEN, active_at__lt=now - idle) | Q(
        self_registration__method=RegistrationMethod.DOCUMENT, active_at__lt=now - timedelta(days=IDLE_DAYS)
    )
    expired = Q(self_registration__isnull=False, expires_at__lt=now - EXPIRED_FOR)
    ended = clients.filter(unused | expired).order_by("pk")
    for pk in list(ended.values_list("pk", flat=True)[:BATCH_SIZE]):
        with transaction.atomic():
            for client in ended.filter(pk=pk).select_for_update(skip_locked=True, of=("self",)):
                client_actions.delete_client(client=client, actor=SYSTEM)
    delete_in_batches(
        InitialAccessToken.objects.filter(
            expires_at__lt=now - timedelta(days=settings.RETENTION_DAYS["INITIAL_ACCESS_TOKEN"])
        ),
        "expires_at",
    )
