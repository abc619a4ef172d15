"""Deletion of rows that have expired."""

from datetime import timedelta

from django.utils import timezone

from authority.authorization import pushed_requests, sign_ins
from authority.models import DeviceRequest, OpaqueToken, RevokedToken, SpentIdentifier, TokenFamily
from authority.tokens.codes import Grant
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
    sign_ins.delete_expired()
