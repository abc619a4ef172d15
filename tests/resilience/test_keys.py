"""Signing keys under kill -9 at every step, and under load with verifiers that keep keys as long as they may."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from django.conf import settings
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from authority.keys import rotation, signing_keys
from authority.models import SigningKey
from core.jose import jws
from tests.authority.conftest import Program
from tests.factories import AccessFactory, ApiFactory, ClientFactory, ConsumerFactory, ScopeFactory, give_secret

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("deed", ["rotate", "revoke"])
def test_a_worker_killed_at_any_step_leaves_one_key_that_signs_and_a_restart_carries_on(deed):
    connection.close()
    drill = subprocess.run(
        [sys.executable, "-m", "tests.resilience.killed_rotation", connection.settings_dict["NAME"], deed],
        cwd=settings.BASE_DIR,
        check=True,
        stdout=subprocess.PIPE,
        timeout=250,
    )
    steps = json.loads(drill.stdout)
    assert len(steps) > 10, "the deed takes more statements than that"
    former = "retired" if deed == "rotate" else "revoked"
    for step in steps:
        before, left, resumed = step["before"], step["left"], step["resumed"]
        done = left["active"] == before["next"]
        assert done or left["active"] == before["active"]
        assert (before["active"][0] in left[former]) is done
        assert len(left["active"]) == len(resumed["active"]) == len(resumed["next"]) == 1
        # The restarted worker rotates what is due; what an operator wanted to revoke, they revoke again.
        assert resumed["active"] == before["next"]
        assert set(before["retired"]) <= set(resumed["retired"])
    assert steps[-1]["left"]["active"] == steps[-1]["before"]["next"], "the last child was not killed"


class Verifier:
    """An API that asks for the keys as seldom as the headers let it, and never because a key is unknown."""

    def __init__(self, started_ago: int):
        self.fetched_at = timezone.now() - timedelta(seconds=started_ago)
        self.keys = self.fetch()

    def fetch(self):
        return {key["kid"]: key for key in Browser().get("/.well-known/jwks.json").json()["keys"]}

    def accepts(self, token):
        now = timezone.now()
        if now - self.fetched_at >= signing_keys.JWKS_MAX_AGE + signing_keys.JWKS_STALE:
            self.keys, self.fetched_at = self.fetch(), now
        claims = jws.decode(token, self.keys.get, typ="at+jwt")
        return claims is not None and claims["exp"] > now.timestamp()


def hang_up(pool, threads):
    """Close the connection of each thread."""
    together = Barrier(threads)

    def close():
        together.wait(120)
        connection.close()

    [worker.result() for worker in [pool.submit(close) for _ in range(threads)]]


def test_verifiers_that_keep_keys_see_no_failure_through_rotations_under_load(settings):
    signing_keys.reset_for_tests()
    settings.SIGNING_KEY_DAYS = 0.25  # so that the drill is short
    consumer, scope = ConsumerFactory(), ScopeFactory(api=ApiFactory())
    AccessFactory(consumer=consumer, scope=scope)
    client = ClientFactory(consumer=consumer, scopes=["shipments:read"])
    program = Program(client, give_secret(client)[1])
    step, hour = timedelta(minutes=5), 12
    failures, verified, kids = [], 0, set()
    with time_machine.travel(timezone.now(), tick=False) as clock, ThreadPoolExecutor(3) as pool:
        rotation.maintain()
        verifiers = [Verifier(started_ago) for started_ago in (0, 290)]
        living = []
        for number in range(14 * hour):
            deeds = [pool.submit(program.token) for _ in verifiers]
            if number % hour == 7:
                deeds.append(pool.submit(rotation.maintain))
            tokens = [deed.result().json()["access_token"] for deed in deeds[: len(verifiers)]]
            [deed.result() for deed in deeds[len(verifiers) :]]
            living.append(tokens)
            # Each token is judged when it is new, and by another verifier in the last minutes of its life.
            for judged, turn in ((tokens, 0), (living[-hour] if len(living) >= hour else [], 1)):
                for index, token in enumerate(judged):
                    verified += 1
                    if not verifiers[(index + turn) % len(verifiers)].accepts(token):
                        failures.append((number, turn, token))
            kids |= {token.partition(".")[0] for token in tokens}
            clock.shift(step)
        hang_up(pool, 3)
    assert failures == []
    assert verified > 600
    assert len(kids) >= 3, "the keys were rotated twice meanwhile"
    assert SigningKey.objects.filter(algorithm="ES256", state="active").count() == 1
