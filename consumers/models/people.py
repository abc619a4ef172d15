"""People, consumers, memberships and invitations."""

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.auth.password_validation import validate_password
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower, Now
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.functional import cached_property

from core.demo import is_demo

# The domain of addresses that are none (RFC 6761 section 6.4): of people whose address nobody has proven.
NO_ADDRESS = "no-address.invalid"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=normal_email(email), **fields)
        user.set_password(password)  # None: unusable
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """Create an operator whose address counts as verified, so that they can sign in at once.

        Raises ValidationError for a weak password: Django's command asks about one only at a terminal.
        """
        from allauth.account.models import EmailAddress

        if password is not None:
            validate_password(password, self.model(email=email))
        user = self.create_user(email, password, **({"is_staff": True, "is_superuser": True} | fields))
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    def create_end_user(self, *, email: str = "", name: str = "", login_subject: str | None = None) -> "User":
        """Create somebody who only signs in to apps; without an address where none is proven to be theirs."""
        key = uuid.uuid4()
        address = email or f"{key}@{NO_ADDRESS}"
        return self.create_user(address, id=key, name=name, login_subject=login_subject, is_end_user=True)

    def of_address(self, email: str) -> models.QuerySet["User"]:
        """Return whoever has the address, as theirs or as a further one that they have verified."""
        own = self.of_primary_address(email)
        # allauth keeps further addresses in lower case. Joined by OR, PostgreSQL would read everybody.
        further = self.filter(emailaddress__email=email.lower(), emailaddress__verified=True)
        return self.filter(pk__in=own.values("pk").union(further.values("pk")))

    def named(self, words: str) -> models.QuerySet["User"]:
        """Return the people whose name begins with the words, by an index (user_name_prefix)."""
        return self.annotate(lower_name=Lower("name")).filter(lower_name__startswith=words.lower()).exclude(name="")

    def of_subject(self, subject: str) -> models.QuerySet["User"]:
        """Return whom tokens call that."""
        try:
            own = self.filter(pk=uuid.UUID(subject), login_subject=None)
        except ValueError:
            return self.filter(login_subject=subject)
        return self.filter(pk__in=own.values("pk").union(self.filter(login_subject=subject).values("pk")))

    def of_primary_address(self, email: str) -> models.QuerySet["User"]:
        """Return whoever has the address as theirs, which clients learn with the scope email."""
        return self.filter(Exact(Lower("email"), Lower(models.Value(email))))

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person: a manager or viewer of consumers, an operator (`is_staff`), or an end user of the consumers' apps."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField("email address", max_length=254, unique=True)
    name = models.CharField(max_length=150, blank=True, help_text="As colleagues should read it.")
    is_staff = models.BooleanField("operator", default=False, help_text="May sign in to the operators' admin.")
    is_active = models.BooleanField("active", default=True, help_text="Clear this to remove all access of the person.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    # How they signed in last, in words: “Code by email”, or the name of a connection to an identity provider.
    signed_in_by = models.CharField(max_length=80, blank=True, default="", db_default="", editable=False)
    # Somebody who only signs in to apps. With their first membership, or an operator's rights, they are no longer
    # (consumers/sql/end_users.sql).
    is_end_user = models.BooleanField("end user", default=False, db_default=False, editable=False)
    # What the provider's own login calls them: `sub` of their tokens (OpenID Connect Core section 2).
    login_subject = models.CharField("subject", max_length=255, unique=True, null=True, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    SECOND_FACTORS: ClassVar[tuple[str, ...]] = ("totp", "webauthn")  # allauth's authenticator types

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]
        indexes = [
            # The people of the portal, beside whom there may be a million end users.
            models.Index(fields=["email"], name="user_of_portal", condition=models.Q(is_end_user=False)),
            models.Index(fields=["id"], name="user_operator", condition=models.Q(is_staff=True)),
            # The beginning of a name, as it is looked for.
            models.Index(OpClass(Lower("name"), name="text_pattern_ops"), name="user_name_prefix"),
        ]

    def __str__(self) -> str:
        return self.name or (self.email if self.has_address else self.subject)

    @property
    def has_address(self) -> bool:
        return not self.email.endswith(f"@{NO_ADDRESS}")

    @property
    def address(self) -> str:
        """Return their email address, or "" where they have none."""
        return self.email if self.has_address else ""

    @property
    def subject(self) -> str:
        """Return what tokens call the person: `sub`."""
        return self.login_subject or str(self.pk)

    def get_full_name(self) -> str:
        return str(self)

    @property
    def holds_second_factor(self) -> bool:
        """Say whether they have a passkey or an authenticator app. Recovery codes alone are none."""
        from allauth.mfa.models import Authenticator

        return bool(Authenticator.objects.filter(user=self, type__in=self.SECOND_FACTORS).exists())

    @cached_property
    def has_operator_rights(self) -> bool:
        """Say whether what `is_staff` allows is theirs now: an operator holds a second factor, save in the demo."""
        return self.is_staff and (self.holds_second_factor or is_demo())

    def workspaces(self) -> "ConsumerQuerySet":
        """Return the consumers whose workspace they may enter now."""
        return Consumer.objects.visible_to(self)

    def memberships_by_visit(self) -> "models.QuerySet[Membership]":
        """Return the memberships that open a workspace now, the one entered last first."""
        open_now = self.memberships.filter(consumer__suspended_at=None).select_related("consumer")
        return open_now.order_by(models.F("seen_at").desc(nulls_last=True), "consumer__name", "pk")

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else str(self)


class ConsumerQuerySet(models.QuerySet["Consumer"]):
    def active(self) -> Self:
        return self.filter(suspended_at=None)

    def visible_to(self, user: User) -> Self:
        """Return the consumers whose workspace the person may enter now."""
        return self.active().filter(memberships__user=user)


class Consumer(models.Model):  # type: ignore[django-manager-missing]  # the base of its clients has no types
    """A customer, partner or service of the API provider; its managers share one workspace of clients."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    slug = models.SlugField("short name", max_length=50, unique=True, help_text="Part of the workspace's URL.")
    external_id = models.CharField(
        "external ID",
        max_length=200,
        unique=True,
        null=True,
        blank=True,
        help_text="The consumer's number in your own systems, such as a CRM or billing account.",
    )
    metadata = models.JSONField(
        default=dict, blank=True, help_text="Anything you want to keep with the consumer. Only operators see it."
    )
    claims = models.JSONField(
        default=dict, blank=True, help_text="Claims that every access token of the consumer's clients carries."
    )
    secrets_allowed = models.BooleanField(
        "clients may have secrets",
        default=True,
        help_text="If not, new clients authenticate with signed assertions or with their platform's tokens.",
    )
    secret_days = models.PositiveSmallIntegerField(
        "secrets expire after",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="In days. Leave empty for no limit. Existing secrets get at least 30 days' notice.",
    )
    test_token_lifetime = models.PositiveIntegerField(
        "longest test token lifetime",
        default=3600,
        validators=[MaxValueValidator(30 * 24 * 3600)],
        help_text="In seconds; 0 if its people may create none. An API's own limit applies too.",
    )
    test_token_claims = ArrayField(
        models.CharField(max_length=100),
        verbose_name="claims of test tokens",
        default=list,
        blank=True,
        help_text="Names of the claims that test tokens may carry besides roles, separated by commas.",
    )
    access_token_lifetime = models.PositiveIntegerField(
        "longest access token lifetime",
        null=True,
        blank=True,
        validators=[MinValueValidator(60)],
        help_text="In seconds, for all clients of the consumer. Leave empty to use the limits of the APIs.",
    )
    refresh_token_lifetime = models.PositiveIntegerField(
        "longest sign-in",
        null=True,
        blank=True,
        validators=[MinValueValidator(60)],
        help_text=(
            "In seconds, for which its clients can refresh a user's tokens. Leave empty to use the limits of the APIs."
        ),
    )
    max_clients = models.PositiveIntegerField(
        "most clients",
        default=1000,
        db_default=1000,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text="How many clients it may have. Existing ones stay when there are more.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    suspended_at = models.DateTimeField(null=True, blank=True, editable=False)
    tokens_valid_after = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ConsumerQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_suspended(self) -> bool:
        return self.suspended_at is not None


class Role(models.TextChoices):
    MANAGER = "manager", "Manager"
    VIEWER = "viewer", "Viewer"


class MembershipSource(models.TextChoices):
    """Who keeps a membership: people, or what an identity provider says at each sign-in, or by SCIM."""

    PEOPLE = "people", "Invited"
    RULE = "rule", "Joining rule"
    DIRECTORY = "directory", "Directory"


class Membership(models.Model):
    """A person's place in a consumer's workspace."""

    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.MANAGER)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)
    seen_at = models.DateTimeField("last seen", null=True, editable=False)
    source = models.CharField(
        max_length=10,
        choices=MembershipSource,
        default=MembershipSource.PEOPLE,
        db_default=MembershipSource.PEOPLE,
        editable=False,
    )
    # The connection or directory that keeps it, and its name as people read it.
    source_id = models.UUIDField(null=True, editable=False)
    source_label = models.CharField(max_length=60, blank=True, default="", db_default="", editable=False)

    IN_MENU: ClassVar[int] = 6

    class Meta:
        ordering = ["joined_at"]
        constraints = [models.UniqueConstraint(fields=["consumer", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} ({self.consumer})"

    @property
    def is_manager(self) -> bool:
        return self.role == Role.MANAGER

    def others_by_visit(self) -> "models.QuerySet[Membership]":
        """Return some of the person's other memberships: as many as a menu shows, the one entered last first."""
        return self.user.memberships_by_visit().exclude(pk=self.pk)[: self.IN_MENU]


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def pending(self) -> Self:
        """Return what is neither accepted nor revoked; it may have expired, and can then be sent again."""
        return self.filter(accepted_at=None, revoked_at=None)

    def open(self) -> Self:
        """Return what can be accepted now."""
        return self.pending().filter(expires_at__gt=Now(), consumer__suspended_at=None)


class Invitation(models.Model):
    """An invitation of one address into one workspace. Only a digest of the link's token is stored."""

    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=Role, default=Role.MANAGER)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Erasing a person deletes the rows of their address (consumers/actions/erasure.py).
    ERASED_WITH_ADDRESS: ClassVar[bool] = True

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                "consumer",
                Lower("email"),
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_pending_once",
            ),
            models.CheckConstraint(
                condition=models.Q(accepted_at=None) | models.Q(revoked_at=None), name="invitation_one_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.consumer}"

    @property
    def has_ended(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def state(self) -> str:
        """Return accepted, revoked, expired or pending."""
        if self.accepted_at:
            return "accepted"
        if self.revoked_at:
            return "revoked"
        return "expired" if self.has_ended else "pending"


def normal_email(email: str) -> str:
    """Return the address as we compare it: without space around it, its domain in lower case."""
    local, at, domain = email.strip().rpartition("@")
    return f"{local}{at}{domain.lower()}"
