"""The audit record takes whatever it is told: a change must never fail because it is recorded."""

import pytest
from django.apps import apps
from django.db import transaction

from clients.models import Client
from consumers import audit
from consumers.activity import vocabulary
from consumers.audit import Actor
from consumers.events import ConsumerEvent
from consumers.models import Consumer, Event
from core.limits import longest

pytestmark = pytest.mark.django_db

LONG = "x" * 1000


def test_texts_that_are_too_long_are_cut(acme):
    actor = Actor(kind="client", id=LONG, label=LONG, user_agent=LONG, request_id=LONG)
    with transaction.atomic():
        event = audit.record(ConsumerEvent.CONSUMER_CREATED, actor=actor, target=Consumer(name=LONG, pk=acme.pk))
    event.refresh_from_db()
    for column in ("actor_id", "actor_label", "target_label", "user_agent", "request_id"):
        assert getattr(event, column) == LONG[: longest(Event, column)], column


def test_ids_and_names_of_ours_are_never_cut(acme):
    """Two that begin alike would be taken for one."""
    assert longest(Event, "actor_id") >= longest(Client, "client_id")
    assert max(map(len, vocabulary.event_names())) <= longest(Event, "name")


def test_label_of_an_actor_fits_wherever_it_is_kept():
    actor = Actor(kind="person", id="", label=LONG)
    columns = [field for model in apps.get_models() for field in model._meta.fields if field.name == "created_by_label"]
    assert len(columns) > 3
    assert all(len(actor.label) <= column.max_length for column in columns)
