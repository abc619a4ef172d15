"""Refreshing in twenty threads at once, over real connections: the rows say who won, and that nobody else did."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.db.models import F

from authority import client_directory
from authority.models import RefreshToken, TokenFamily
from authority.people.subject import Person
from authority.tokens import families, revocation
from clients.models import Client
from consumers.models import User
from core import credentials
from tests import patient
from tests.factories import AccessFactory, ClientFactory, ConsumerFactory, ScopeFactory, UserFactory

THREADS = 20
GRANT = "authorization_code"


def permitted(entry, user, scopes=("shipments:read",)):
    """Return a new family and its refresh token."""
    family = families.new_family(
        entry, Person(user, False), grant_type=GRANT, code=credentials.generate("")[:60], scopes=list(scopes)
    )
    text = credentials.generate(families.PREFIX)
    families.create(entry, family, access_token=60, refresh_token=text)
    return family, text


def refresh(entry, text):
    """Do what the token endpoint does between its client's proof and its answer."""
    with transaction.atomic():
        spent = families.lock_refresh_token(entry, text)
        if spent is None:
            return None
        successor = credentials.generate(families.PREFIX)
        families.rotate(entry, spent, access_token=60, refresh_token=successor)
        return successor


def live():
    return RefreshToken.objects.filter(family__ended_at=None, generation=F("family__generation"))


def hang_up():
    connection.close()  # this thread's


class Crowd:
    """Threads that keep their connections and are let loose together, round after round."""

    def __init__(self, size=THREADS):
        self.barrier = Barrier(size)
        self.pool = ThreadPoolExecutor(size)

    def __enter__(self):
        return self

    def do(self, deeds):
        def run(deed):
            self.barrier.wait(120)
            return deed()

        return list(self.pool.map(run, deeds))

    def __exit__(self, *exception):
        self.do([hang_up] * self.barrier.parties)
        self.pool.shutdown()


@pytest.fixture
def client(transactional_db):
    consumer = ConsumerFactory()
    AccessFactory(consumer=consumer, scope=ScopeFactory())
    return ClientFactory(consumer=consumer, template="web")


@pytest.fixture
def entry(client):
    return client_directory.find(client.client_id)


@pytest.mark.compliance("RFC 9700", "4.14.2")
def test_of_twenty_at_once_one_refreshes_and_the_reuse_ends_the_family(entry):
    user = UserFactory()
    with Crowd() as crowd:
        for _ in range(300):
            family, text = permitted(entry, user)
            answers = crowd.do([lambda text=text: refresh(entry, text)] * THREADS)
            assert sum(answer is not None for answer in answers) == 1
            assert not live().exists()
            assert family.refresh_tokens.count() == 2
    assert TokenFamily.objects.filter(ended_at=None).count() == 0


def test_within_the_grace_few_are_answered_and_the_first_sibling_that_is_used_goes_on(client):
    client.refresh_token_grace = 30
    client.save()
    entry = client_directory.find(client.client_id)
    user = UserFactory()
    with Crowd() as crowd:
        for _ in range(20):
            TokenFamily.objects.all().delete()
            _, text = permitted(entry, user)
            answers = crowd.do([lambda text=text: refresh(entry, text)] * THREADS)
            siblings = [answer for answer in answers if answer is not None]
            assert len(siblings) == 1 + families.MAX_GRACE_USES
            assert live().values("family").distinct().count() == 1
            assert live().count() == len(siblings)
            assert refresh(entry, siblings[0]) is not None
            assert live().count() == 1
            assert refresh(entry, text) is None  # two generations back
            assert not live().exists()


@pytest.mark.compliance("RFC 7009", "2.1")
def test_revoking_in_the_middle_of_refreshing_leaves_nothing_alive(entry):
    user = UserFactory()
    with Crowd(6) as crowd:
        for _ in range(50):
            _, text = permitted(entry, user)
            deeds = [lambda text=text: refresh(entry, text)] * 2
            deeds += [lambda text=text: revocation.revoke(text, entry.client)] * 4
            crowd.do(deeds)
            assert not live().exists()


def test_processes_take_turns_too(server, second):
    """Two servers, one of two workers, share one database and nothing else."""
    client_id, _ = server.register("public", redirect_uris=("https://app.example.com/back",), scope=("shipments:read",))
    with server.database():
        client = Client.objects.get(client_id=client_id)
        user = User.objects.get(email=server.demo["managers"][0]["email"])
        entry = client_directory.find(client.client_id)
        begun = [permitted(entry, user, client.scopes) for _ in range(5)]

    def ask(origin, text):
        form = {"grant_type": "refresh_token", "refresh_token": text, "client_id": client.client_id}
        return patient.post(f"{origin}/oauth2/token", data=form).status_code

    origins = [server.url, second] * (THREADS // 2)
    with ThreadPoolExecutor(THREADS) as pool:
        for _, text in begun:
            assert sorted(pool.map(ask, origins, [text] * THREADS)) == [200] + [400] * (THREADS - 1)
    with server.database():
        assert not live().filter(family__in=[family for family, _ in begun]).exists()
