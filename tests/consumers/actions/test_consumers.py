"""Consumers, as the actions create, change, suspend and delete them, each with its event."""

import pytest
from django.utils import timezone

from consumers.actions.consumers import (
    create_consumer,
    delete_consumer,
    resume_consumer,
    revoke_tokens,
    suspend_consumer,
    update_consumer,
)
from consumers.audit import SYSTEM
from consumers.models import Consumer, Event, Membership
from core.errors import Conflict, Refusal
from tests.factories import ClientFactory, ConsumerFactory, actor_for

pytestmark = pytest.mark.django_db


def test_created_consumer_is_recorded(recorded):
    consumer = create_consumer(actor=SYSTEM, name="Initech", slug="initech", metadata={"plan": "gold"})
    assert Consumer.objects.get(slug="initech") == consumer
    assert recorded() == [("consumer.created", {})]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"metadata": ["no object"]}, "metadata"),
        ({"metadata": {"text": "x" * 17_000}}, "metadata"),
        ({"claims": {"sub": "somebody"}}, "claims"),
        ({"test_token_claims": ["scope"]}, "test_token_claims"),
        ({"slug": "no slug"}, "slug"),
        ({"name": "x" * 101}, "name"),
    ],
)
def test_what_the_policy_refuses_is_neither_saved_nor_recorded(fields, field, recorded):
    with pytest.raises(Refusal) as refused:
        create_consumer(actor=SYSTEM, **({"name": "Initech", "slug": "initech"} | fields))
    assert refused.value.field == field
    assert not Consumer.objects.exists()
    assert recorded() == []


@pytest.mark.parametrize("fields", [{"slug": "acme"}, {"slug": "other", "external_id": "CRM-1"}])
def test_short_names_and_external_ids_are_taken_once(fields, acme, recorded):
    Consumer.objects.filter(pk=acme.pk).update(external_id="CRM-1")
    with pytest.raises(Conflict):
        create_consumer(actor=SYSTEM, name="Another", **fields)
    assert recorded() == []


def test_update_saves_the_changed_fields_alone_and_records_their_names(acme, recorded):
    acme.external_id = "CRM-2"  # in memory alone
    update_consumer(consumer=acme, actor=SYSTEM, change=lambda now: {"name": f"{now.name} Freight", "slug": now.slug})
    acme.refresh_from_db()
    assert (acme.name, acme.external_id) == ("Acme Logistics Freight", None)
    assert recorded() == [("consumer.updated", {"fields": ["name"]})]


def test_update_that_changes_nothing_is_not_recorded(acme, recorded):
    update_consumer(consumer=acme, actor=SYSTEM, change=lambda now: {"name": now.name})
    assert recorded() == []


def test_refused_update_changes_nothing(acme, recorded):
    with pytest.raises(Refusal, match="iss"):
        update_consumer(consumer=acme, actor=SYSTEM, change=lambda _: {"claims": {"iss": "https://elsewhere.example"}})
    acme.refresh_from_db()
    assert acme.claims == {}
    assert recorded() == []


def test_suspending_and_resuming_are_recorded_once(acme, recorded):
    for _ in range(2):
        suspend_consumer(consumer=acme, actor=SYSTEM)
        assert acme.is_suspended
    for _ in range(2):
        resume_consumer(consumer=acme, actor=SYSTEM)
        assert not acme.is_suspended
    assert [name for name, _ in recorded()] == ["consumer.suspended", "consumer.resumed"]


def test_revoking_tokens_sets_the_moment_from_which_tokens_count(acme, globex, recorded):
    before = timezone.now()
    revoke_tokens(consumer=acme, actor=SYSTEM)
    globex.refresh_from_db()
    assert acme.tokens_valid_after is not None
    assert acme.tokens_valid_after >= before
    assert globex.tokens_valid_after is None
    assert recorded() == [("consumer.tokens.revoked", {})]


def test_consumer_with_clients_is_not_deleted(acme, olga, recorded):
    ClientFactory(consumer=acme)
    with pytest.raises(Conflict, match="has clients"):
        delete_consumer(consumer=acme, actor=actor_for(olga))
    assert Consumer.objects.filter(pk=acme.pk).exists()
    assert recorded() == []


def test_deleted_consumer_leaves_its_people_and_its_activity(acme, alice, olga, recorded):
    other = ConsumerFactory()
    Membership.objects.create(consumer=other, user=alice)
    suspend_consumer(consumer=acme, actor=actor_for(olga))
    pk = acme.pk
    delete_consumer(consumer=acme, actor=actor_for(olga))
    alice.refresh_from_db()
    assert list(alice.workspaces()) == [other]
    assert [name for name, _ in recorded()] == ["consumer.suspended", "consumer.deleted"]
    assert Event.objects.filter(consumer_id=pk).count() == 2
