"""What the authority keeps for itself."""

import uuid
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from authority.models.sign_ins import Consent, LogoutNotice, PushedRequest, SignIn
from clients.models import ACCESS_TOKEN_LIFETIME, Client
from clients.vocabulary import GrantType, SigningAlgorithm
from consumers.models import Membership

__all__ = [
    "Consent",
    "DailyCount",
    "DeviceRequest",
    "Family",
    "LogoutNotice",
    "OpaqueToken",
    "Problem",
    "PushedRequest",
    "RefreshToken",
    "RevokedToken",
    "SignIn",
    "SigningKey",
    "SpentIdentifier",
    "TrialToken",
    "WorkloadIssuer",
]


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    def served(self) -> Self:
        """Return the keys that verify a token that lives, or will."""
        states = SigningKey.State
        return self.filter(
            models.Q(state__in=[states.NEXT, states.ACTIVE])
            | models.Q(state=states.RETIRED, serve_until__gt=timezone.now())
        )


class SigningKey(models.Model):
    """A key pair: published as next, signing while active, published until its last token has ended when retired.

    The private half rests encrypted under KEY_ENCRYPTION_KEYS, its kid inside the ciphertext, and is deleted when the
    key stops to sign. The public half stays, for old ID tokens come back as hints.
    """

    class State(models.TextChoices):
        NEXT = "next", "Next"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"
        REVOKED = "revoked", "Revoked"

    class Purpose(models.TextChoices):
        """Whose tokens it signs; sets of keys are published apart, so that no token passes for one of the other set."""

        TOKENS = "tokens", "Access and ID tokens"
        WORKLOADS = "workloads", "Workload identity tokens"

    kid = models.CharField(max_length=64, unique=True, editable=False)
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.TOKENS, editable=False)
    algorithm = models.CharField(max_length=5, choices=SigningAlgorithm, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.NEXT, editable=False)
    public_jwk = models.JSONField(editable=False)
    sealed = models.BinaryField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    activated_at = models.DateTimeField(null=True, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    # Seconds that the longest-lived token may live that was signed with it: so long it is published when retired.
    longest_lifetime = models.PositiveIntegerField(default=ACCESS_TOKEN_LIFETIME, editable=False)
    serve_until = models.DateTimeField(null=True, editable=False)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "signing key"
        ordering = ["purpose", "algorithm", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "algorithm"], condition=models.Q(state=state), name=f"signing_key_one_{state}"
            )
            for state in ("next", "active")
        ]

    def __str__(self) -> str:
        return self.kid


class WorkloadIssuer(models.Model):
    """The name of this installation's workload issuer: one row, which clouds remember, so it never changes."""

    name = models.CharField(max_length=40, primary_key=True, editable=False)
    only = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="workload_issuer_only_one")]

    def __str__(self) -> str:
        return self.name


class RevokedToken(models.Model):
    """A stateless access token that was revoked before its end; kept until then."""

    jti = models.CharField(max_length=64, primary_key=True, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.jti


class FamilyQuerySet(models.QuerySet["Family"]):
    def alive(self) -> Self:
        """Return those that nobody ended, of people who may still come in; the client is judged elsewhere."""
        membership = Membership.objects.filter(
            user=models.OuterRef("user"), consumer=models.OuterRef("client__consumer")
        )
        return self.filter(ended_at=None, user__is_active=True).filter(
            models.Q(as_member=False) | models.Exists(membership)
        )


class Family(models.Model):
    """One person's permission to one client, given once, and with it every token that descends from it.

    They end together, so this row is what is locked, judged and ended. Its `generation` says which of its refresh
    tokens is the live one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="families", editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="families", editable=False, db_index=False
    )
    # Whether the person belonged to the client's consumer; it then ends with the membership.
    as_member = models.BooleanField(default=False, editable=False)
    grant_type = models.CharField(max_length=60, editable=False)
    # The digest of the code or device code that it was given for, so that a replay ends it (RFC 6749 section 4.1.2).
    code = models.CharField(max_length=64, unique=True, null=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=100), default=list, editable=False)
    resource = models.JSONField(default=list, editable=False)
    # The thumbprint of the key that its tokens are bound to (RFC 9449 section 5), or nothing.
    dpop_jkt = models.CharField(max_length=43, blank=True, editable=False)
    began_at = models.DateTimeField(default=timezone.now, editable=False)
    generation = models.PositiveIntegerField(default=0, editable=False)
    rotated_at = models.DateTimeField(null=True, editable=False)
    graces = models.PositiveSmallIntegerField(default=0, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    # The end of the day on which the last of its tokens ends by itself; nobody needs the row after that.
    needed_until = models.DateTimeField(db_index=True, editable=False)

    objects = FamilyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "families"
        indexes = [models.Index(fields=["user", "client"], name="family_user_client")]

    def __str__(self) -> str:
        return str(self.id)


class RefreshToken(models.Model):
    """A refresh token, by its digest. It lives while its generation is its family's."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    family = models.ForeignKey(Family, models.CASCADE, related_name="refresh_tokens", editable=False)
    generation = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return self.digest[:8]


class DeviceRequest(models.Model):
    """A device that waits for a person, by the digests of its two codes (RFC 8628); deleted when it gets tokens."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        ALLOWED = "allowed", "Allowed"
        DENIED = "denied", "Denied"

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    user_code = models.CharField(max_length=64, unique=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="+", editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+", editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING, editable=False)
    sign_in = models.ForeignKey(SignIn, models.SET_NULL, null=True, related_name="+", editable=False)
    scopes = ArrayField(models.CharField(max_length=100), default=list, editable=False)
    interval = models.PositiveSmallIntegerField(editable=False)
    polled_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.digest[:8]


class OpaqueToken(models.Model):
    """An access token that only we can read, by its digest, with the claims that a JWT would carry."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="+", editable=False)
    family = models.ForeignKey(Family, models.CASCADE, null=True, related_name="+", editable=False)
    claims = models.JSONField(editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.digest[:8]


class SpentIdentifier(models.Model):
    """Something that may be used once, such as the jti of an assertion, and was; kept until it ends anyway."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.digest[:8]


class ProblemQuerySet(models.QuerySet["Problem"]):
    def recent(self) -> Self:
        """Return what was refused within a week, the latest first."""
        return self.filter(last_at__gt=timezone.now() - timedelta(days=7)).order_by("-last_at", "-pk")


class Problem(models.Model):
    """Why requests of a client were refused: all that are the same in one row.

    Written by authority/telemetry/daily_counts.py.
    """

    client = models.ForeignKey(Client, models.CASCADE, related_name="problems", db_index=False, editable=False)
    endpoint = models.CharField(max_length=20, editable=False)
    kind = models.CharField(max_length=60, editable=False)
    detail = models.JSONField(editable=False)
    error = models.CharField(max_length=60, editable=False)  # as the wire said it; empty where it said nothing
    count = models.BigIntegerField(editable=False)
    first_at = models.DateTimeField(editable=False)
    last_at = models.DateTimeField(db_index=True, editable=False)
    last_ip = models.GenericIPAddressField(null=True, editable=False)

    objects = ProblemQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "endpoint", "kind", "detail"], name="problem_once")]

    def __str__(self) -> str:
        return f"{self.client}: {self.kind}"


class DailyCount(models.Model):
    """How many requests of a client the token endpoints answered with a token, and refused, on a day in UTC."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="daily_counts", db_index=False, editable=False)
    day = models.DateField(db_index=True, editable=False)
    issued = models.BigIntegerField(editable=False)
    refused = models.BigIntegerField(editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "day"], name="daily_count_once")]

    def __str__(self) -> str:
        return f"{self.client} on {self.day}"


class TrialTokenQuerySet(models.QuerySet["TrialToken"]):
    def listed(self) -> Self:
        """Return the tokens with whether each was revoked, the newest first."""
        revoked = RevokedToken.objects.filter(jti=models.OuterRef("pk"))
        return self.annotate(is_revoked=models.Exists(revoked)).select_related("client").order_by("-created_at")

    def live(self) -> Self:
        return self.filter(expires_at__gt=timezone.now()).exclude(pk__in=RevokedToken.objects.values("jti"))


class TrialToken(models.Model):
    """A test token: who made it, for what, and why. The token itself is shown once and kept nowhere."""

    jti = models.CharField(max_length=64, primary_key=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="trial_tokens", editable=False)
    grant_type = models.CharField(max_length=60, choices=GrantType, editable=False)  # whose tokens it resembles
    scopes = ArrayField(models.CharField(max_length=100), editable=False)
    audience = ArrayField(models.CharField(max_length=200), editable=False)
    user_id = models.CharField(max_length=255, editable=False)
    reason = models.CharField(max_length=200, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    created_by_label = models.CharField(max_length=254, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    objects = TrialTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.client}: {self.reason}"

    @property
    def is_over(self) -> bool:
        return self.expires_at <= timezone.now()
