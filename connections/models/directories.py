"""Directories: what an identity provider says by SCIM about the people and groups of a consumer."""

import uuid
from collections.abc import Collection
from typing import Any, ClassVar, Self

from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from connections.models.connections import Domain, domain_of
from consumers.models import Consumer, Invitation, Role, User, normal_email


class GroupRole(models.TextChoices):
    """What the members of a group are at the consumer."""

    NONE = "none", "No more than the default"
    VIEWER = Role.VIEWER.value, "Viewer"
    MANAGER = Role.MANAGER.value, "Manager"


class Directory(models.Model):
    """The directory of one consumer, which calls by a token of its own. The token's text is not stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    consumer = models.OneToOneField(Consumer, models.CASCADE, related_name="directory")
    name = models.CharField(max_length=60, help_text="As people read it beside its members, such as “Acme directory”.")
    default_role = models.CharField(
        "role",
        max_length=10,
        choices=Role,
        default=Role.VIEWER,
        help_text="Of whoever it assigns, unless a group gives a higher one.",
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    pepper_version = models.CharField(max_length=10, editable=False)
    hint = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    rotated_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField("last request", null=True, editable=False)

    class Meta:
        verbose_name_plural = "directories"
        ordering = ["name"]
        indexes = [models.Index(fields=["pepper_version"], name="directory_pepper")]

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<Directory {self}>"

    def speaks_for(self, email: str) -> bool:
        """Say whether the address is in a verified domain of a connection that names the consumer.

        A connection to which every consumer is led names none: its domains belong to whoever runs the portal.
        """
        verified = Domain.objects.verified().filter(connection__consumers=self.consumer_id)
        return "@" in email and verified.filter(name=domain_of(email)).exists()


class _Resource(models.Model):
    """What every resource of SCIM has (RFC 7643 section 3.1)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    external_id = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    modified_at = models.DateTimeField(default=timezone.now)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        abstract = True


class DirectoryUserQuerySet(models.QuerySet["DirectoryUser"]):
    def pending(self) -> Self:
        """Return the active people who were invited, and have not joined."""
        return self.filter(active=True, user=None, invitation__isnull=False, invitation__accepted_at=None)


class DirectoryUser(_Resource):
    """A person in a directory. Without an account it is pending: invited, or without an address to invite."""

    directory = models.ForeignKey(Directory, models.CASCADE, related_name="users", db_index=False)
    # The account that the directory speaks for. Whoever was only invited speaks for themselves.
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="directory_users")
    invitation = models.ForeignKey(Invitation, models.SET_NULL, null=True, related_name="+")
    user_name = models.CharField(max_length=254)
    active = models.BooleanField(default=True)
    display_name = models.CharField(max_length=150, blank=True)
    formatted_name = models.CharField(max_length=150, blank=True)
    given_name = models.CharField(max_length=150, blank=True)
    family_name = models.CharField(max_length=150, blank=True)
    emails = models.JSONField(default=list)
    # The same in lower case, since SCIM compares them without regard to case.
    searched_emails = models.JSONField(default=list)

    # Erasing a person deletes the rows of their address (consumers/actions/erasure.py).
    ERASED_WITH_ADDRESS: ClassVar[bool] = True

    objects = DirectoryUserQuerySet.as_manager()

    class Meta:
        verbose_name = "person of a directory"
        verbose_name_plural = "people of directories"
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint("directory", Lower("user_name"), name="directory_user_name_once"),
            models.UniqueConstraint(
                fields=["directory", "user"], condition=models.Q(user__isnull=False), name="directory_account_once"
            ),
        ]
        indexes = [
            models.Index(fields=["directory", "created_at", "id"], name="directory_user_page"),
            models.Index(
                fields=["directory", "external_id"], name="directory_user_external", condition=~models.Q(external_id="")
            ),
            GinIndex(fields=["searched_emails"], name="directory_user_emails", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        """Return the address, by which a person can be erased from the record."""
        return self.email or self.user_name

    @classmethod
    def about_addresses(cls, addresses: Collection[str]) -> "models.QuerySet[DirectoryUser]":
        """Return the people of directories who have one of the addresses, or are called by it."""
        wanted = models.Q()
        for address in addresses:
            wanted |= models.Q(user_name__iexact=address)
            wanted |= models.Q(searched_emails__contains=[{"value": address.lower()}])
        return cls.objects.filter(wanted)

    @property
    def name(self) -> str:
        given = " ".join(filter(None, (self.given_name, self.family_name)))
        return self.display_name or self.formatted_name or given

    @property
    def email(self) -> str:
        """Return the primary address, else the first, else the user name where it is one, else ""."""
        emails: list[dict[str, Any]] = sorted(self.emails, key=lambda each: not each.get("primary"))
        found = next((each["value"] for each in emails if each.get("value")), self.user_name)
        try:
            validate_email(found)
        except ValidationError:
            return ""
        return normal_email(found)

    @property
    def state(self) -> str:
        """Return member, off, invited or no_address."""
        if not self.active:
            return "off"
        if self.user_id is None and not self.email:
            return "no_address"
        # Without an invitation they were a member before, by people.
        return "invited" if self.invitation is not None and self.invitation.accepted_at is None else "member"


class DirectoryGroup(_Resource):
    """A group of a directory, and the role that an operator gave its members."""

    directory = models.ForeignKey(Directory, models.CASCADE, related_name="groups", db_index=False)
    display_name = models.CharField(max_length=200)
    role = models.CharField(max_length=10, choices=GroupRole, default=GroupRole.NONE)
    members = models.ManyToManyField(DirectoryUser, related_name="groups")

    class Meta:
        verbose_name = "group of a directory"
        verbose_name_plural = "groups of directories"
        ordering = ["created_at", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["directory", "created_at", "id"], name="directory_group_page"),
            models.Index(fields=["directory", "display_name"], name="directory_group_name"),
        ]

    def __str__(self) -> str:
        return self.display_name


class ProvisionedAccount(models.Model):
    """An account that a directory made, which it may therefore deactivate. Outlives the person's row there."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="provisioned")
    directory = models.ForeignKey(Directory, models.CASCADE, related_name="accounts")
    switched_off_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.user}, by {self.directory}"
