"""What can no longer matter is deleted, a batch at a time, so that no statement holds many rows for long."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from authority.authorization import pushed_requests, sign_ins
from authority.models import DeviceRequest, Family, OpaqueToken, RevokedToken, SpentIdentifier
from authority.tokens.codes import Grant

BATCH = 5_000


def forget_ended() -> None:
    """Delete ended tokens and codes, and the memory of what was revoked and redeemed."""
    now = timezone.now()
    for ended in (
        RevokedToken.objects.filter(expires_at__lt=now),
        SpentIdentifier.objects.filter(expires_at__lt=now),
        OpaqueToken.objects.filter(expires_at__lt=now),
        Family.objects.filter(needed_until__lt=now),
        DeviceRequest.objects.filter(expires_at__lt=now - timedelta(hours=1)),  # a late device is still told why
        Grant.objects.filter(expires__lt=now),
        pushed_requests.ended(),
        sign_ins.ended(),
    ):
        delete(ended)


def delete(rows: QuerySet[Any]) -> None:
    """Delete the rows in batches, each of which is a transaction."""
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=keys).delete()
