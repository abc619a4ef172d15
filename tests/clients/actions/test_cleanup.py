"""Clients that registered themselves are cleared away by rule."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clients.actions import registration as registration_actions
from clients.actions.cleanup import forget_idle
from clients.models import Client
from clients.models.registration import Origin, SelfRegistration
from consumers.audit import SYSTEM
from consumers.models import Event
from tests.factories import ClientFactory


def registered(consumer, how, *, days=0, **times):
    """A client that registered itself so many days ago."""
    client = ClientFactory(consumer=consumer)
    if how is not None:
        SelfRegistration.objects.create(client=client, how=how)
    Client.objects.filter(pk=client.pk).update(created=timezone.now() - timedelta(days=days), **times)
    return client


def stays(client):
    forget_idle()
    return Client.objects.filter(pk=client.pk).exists()


@pytest.fixture
def opened(acme):
    return registration_actions.open_registration(consumer=acme, actor=SYSTEM, idle_days=10)


def test_open_client_that_nobody_used_goes_when_the_operator_says(acme, opened):
    assert stays(registered(acme, Origin.OPEN, days=9))
    old = registered(acme, Origin.OPEN, days=11)
    assert not stays(old)
    assert Event.objects.filter(name="client.deleted", detail__client_id=old.client_id).exists()


def test_open_client_that_is_used_stays(acme, opened):
    assert stays(registered(acme, Origin.OPEN, days=100, last_used_at=timezone.now() - timedelta(days=1)))


@pytest.mark.parametrize("how", [None, Origin.INITIAL_TOKEN])
def test_clients_of_people_and_of_tokens_stay_though_unused(acme, opened, how):
    assert stays(registered(acme, how, days=1000))


def test_client_by_document_goes_later_and_comes_back_by_itself(acme):
    assert stays(registered(acme, Origin.DOCUMENT, days=89))
    assert not stays(registered(acme, Origin.DOCUMENT, days=91))


def test_client_that_ended_goes_a_month_later(acme):
    now = timezone.now()
    assert stays(registered(acme, Origin.INITIAL_TOKEN, expires_at=now - timedelta(days=29)))
    assert not stays(registered(acme, Origin.INITIAL_TOKEN, expires_at=now - timedelta(days=31)))


def test_client_that_has_ended_gets_no_token(acme, acme_access):
    client = registered(acme, Origin.INITIAL_TOKEN, expires_at=timezone.now() - timedelta(seconds=1))
    client.refresh_from_db()
    assert not client.is_usable(None)
