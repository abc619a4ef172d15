"""Signing keys follow each other: next, active, retired; or revoked. Nothing that lives stops to verify."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.db import connection
from django.utils import timezone

from authority.keys import rotation, signing_keys
from authority.models import SigningKey
from authority.people import id_tokens
from consumers.audit import SYSTEM
from consumers.models import Event
from core.errors import Conflict
from core.jose import base64url, jwk, jws
from core.jose.algorithms import SigningAlgorithm

State = SigningKey.State
PERIOD = timedelta(days=90)


@pytest.fixture(autouse=True)
def nothing_opened():
    signing_keys.reset_for_tests()
    yield
    signing_keys.reset_for_tests()


@pytest.fixture
def clock(db):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def test_no_kid_reads_like_an_option_of_a_command(db, monkeypatch):
    generate, made = jws.generate, []

    def dashed(algorithm):
        """Make a key whose thumbprint begins with a dash, as one of 64 does, and any afterwards."""
        key = generate(algorithm)
        while not made and not jwk.public_jwk(key, algorithm)["kid"].startswith("-"):
            key = generate(algorithm)
        made.append(key)
        return key

    monkeypatch.setattr(jws, "generate", dashed)
    assert not signing_keys.generate_key_pair("ES256")[1]["kid"].startswith("-")
    assert len(made) > 1


def states(algorithm="ES256", purpose="tokens"):
    """Return the kid in each state."""
    return dict(SigningKey.objects.filter(algorithm=algorithm, purpose=purpose).values_list("state", "kid"))


def published(client):
    return {key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]}


def key_in(state, algorithm="ES256"):
    return SigningKey.objects.get(algorithm=algorithm, state=state)


def test_a_next_key_is_published_long_before_it_signs(clock, client):
    rotation.maintain()
    first = states()
    assert published(client) >= {first["active"], first["next"]}
    clock.shift(PERIOD - timedelta(seconds=1))
    rotation.maintain()
    assert states() == first
    clock.shift(timedelta(seconds=1))
    rotation.maintain()
    second = states()
    assert (second["active"], second["retired"]) == (first["next"], first["active"])
    assert second["next"] not in first.values()
    assert published(client) >= {second["active"], second["retired"], second["next"]}


def test_every_cache_knows_a_key_before_it_signs(clock, client, settings):
    settings.SIGNING_KEY_DAYS = 1
    directives = dict(
        part.strip().partition("=")[::2] for part in client.get("/.well-known/jwks.json")["Cache-Control"].split(",")
    )
    caches = timedelta(seconds=int(directives["max-age"]) + int(directives["stale-while-revalidate"]))
    assert caches < rotation.PUBLISHED_AHEAD
    rotation.maintain()
    key_in(State.NEXT).delete()  # as when a worker was away for long
    clock.shift(timedelta(days=2))
    rotation.maintain()
    following = states()["next"]
    clock.shift(caches)
    rotation.maintain()
    assert states()["next"] == following
    clock.shift(rotation.PUBLISHED_AHEAD)
    rotation.maintain()
    assert states()["active"] == following


def test_retired_key_is_published_until_its_longest_token_has_ended(clock, client):
    rotation.maintain()
    signing_keys.signer("ES256", seconds=60)
    signing_keys.signer("ES256", seconds=7200)
    signing_keys.signer("ES256", seconds=90)
    retired = states()["active"]
    clock.shift(timedelta(hours=1))
    rotation.rotate(key_in(State.ACTIVE), actor=SYSTEM)
    clock.shift(timedelta(seconds=7200) + signing_keys.SKEW - timedelta(seconds=1))
    assert retired in published(client)
    clock.shift(timedelta(seconds=1))
    assert retired not in published(client)
    assert signing_keys.verification_key(retired)


def test_a_request_that_still_signs_with_a_key_just_retired_prolongs_its_publication(clock):
    rotation.maintain()
    kid = signing_keys.signer("ES256", seconds=60).kid
    clock.shift(timedelta(hours=1))
    rotation.rotate(key_in(State.ACTIVE), actor=SYSTEM)
    assert signing_keys.signer("ES256", kid, seconds=86_400).kid == kid
    assert key_in(State.RETIRED).serve_until == timezone.now() + timedelta(days=1) + signing_keys.SKEW


def test_private_half_is_deleted_when_a_key_stops_to_sign(clock):
    rotation.maintain()
    clock.shift(timedelta(hours=1))
    rotation.rotate(key_in(State.ACTIVE), actor=SYSTEM)
    rotation.revoke(key_in(State.NEXT), actor=SYSTEM)
    assert {bytes(key_in(state).encrypted_private_key) for state in (State.RETIRED, State.REVOKED)} == {b""}


def test_rotating_before_caches_know_the_next_key_is_refused_with_the_moment(clock):
    rotation.maintain()
    before = states()
    clock.move_to("2026-11-21T13:00:01+00:00")
    SigningKey.objects.filter(kid=before["next"]).update(created_at=timezone.now())
    with pytest.raises(Conflict, match="Rotate after 21 November 2026 at 14:00 UTC"):
        rotation.rotate(key_in(State.ACTIVE), actor=SYSTEM)
    assert states() == before


def test_a_key_that_does_not_sign_cannot_be_rotated(clock):
    rotation.maintain()
    with pytest.raises(Conflict, match="no longer signs"):
        rotation.rotate(key_in(State.NEXT), actor=SYSTEM)


def test_each_step_is_written_down(clock):
    rotation.maintain()
    clock.shift(timedelta(hours=1))
    retired = states()["active"]
    signing = rotation.rotate(key_in(State.ACTIVE), actor=SYSTEM)
    rotation.revoke(signing, actor=SYSTEM)
    events = Event.objects.filter(detail__algorithm="ES256").order_by("pk")
    assert [(event.name, event.detail.get("state")) for event in events] == [
        ("key.created", "active"),
        ("key.created", "next"),
        ("key.rotated", None),
        ("key.created", "next"),
        ("key.revoked", "active"),
        ("key.created", "next"),
    ]
    rotated, revoked = events.get(name="key.rotated"), events.get(name="key.revoked")
    assert (rotated.target_label, rotated.detail["retired"]) == (signing.kid, retired)
    assert (revoked.target_label, revoked.detail["successor"]) == (signing.kid, states()["active"])


def test_a_next_key_that_does_not_open_is_not_promoted(clock, settings):
    rotation.maintain()
    before = states()
    clock.shift(timedelta(hours=1))
    settings.KEY_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    for step in (rotation.rotate, rotation.revoke):
        with pytest.raises(signing_keys.KeysNotDecryptable):
            step(key_in(State.ACTIVE), actor=SYSTEM)
        assert states() == before


def test_purposes_have_sets_of_keys_of_their_own(clock, client):
    rotation.maintain()
    mine, theirs = (
        signing_keys.signer("RS256", seconds=60, purpose=purpose)
        for purpose in (signing_keys.Purpose.TOKENS, signing_keys.Purpose.WORKLOADS)
    )
    assert theirs.kid.startswith("atky_")
    assert theirs.kid not in published(client)
    assert {key["kid"] for key in signing_keys.published_keys(signing_keys.Purpose.WORKLOADS)} == {theirs.kid}
    assert signing_keys.verification_key(theirs.kid) is None
    assert signing_keys.verification_key(mine.kid, signing_keys.Purpose.WORKLOADS) is None
    clock.shift(PERIOD)
    rotation.maintain()
    rotation.maintain()
    assert set(states("RS256", "workloads")) == {"active", "next"}


# -- Emergency --------------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 7662", "2.2")
def test_tokens_of_a_revoked_key_end_at_once_and_the_next_key_signs(client, program, flow):
    rotation.maintain()
    token = program.token().json()["access_token"]
    signed_in = flow.tokens()
    revoked, following = states()["active"], states()["next"]
    for algorithm in ("ES256", "RS256"):
        rotation.revoke(key_in(State.ACTIVE, algorithm), actor=SYSTEM)
    assert published(client).isdisjoint({revoked})
    assert program.introspect(token) == {"active": False}
    assert flow.program.introspect(signed_in["access_token"]) == {"active": False}
    userinfo = client.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {signed_in['access_token']}"})
    assert (userinfo.status_code, userinfo.json()["error"]) == (401, "invalid_token")
    assert id_tokens.read_id_token(signed_in["id_token"]) is None
    fresh = program.token().json()["access_token"]
    assert program.introspect(fresh)["active"] is True
    assert jws.decode(fresh, signing_keys.verification_key, typ="at+jwt")
    assert states()["active"] == following


@pytest.mark.django_db
def test_revoking_works_without_a_next_key_and_only_once():
    signing_keys.signer("ES256", seconds=60)
    first = key_in(State.ACTIVE)
    rotation.revoke(first, actor=SYSTEM)
    assert set(states()) == {"active", "next", "revoked"}
    with pytest.raises(Conflict, match="already been revoked"):
        rotation.revoke(first, actor=SYSTEM)


# -- Hints ------------------------------------------------------------------------------------------------------------


@pytest.mark.compliance("OpenID Connect RP-Initiated Logout", "2")
def test_id_token_hint_of_a_key_that_is_long_unserved_still_verifies(clock, client, flow, web):
    rotation.maintain()
    id_token = flow.tokens()["id_token"]
    clock.shift(timedelta(days=30))
    rotation.rotate(key_in(State.ACTIVE, "RS256"), actor=SYSTEM)
    clock.shift(timedelta(days=300))
    assert key_in(State.RETIRED, "RS256").kid not in published(client)
    assert id_tokens.read_id_token(id_token)["aud"] == web.client.client_id
    client.logout()
    assert client.get("/oauth2/logout", {"id_token_hint": id_token}).status_code == 302


# -- Algorithms -------------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 9068", "2.1")
@pytest.mark.parametrize("algorithm", SigningAlgorithm.values)
def test_every_algorithm_signs_an_apis_tokens_before_and_after_rotation(clock, client, api, program, algorithm):
    api.signing_algorithm = algorithm
    api.save()
    rotation.maintain()
    before = program.token().json()["access_token"]
    clock.shift(timedelta(minutes=50))
    SigningKey.objects.filter(state=State.NEXT).update(created_at=timezone.now() - timedelta(hours=1))
    rotation.rotate(key_in(State.ACTIVE, algorithm), actor=SYSTEM)
    after = program.token().json()["access_token"]
    served = {key["kid"]: key for key in client.get("/.well-known/jwks.json").json()["keys"]}
    for token in (before, after):
        assert jws.decode(token, served.get, typ="at+jwt")["aud"] == api.identifier
        assert program.introspect(token)["active"] is True
    assert {served[key]["alg"] for key in states(algorithm).values()} == {algorithm}


@pytest.mark.compliance("OpenID Connect Core", "3.1.3.7")
@pytest.mark.parametrize("algorithm", SigningAlgorithm.values)
def test_every_algorithm_signs_id_tokens(clock, client, flow, web, algorithm):
    web.client.id_token_signed_response_alg = algorithm
    web.client.save()
    id_token = flow.tokens()["id_token"]
    served = {key["kid"]: key for key in client.get("/.well-known/jwks.json").json()["keys"]}
    assert jws.decode(id_token, served.get, typ="JWT")["aud"] == web.client.client_id
    assert served[json.loads(base64url.decode(id_token.split(".")[0]))["kid"]]["alg"] == algorithm


def test_the_list_of_keys_takes_two_questions_to_the_database(clock, client, django_assert_num_queries):
    rotation.maintain()
    with django_assert_num_queries(2):
        client.get("/.well-known/jwks.json")


def test_algorithms_that_clients_want_are_published_before_they_sign(clock, client, web):
    web.client.id_token_signed_response_alg = "PS256"
    web.client.userinfo_signed_response_alg = "none"
    web.client.save()
    rotation.maintain()
    assert set(states("PS256")) == {"active", "next"}
    assert published(client) >= set(states("PS256").values())


# -- Many at once -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_many_schedulers_at_once_each_step_is_taken_by_one():
    def schedule(_):
        try:
            rotation.maintain()
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(schedule, range(12)))  # the first keys
        first = {algorithm: states(algorithm) for algorithm in ("ES256", "RS256")}
        assert all(set(found) == {"active", "next"} for found in first.values())
        for _ in range(3):
            before = states()
            long_ago = timezone.now() - PERIOD - timedelta(hours=2)
            SigningKey.objects.update(created_at=long_ago)
            SigningKey.objects.filter(state=State.ACTIVE, algorithm="ES256").update(activated_at=long_ago)
            SigningKey.objects.filter(state=State.RETIRED).delete()
            list(pool.map(schedule, range(12)))
            after = states()
            assert (after["active"], after["retired"]) == (before["next"], before["active"])
            assert SigningKey.objects.filter(algorithm="ES256").count() == 3
    assert states("RS256") == first["RS256"]
    assert Event.objects.filter(name="key.rotated").count() == 3


@pytest.mark.django_db(transaction=True)
def test_of_many_rotations_at_once_one_happens():
    rotation.maintain()
    SigningKey.objects.update(created_at=timezone.now() - timedelta(hours=2))
    active, following = key_in(State.ACTIVE), states()["next"]

    def ask(_):
        try:
            return rotation.rotate(SigningKey.objects.get(pk=active.pk), actor=SYSTEM).kid
        except Conflict:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        kids = list(pool.map(ask, range(12)))
    assert sorted(filter(None, kids)) == [following]
    assert SigningKey.objects.filter(algorithm="ES256", state=State.ACTIVE).count() == 1
    assert SigningKey.objects.filter(algorithm="ES256").count() == 3
    assert Event.objects.filter(name="key.rotated").count() == 1
