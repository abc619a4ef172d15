"""Periodic deletion of self-registered clients."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clients.actions import registration as registration_actions
from clients.actions.cleanup import delete_idle_clients
from clients.models import Client
from clients.models.registration import RegistrationMethod, SelfRegistration
from consumers.audit import SYSTEM
from consumers.models import Event
from tests.factories import ClientFactory


def registered(consumer, how, *, days=0, **times):
    """A client that registered itself so many days ago."""
    client = ClientFactory(consumer=consumer)
    if how is not None:
        SelfRegistration.objects.create(client=client, method=how)
    Client.objects.filter(pk=client.pk).update(created=timezone.now() - timedelta(days=days), **times)
    return client


def stays(client):
    delete_idle_clients()
    return Client.objects.filter(pk=client.pk).exists()


@pytest.fixture
def opened(acme):
    return registration_actions.enable_open_registration(consumer=acme, actor=SYSTEM, idle_days=10)


def test_unused_openly_registered_client_is_deleted_after_idle_days(acme, opened):
    assert stays(registered(acme, RegistrationMethod.OPEN, days=9))
    old = registered(acme, RegistrationMethod.OPEN, days=11)
    assert not stays(old)
    assert Event.objects.filter(name="client.deleted", detail__client_id=old.client_id).exists()


def test_open_client_that_is_used_stays(acme, opened):
    assert stays(registered(acme, RegistrationMethod.OPEN, days=100, last_used_at=timezone.now() - timedelta(days=1)))


@pytest.mark.parametrize("how", [None, RegistrationMethod.INITIAL_ACCESS_TOKEN])
def test_clients_of_people_and_of_tokens_stay_though_unused(acme, opened, how):
    assert stays(registered(acme, how, days=1000))


def test_unused_client_with_a_metadata_document_is_deleted_later_and_registered_again(acme):
    assert stays(registered(acme, RegistrationMethod.DOCUMENT, days=89))
    assert not stays(registered(acme, RegistrationMethod.DOCUMENT, days=91))


def test_expired_client_is_deleted_a_month_later(acme):
    now = timezone.now()
    assert stays(registered(acme, RegistrationMethod.INITIAL_ACCESS_TOKEN, expires_at=now - timedelta(days=29)))
    assert not stays(registered(acme, RegistrationMethod.INITIAL_ACCESS_TOKEN, expires_at=now - timedelta(days=31)))


def test_client_that_has_ended_gets_no_token(acme, acme_access):
    client = registered(acme, RegistrationMethod.INITIAL_ACCESS_TOKEN, expires_at=timezone.now() - timedelta(seconds=1))
    client.refresh_from_db()
    assert not client.is_usable(None)
