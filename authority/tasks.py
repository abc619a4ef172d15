"""Deletion of expired rows, in batches, so that no statement locks many rows for long."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from authority.authorization import pushed_requests, sign_ins
from authority.models import DeviceRequest, OpaqueToken, RevokedToken, SpentIdentifier, TokenFamily
from authority.tokens.codes import Grant

BATCH = 5_000


def delete_expired() -> None:
    """Delete expired tokens, codes and requests, and the records of revoked tokens and used identifiers."""
    now = timezone.now()
    for ended in (
        RevokedToken.objects.filter(expires_at__lt=now),
        SpentIdentifier.objects.filter(expires_at__lt=now),
        OpaqueToken.objects.filter(expires_at__lt=now),
        TokenFamily.objects.filter(retain_until__lt=now),
        DeviceRequest.objects.filter(expires_at__lt=now - timedelta(hours=1)),  # expired_token until then
        Grant.objects.filter(expires__lt=now),
        pushed_requests.expired(),
        sign_ins.expired(),
    ):
        delete_in_batches(ended)


def delete_in_batches(rows: QuerySet[Any]) -> None:
    """Delete the rows in batches, each of which is a transaction."""
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=keys).delete()
