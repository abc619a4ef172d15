"""Rows of tokens: families, refresh tokens, opaque tokens, revocations, identifiers used once."""

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Greatest
from django.utils import timezone

from clients.models import Client
from consumers.models import Membership


class RevokedToken(models.Model):
    """A JWT access token that was revoked before it expires; deleted then."""

    jti = models.CharField(max_length=64, primary_key=True, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.jti


class TokenFamilyQuerySet(models.QuerySet["TokenFamily"]):
    def alive(self) -> Self:
        """Return the families that are not revoked, of people who still have access. The client is not checked.

        Whoever holds its entry asks that (`ClientEntry.has_signed_out`); lists and counts ask `signed_in`.
        """
        membership = Membership.objects.filter(
            user=models.OuterRef("user"), consumer=models.OuterRef("client__consumer")
        )
        return self.filter(ended_at=None, user__is_active=True).filter(
            models.Q(as_member=False) | models.Exists(membership)
        )

    def signed_in(self) -> Self:
        """Return the families by which people are signed in: alive, not past their end, nor ended with all others."""
        ended = [
            models.Q(**{f"client__{name}__gte": models.F("began_at")})
            for name in ("people_signed_out_at", "tokens_valid_after", "consumer__tokens_valid_after")
        ]
        return self.alive().filter(retain_until__gt=timezone.now()).exclude(ended[0] | ended[1] | ended[2])

    def at_client(self, client: Client) -> Self:
        """Return what `signed_in` does, of one client that is at hand: by its index, the latest of them first."""
        found = self.alive().filter(client=client, retain_until__gt=timezone.now())
        over = client.signed_out_until
        return (found.filter(began_at__gt=over) if over is not None else found).order_by("-began_at", "-pk")

    def one_a_person(self, client: Client) -> Self:
        """Return the latest family of each person at the client; families of one moment follow their keys."""
        mine = TokenFamily.objects.at_client(client).filter(user=models.OuterRef("user"))
        later = models.Q(began_at__gt=models.OuterRef("began_at"))
        later |= models.Q(began_at=models.OuterRef("began_at"), pk__gt=models.OuterRef("pk"))
        return self.at_client(client).filter(~models.Exists(mine.order_by().filter(later)))

    def with_use(self, client: Client) -> Self:
        """Add when the person signed in first, of what lives on, and when a program was last given a token for them."""
        mine = TokenFamily.objects.at_client(client).filter(user=models.OuterRef("user")).order_by().values("user")
        used = models.Max(Greatest("began_at", "rotated_at"))  # of PostgreSQL: NULL counts as nothing
        return self.annotate(
            since=models.Subquery(mine.annotate(first=models.Min("began_at")).values("first")),
            last_used_at=models.Subquery(mine.annotate(last=used).values("last")),
        )

    def after(self, began_at: datetime, pk: uuid.UUID) -> Self:
        """Return those that come after that one, the latest first."""
        rest = models.Q(began_at__lt=began_at) | models.Q(pk__lt=pk)
        return self.filter(rest, began_at__lte=began_at)


class TokenFamily(models.Model):
    """One grant of a person to a client, with every token that is issued from it.

    They are revoked together, so this is the row that is locked. Its `generation` says which of its refresh tokens is
    the current one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(
        Client, models.CASCADE, related_name="families", editable=False, db_index=False
    )  # the index below begins with it
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="families", editable=False, db_index=False
    )
    # Whether the person was a member of the client's consumer; the family then ends with the membership.
    as_member = models.BooleanField(default=False, editable=False)
    grant_type = models.CharField(max_length=60, editable=False)
    # The digest of its code or device code, so that a replay revokes it (RFC 6749 section 4.1.2).
    code = models.CharField(max_length=64, unique=True, null=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=100), default=list, editable=False)
    resource = models.JSONField(default=list, editable=False)
    # The thumbprint of the key that its tokens are bound to (RFC 9449 section 5), or empty.
    dpop_jkt = models.CharField(max_length=43, blank=True, editable=False)
    began_at = models.DateTimeField(default=timezone.now, editable=False)
    generation = models.PositiveIntegerField(default=0, editable=False)
    rotated_at = models.DateTimeField(null=True, editable=False)
    grace_uses = models.PositiveSmallIntegerField(default=0, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    # The end of the day on which the last of its tokens expires; the row is deleted after that.
    retain_until = models.DateTimeField(db_index=True, editable=False)

    objects = TokenFamilyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "families"
        indexes = [
            models.Index(fields=["user", "client"], name="family_user_client"),
            # Who is signed in to a client, the latest sign-in first.
            models.Index(fields=["client", "-began_at"], name="family_of_client"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class RefreshToken(models.Model):
    """A refresh token, by its digest. It lives while its generation is its family's."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    family = models.ForeignKey(TokenFamily, models.CASCADE, related_name="refresh_tokens", editable=False)
    generation = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return self.digest[:8]


class OpaqueToken(models.Model):
    """An opaque access token, by its digest, with the claims that a JWT would carry."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="+", editable=False)
    family = models.ForeignKey(TokenFamily, models.CASCADE, null=True, related_name="+", editable=False)
    claims = models.JSONField(editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.digest[:8]


class SpentIdentifier(models.Model):
    """An identifier that may be used once, such as the jti of an assertion, and was; deleted when it expires."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.digest[:8]
