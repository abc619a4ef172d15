"""The roles of an API, who has them, and the claims of the API's access tokens."""

from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from clients.claim_sources import SOURCES, ClaimSource
from clients.models.apis import Api
from clients.vocabulary import RoleSource
from connections.models import Connection
from consumers.models import Consumer, Membership


class ApiRole(models.Model):
    """What a person can be in an API: a value of `roles` in its tokens (RFC 9068 section 2.2.3.1)."""

    api = models.ForeignKey(Api, models.CASCADE, related_name="roles")
    value = models.CharField(
        max_length=100,
        help_text="As tokens carry it, such as dispatcher.",
        validators=[RegexValidator(r"^[\x21\x23-\x5b\x5d-\x7e]+$", 'Use printable ASCII without space, “"” or “\\”.')],
    )
    name = models.CharField(max_length=100, help_text="As people read it, such as “Dispatcher”.")
    description = models.CharField(max_length=300, blank=True, help_text="What somebody in this role may do.")
    managers_may_give = models.BooleanField(
        "managers may give it", default=False, help_text="To the people of their workspace."
    )

    class Meta:
        verbose_name = "role"
        ordering = ["api__name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["api", "value"],
                name="api_role_once",
                violation_error_message="The API has a role of this value already.",
            )
        ]

    def __str__(self) -> str:
        return self.value


class RoleGrantQuerySet(models.QuerySet["RoleGrant"]):
    def at(self, consumer: Consumer | UUID | None) -> Self:
        """Return what counts in tokens of the consumer's clients."""
        return self.filter(Q(consumer=consumer) | Q(consumer=None))


class RoleGrant(models.Model):
    """A person's role in an API, from one source: at the clients of one consumer, or at all clients."""

    role = models.ForeignKey(ApiRole, models.CASCADE, related_name="grants")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="role_grants", verbose_name="person"
    )
    source = models.CharField(max_length=10, choices=RoleSource, editable=False)
    consumer = models.ForeignKey(
        Consumer,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="role_grants",
        help_text="Whose clients it counts at. Leave empty for the clients of every consumer.",
    )
    # Whose groups it follows, where they give it; it ends with the connection.
    connection = models.ForeignKey(Connection, models.CASCADE, null=True, editable=False, related_name="+")
    # It ends with the membership, so that nobody who comes back later finds it again.
    membership = models.ForeignKey(Membership, models.CASCADE, null=True, editable=False, related_name="role_grants")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_by_label = models.CharField(max_length=254, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = RoleGrantQuerySet.as_manager()

    class Meta:
        verbose_name = "person’s role"
        verbose_name_plural = "roles of people"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["role", "user", "source", "consumer", "connection"],
                name="role_grant_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(source=RoleSource.CONNECTION, connection__isnull=False)
                | (~Q(source=RoleSource.CONNECTION) & Q(connection=None)),
                name="role_grant_of_connection",
            ),
            models.CheckConstraint(
                condition=~Q(source=RoleSource.MANAGER, consumer=None), name="role_grant_of_manager_in_workspace"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"


class GroupRole(models.Model):
    """A role of an API that members of a group at an identity provider have, while they are in it.

    It counts at the clients of the consumers that the connection is for: all of them, where it is for the whole portal.
    """

    role = models.ForeignKey(ApiRole, models.CASCADE, related_name="groups")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    group = models.CharField(max_length=200, help_text="As the provider writes it in the claim of the groups.")

    class Meta:
        verbose_name = "role by group"
        verbose_name_plural = "roles by group"
        ordering = ["role__api__name", "connection__name", "group", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["role", "connection", "group"],
                name="group_role_once",
                violation_error_message="This group has the role already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.group} at {self.connection}: {self.role}"


class ApiClaim(models.Model):
    """A claim that access tokens for an API carry, and what it is read from (clients/claim_sources.py)."""

    api = models.ForeignKey(Api, models.CASCADE, related_name="claims")
    name = models.CharField(
        "claim",
        max_length=100,
        help_text="As tokens carry it, such as tier. Registered names, such as sub and scope, are reserved.",
    )
    # Its choices are the registry's, so that another source is no migration.
    source = models.CharField(max_length=30)
    path = models.CharField(max_length=200, blank=True, help_text="Members of the source, joined by dots: plan.tier.")
    value = models.JSONField(null=True, blank=True, help_text="Of a constant.")
    consent = models.CharField(
        "consent says",
        max_length=100,
        blank=True,
        help_text="What the API learns of the person, in their words: “Your depot”. Empty shows nothing.",
    )

    class Meta:
        verbose_name = "claim"
        ordering = ["api__name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["api", "name"],
                name="api_claim_once",
                violation_error_message="The API has a claim of this name already.",
            ),
            models.CheckConstraint(
                condition=Q(source="constant", value__isnull=False) | (~Q(source="constant") & Q(value__isnull=True)),
                name="api_claim_constant_has_value",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def reads(self) -> ClaimSource | None:
        """Return the source; None of one that this version does not know."""
        return SOURCES.get(self.source)

    @property
    def argument(self) -> Any:
        """Return what the source needs besides: the path, or the constant."""
        return self.path or self.value
