"""Deletion of rows that have expired: the rows of tokens, and events of the record."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authority.authorization import login_sessions, pushed_requests, sign_ins
from authority.keys import activity_heads
from authority.models import DeviceRequest, OpaqueToken, RevokedToken, SpentIdentifier, TokenFamily
from authority.tokens.codes import Grant
from consumers.actions import expiry
from core.sweeps import delete_in_batches


def delete_expired() -> None:
    """Delete expired tokens, codes and requests, and the records of revoked tokens and used identifiers."""
    now = timezone.now()
    delete_in_batches(RevokedToken.objects.filter(expires_at__lt=now), "expires_at")
    delete_in_batches(SpentIdentifier.objects.filter(expires_at__lt=now), "expires_at")
    delete_in_batches(OpaqueToken.objects.filter(expires_at__lt=now), "expires_at")
    delete_in_batches(TokenFamily.objects.filter(retain_until__lt=now), "retain_until")
    answered_until = now - timedelta(hours=1)  # expired_token until then
    delete_in_batches(DeviceRequest.objects.filter(expires_at__lt=answered_until), "expires_at")
    delete_in_batches(Grant.objects.filter(expires__lt=now), "expires")
    pushed_requests.delete_expired()
    login_sessions.delete_expired()
    sign_ins.delete_expired()


def delete_expired_events() -> None:
    """Delete the events that are older than the setting says; a signed head stands for them, one a day at most."""
    days = settings.RETENTION_DAYS["EVENT"]
    if not days:
        return
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    position = expiry.expired_until(today - timedelta(days=days))
    last = activity_heads.expiry()
    signed = last.position if last else 0
    if position > signed:
        with transaction.atomic():
            activity_heads.sign_expiry(position)
            expiry.record_expiry(days)
        signed = position
    expiry.delete_expired(signed)
