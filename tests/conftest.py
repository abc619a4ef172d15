"""A fixed cast: Alice manages and Bob views Acme, Mallory manages Globex, Olga is the operator."""

import re

import hypothesis
import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from whitenoise.middleware import WhiteNoiseMiddleware

from authority.authorization import quotas
from consumers.actions.invitations import invite_manager
from consumers.models import Event, EventSeal, Role, SignedHead
from core import throttling
from tests import generated
from tests.authority.listening import listening  # noqa: F401  # a fixture
from tests.factories import (
    PASSWORD,
    AccessFactory,
    ApiFactory,
    ClientFactory,
    ConsumerFactory,
    MembershipFactory,
    ScopeFactory,
    UserFactory,
    actor_for,
    hold_second_factor,
    sign_in_to,
)
from tests.live import server  # noqa: F401  # a fixture
from tests.publisher import publisher  # noqa: F401  # a fixture

NO_TRUNCATE = {
    Event: "event_no_truncate",
    EventSeal: "event_seal_no_truncate",
    SignedHead: "signed_head_no_truncate",
}

hypothesis.settings.load_profile(generated.PROFILE)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Let tests that commit empty the record afterwards, which the database refuses elsewhere."""
    if not str(connection.settings_dict["NAME"]).startswith("test_"):
        return  # no test of the session asks for the database
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for model, trigger in NO_TRUNCATE.items():
            cursor.execute(f"ALTER TABLE {model._meta.db_table} DISABLE TRIGGER {trigger}")


@pytest.fixture(scope="session", autouse=True)
def static_files_found_once():
    """Each client of Django's has its own middleware, of which WhiteNoise's would look for every static file again."""
    look, found = WhiteNoiseMiddleware.add_files_from_finders, {}

    def add(self):
        if not found:
            look(self)
            found.update(self.files)
        self.files.update(found)

    WhiteNoiseMiddleware.add_files_from_finders = add
    yield
    WhiteNoiseMiddleware.add_files_from_finders = look


@pytest.fixture(autouse=True)
def fast_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_spent_limits(request, settings):
    """Rate limits count in the shared cache, failures in memory; each test starts at none.

    Many tests fail to prove who they are in dozens of ways, so those that are about the limit set it.
    """
    throttling.reset()
    quotas.reset()
    settings.FAILURES_PER_MINUTE = 0
    if request.node.get_closest_marker("django_db") or "db" in request.fixturenames:
        request.getfixturevalue("db")
        cache.clear()


MISSHAPEN = re.compile(r"\n\n\n|\n:\n|[^\n]\n--\n")  # a gap, a link without a name, a signature without a gap


@pytest.fixture(autouse=True)
def mails_read_well():
    """Every mail of ours that a test looks at in its outbox has one blank line between its parts."""
    yield
    for message in getattr(mail, "outbox", ()):
        if "\n--\n" in message.body:
            assert not MISSHAPEN.search(message.body), message.body


def person(name: str, email: str, **fields):
    user = UserFactory(name=name, email=email, **fields)
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def acme(db):
    return ConsumerFactory(name="Acme Logistics", slug="acme")


@pytest.fixture
def globex(db):
    return ConsumerFactory(name="Globex", slug="globex")


@pytest.fixture
def alice(acme):
    user = person("Alice Martin", "alice@acme.example")
    MembershipFactory(consumer=acme, user=user)
    return user


@pytest.fixture
def bob(acme):
    user = person("Bob Young", "bob@acme.example")
    MembershipFactory(consumer=acme, user=user, role=Role.VIEWER)
    return user


@pytest.fixture
def mallory(globex):
    user = person("Mallory Stern", "mallory@globex.example")
    MembershipFactory(consumer=globex, user=user)
    return user


@pytest.fixture
def olga(db):
    return hold_second_factor(person("Olga Weber", "olga@provider.example", is_staff=True, is_superuser=True))


@pytest.fixture
def api(db):
    """One API with two scopes."""
    api = ApiFactory()
    ScopeFactory(api=api, value="shipments:read", name="Read shipments")
    ScopeFactory(api=api, value="shipments:write", name="Book and change shipments")
    return api


@pytest.fixture
def acme_access(acme, api):
    """Acme may use every scope of the API."""
    return [AccessFactory(consumer=acme, scope=scope) for scope in api.scopes.all()]


@pytest.fixture
def service(acme, acme_access):
    """A service client of Acme, without secrets."""
    return ClientFactory(consumer=acme, client_name="Billing sync", scopes=["shipments:read", "shipments:write"])


@pytest.fixture
def browser_of(client):
    """Sign a person in to Django's test client: `browser_of(alice).get(...)`. An operator uses their second factor."""

    def sign_in(user):
        sign_in_to(client, user)
        return client

    return sign_in


@pytest.fixture
def invite(acme, alice):
    """Invite an address to Acme, as Alice; return the invitation and the token of its link."""

    def make(email="jonas@acme.example", role="viewer", **changes):
        invitation = invite_manager(consumer=acme, email=email, role=role, actor=actor_for(alice))
        token = mail.outbox[-1].body.split("/invitations/")[1].split("/")[0]
        for field, value in changes.items():
            setattr(invitation, field, value)
        invitation.save()
        return invitation, token

    return make
