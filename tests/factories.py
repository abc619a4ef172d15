"""People and things, mirroring the rooms."""

import time
from datetime import timedelta

import factory
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from clients import secrets
from clients.metadata import TEMPLATES
from clients.models import Access, Api, Client, ClientSecret, Scope
from consumers.audit import Actor
from consumers.models import Consumer, Membership, Role, User

PASSWORD = "correct horse battery staple"


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Person {n}")
    email = factory.Sequence(lambda n: f"person{n}@example.com")

    @factory.post_generation
    def verified(self, create, extracted, **kwargs):
        EmailAddress.objects.create(user=self, email=self.email, verified=extracted is not False, primary=True)


class ConsumerFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Consumer

    name = factory.Sequence(lambda n: f"Consumer {n}")
    slug = factory.Sequence(lambda n: f"consumer-{n}")


class MembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Membership

    consumer = factory.SubFactory(ConsumerFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.MANAGER


class ApiFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Api
        django_get_or_create = ("identifier",)

    name = "Shipments"
    identifier = "https://api.example.com/shipments"


class ScopeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Scope
        django_get_or_create = ("value",)

    api = factory.SubFactory(ApiFactory)
    value = "shipments:read"
    name = "Read shipments"


class AccessFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Access
        django_get_or_create = ("consumer", "scope")

    consumer = factory.SubFactory(ConsumerFactory)
    scope = factory.SubFactory(ScopeFactory)


class ClientFactory(factory.django.DjangoModelFactory):
    """A client of a template, without secrets; `ClientFactory(template="web")`."""

    class Meta:
        model = Client

    class Params:
        template = "service"

    consumer = factory.SubFactory(ConsumerFactory)
    client_name = factory.Sequence(lambda n: f"Client {n}")
    scopes = ["shipments:read"]
    grant_types = factory.LazyAttribute(lambda o: list(TEMPLATES[o.template].grant_types))
    response_types = factory.LazyAttribute(lambda o: list(TEMPLATES[o.template].response_types))
    token_endpoint_auth_method = factory.LazyAttribute(lambda o: TEMPLATES[o.template].token_endpoint_auth_method)
    redirect_uris = factory.LazyAttribute(
        lambda o: [] if o.template in ("service", "workload") else ["https://app.example.com/signed-in"]
    )


def give_secret(client: Client, **fields) -> tuple[ClientSecret, str]:
    """Give a client a secret without an audit row; return the row and the text."""
    text = secrets.generate()
    version = secrets.current_pepper()
    row = ClientSecret.objects.create(
        client=client,
        digest=secrets.keyed_digest(text, version),
        pepper_version=version,
        hint=text[-4:],
        created_by_label="Factory",
        **fields,
    )
    return row, text


def actor_for(user: User) -> Actor:
    return Actor(
        kind="operator" if user.is_staff else "person", id=str(user.pk), label=str(user), ip="192.0.2.1", user=user
    )


def invitations_in(mails: list[EmailMessage]) -> list[EmailMessage]:
    """Return those mails that invite; managers are told of the invitation by others."""
    return [mail for mail in mails if "/invitations/" in mail.body]


TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def hold_second_factor(user: User) -> User:
    """Give a person an authenticator app, which every operator needs."""
    TOTP.activate(user, TOTP_SECRET)
    return user


def app_code(secret: str = TOTP_SECRET) -> str:
    """Return what the authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def sign_in_to(browser, user: User) -> None:
    """Sign a person in to Django's test client, an operator with their second factor, which they get if need be."""
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    if user.is_staff and not user.holds_second_factor:
        hold_second_factor(user)
    record_methods(browser, user, *(["password", "mfa"] if user.is_staff else ["password"]))
    if user.is_staff:
        session = browser.session
        session.set_expiry(timezone.now() + timedelta(seconds=settings.OPERATOR_SESSION_IDLE))
        session.save()


def record_methods(browser, user: User, *methods: str, age: float = 0) -> None:
    """Let the session say that the person authenticated by these methods, so many seconds ago."""
    session = browser.session
    session["account_authentication_methods"] = [{"method": name, "at": time.time() - age} for name in methods]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
