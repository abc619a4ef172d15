"""What people ask operators for: a workspace, and permissions for the consumer of theirs (docs/requests.md)."""

import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from clients.models.apis import Scope
from consumers.models import Consumer


class RequestState(models.TextChoices):
    UNVERIFIED = "unverified", "Address not confirmed"
    OPEN = "open", "Open"
    ASKED = "asked", "Asked back"
    APPROVED = "approved", "Approved"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"


UNDECIDED = (RequestState.OPEN.value, RequestState.ASKED.value)


class RequestQuerySet[R: models.Model](models.QuerySet[R]):
    def undecided(self) -> Self:
        return self.filter(state__in=UNDECIDED)

    def shown(self) -> Self:
        """Return what operators may see: nothing of which nobody has confirmed the address."""
        return self.exclude(state=RequestState.UNVERIFIED)


class Request(models.Model):
    """What both kinds have in common: who asked why, what was asked back, and how it was decided."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reason = models.CharField(max_length=1000)
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.OPEN)
    question = models.CharField(max_length=1000, blank=True)
    answer = models.CharField(max_length=1000, blank=True)
    decision = models.CharField(max_length=1000, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    decided_by_label = models.CharField(max_length=254, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)  # when what was approved ends
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_undecided(self) -> bool:
        return self.state in UNDECIDED

    @property
    def since(self) -> datetime:
        """Return since when it waits."""
        return self.created_at


class WorkspaceRequest(Request):
    """A stranger's wish for a workspace. Only a digest of the token of their link is stored."""

    # Erasing a person deletes the rows of their address (consumers/actions/erasure.py).
    ERASED_WITH_ADDRESS: ClassVar[bool] = True

    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=150)
    organisation = models.CharField(max_length=100)
    scopes = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    terms = models.CharField(max_length=2000, blank=True)  # the address of those that were accepted
    has_code = models.BooleanField(default=False)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    verified_at = models.DateTimeField(null=True, blank=True, editable=False)
    consumer = models.ForeignKey(Consumer, models.SET_NULL, null=True, blank=True, related_name="+", editable=False)

    objects = RequestQuerySet["WorkspaceRequest"].as_manager()

    class Meta:
        ordering = ["-created_at", "pk"]
        indexes = [
            models.Index(fields=["state", "-created_at"], name="workspace_request_state"),
            models.Index(fields=["decided_at"], name="workspace_request_decided"),
        ]

    def __str__(self) -> str:
        return self.organisation  # without the address, which nobody may have confirmed

    @property
    def domain(self) -> str:
        return self.email.rpartition("@")[2].lower()

    @property
    def since(self) -> datetime:
        return self.verified_at or self.created_at


class PermissionRequest(Request):
    """A manager's wish for a scope that their consumer may not use."""

    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="permission_requests")
    scope = models.ForeignKey(Scope, models.CASCADE, related_name="requests")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_by_label = models.CharField(max_length=254, editable=False)

    objects = RequestQuerySet["PermissionRequest"].as_manager()

    class Meta:
        ordering = ["-created_at", "pk"]
        indexes = [models.Index(fields=["state", "-created_at"], name="permission_request_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["consumer", "scope"], condition=models.Q(state__in=UNDECIDED), name="permission_request_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.scope.value} for {self.consumer}"
