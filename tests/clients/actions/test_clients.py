"""Actions on clients and their secrets."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from clients import secrets
from clients.actions import clients as client_actions
from clients.actions import secrets as secret_actions
from clients.actions.secrets import End
from clients.errors import InvalidClientMetadata
from clients.metadata import TEMPLATES, ClientMetadata
from clients.models import Client, ClientSecret
from clients.onboarding import keypairs
from clients.policy import portal_policy
from consumers.models import Event
from core.errors import Conflict, PreconditionFailed, Refusal
from tests.factories import ClientFactory, MembershipFactory, UserFactory, actor_for, give_secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor(alice):
    return actor_for(alice)


def register(consumer, actor, template="service", **changes):
    values = {"client_name": "Yard planner", "scope": ("shipments:read",)}
    if template != "service":
        values["redirect_uris"] = ("https://app.example.com/cb",)
    return client_actions.register_client(
        consumer=consumer,
        metadata=TEMPLATES[template].replace(**(values | changes)),
        policy=portal_policy,
        actor=actor,
    )


def live(client) -> list[ClientSecret]:
    return list(client.secrets.live())


def events(client) -> list[str]:
    return list(Event.objects.filter(target_kind="client", target_id=client.pk).values_list("name", flat=True))


# -- Clients ----------------------------------------------------------------------------------------------------------


def test_registered_service_has_one_live_secret(acme, acme_access, alice, actor):
    client, text = register(acme, actor)
    [secret] = live(client)
    assert secret.matches(text)
    assert secrets.looks_real(text)
    assert text not in secret.digest
    assert secret.created_by == alice
    assert client.kind == "service"
    assert events(client) == ["client.registered"]


def test_public_client_has_no_secret(acme, acme_access, actor):
    client, text = register(acme, actor, "public")
    assert text is None
    assert not client.secrets.exists()


def test_refused_registration_leaves_nothing(acme, acme_access, actor):
    with pytest.raises(Refusal):
        register(acme, actor, scope=("invoices:read",))
    assert not Client.objects.exists()
    assert not Event.objects.exists()


def test_suspended_consumer_registers_nothing(acme, acme_access, actor):
    acme.suspended_at = timezone.now()
    acme.save()
    with pytest.raises(Conflict, match="suspended"):
        register(acme, actor)


def test_update_records_the_changed_fields_and_nothing_without_a_change(acme, acme_access, service, actor):
    metadata = ClientMetadata.of(service)
    update = {"client": service, "policy": portal_policy, "actor": actor}
    client_actions.update_client(change=lambda _: metadata, **update)
    assert events(service) == []
    renamed = metadata.replace(client_name="Invoices", scope=("shipments:read",))
    client_actions.update_client(change=lambda _: renamed, **update)
    service.refresh_from_db()
    assert (service.client_name, service.scopes) == ("Invoices", ["shipments:read"])
    assert Event.objects.get().detail == {"fields": ["client_name", "scope"]}


def test_update_of_another_state_than_if_match_names_fails(acme, acme_access, service, actor):
    update = {"client": service, "policy": portal_policy, "actor": actor, "if_match": [service.revision]}
    client_actions.update_client(change=lambda metadata: metadata.replace(client_name="First"), **update)
    with pytest.raises(PreconditionFailed, match="has changed"):
        client_actions.update_client(change=lambda metadata: metadata.replace(client_name="Second"), **update)
    service.refresh_from_db()
    assert service.client_name == "First"


def test_a_change_starts_from_what_is_registered_now(acme, acme_access, service, actor):
    update = {"client": service, "policy": portal_policy, "actor": actor}  # the same, old instance twice
    client_actions.update_client(change=lambda metadata: metadata.replace(owner="billing"), **update)
    client_actions.update_client(change=lambda metadata: metadata.replace(description="Nightly"), **update)
    service.refresh_from_db()
    assert (service.owner, service.description) == ("billing", "Nightly")


def test_the_policy_judges_the_registered_client_and_not_an_old_instance(acme, acme_access, service, actor):
    old = Client.objects.get(pk=service.pk)
    Client.objects.filter(pk=service.pk).update(scopes=["withdrawn", "shipments:read"])  # as registered before
    client_actions.update_client(
        client=old, change=lambda metadata: metadata.replace(owner="us"), policy=portal_policy, actor=actor
    )
    assert Client.objects.get(pk=service.pk).scopes == ["withdrawn", "shipments:read"]


def test_a_key_is_generated_only_for_a_client_that_the_policy_accepts(acme, acme_access, actor, monkeypatch):
    generated = []
    real = keypairs.generate
    monkeypatch.setattr(keypairs, "generate", lambda: generated.append(real()) or generated[-1])
    signing = TEMPLATES["service"].replace(client_name="Signs", token_endpoint_auth_method="private_key_jwt")
    register = {"consumer": acme, "policy": portal_policy, "actor": actor}
    with pytest.raises(Refusal, match="at least one permission"):
        client_actions.register_client_with_key(metadata=signing, **register)
    assert generated == []
    client, pair = client_actions.register_client_with_key(
        metadata=signing.replace(scope=("shipments:read",)), **register
    )
    assert [pair] == generated
    assert client.client_jwks == {"keys": [pair.public]}
    assert not client.secrets.exists()


def test_disabling_and_enabling_again_is_recorded_once_each(service, alice, actor, mailoutbox):
    client_actions.disable_client(client=service, actor=actor)
    client_actions.disable_client(client=service, actor=actor)
    service.refresh_from_db()
    assert service.is_disabled
    client_actions.enable_client(client=service, actor=actor)
    client_actions.enable_client(client=service, actor=actor)
    service.refresh_from_db()
    assert not service.is_disabled
    assert events(service) == ["client.enabled", "client.disabled"]
    assert len(mailoutbox) == 1


def test_deleted_client_is_gone_and_its_activity_stays(service, actor):
    give_secret(service)
    pk = service.pk
    client_actions.delete_client(client=service, actor=actor)
    assert not ClientSecret.objects.exists()
    assert Event.objects.get(target_id=str(pk)).name == "client.deleted"
    service.pk = pk
    with pytest.raises(Conflict, match="deleted"):
        client_actions.disable_client(client=service, actor=actor)


# -- Secrets ----------------------------------------------------------------------------------------------------------


def rotate(old, actor, end):
    made, text = secret_actions.rotate_secret(secret=old, end=end, actor=actor)
    old.refresh_from_db()
    return made, text


def test_rotating_at_once_ends_the_old_secret_at_once(service, actor):
    old, _ = give_secret(service, name="Production")
    made, text = rotate(old, actor, End(at=timezone.now()))
    assert live(service) == [made]
    assert made.matches(text)
    assert made.name == "Production"
    assert old.state == "revoked"


def test_rotated_secret_works_until_it_expires(service, actor):
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    old, _ = give_secret(service)
    with time_machine.travel(noon, tick=False):
        rotate(old, actor, End(at=noon + timedelta(days=7)))
        assert old.state == "rotating"
    with time_machine.travel(noon + timedelta(days=7, seconds=-1), tick=False):
        assert old.is_live
    with time_machine.travel(noon + timedelta(days=7), tick=False):
        assert old.state == "expired"
        assert old.ended_at == noon + timedelta(days=7)


def test_database_and_code_agree_on_the_second_in_which_a_secret_ends(service):
    now = timezone.now()
    kept, _ = give_secret(service, expires_at=now + timedelta(minutes=1))
    ended, _ = give_secret(service, expires_at=now - timedelta(milliseconds=1))
    assert live(service) == [kept]
    assert (kept.is_live, ended.is_live) == (True, False)


def test_rotating_never_makes_an_old_secret_live_longer(service, actor):
    soon = timezone.now() + timedelta(hours=2)
    old, _ = give_secret(service, expires_at=soon)
    rotate(old, actor, End(at=timezone.now() + timedelta(days=7)))
    assert old.expires_at == soon


def test_secret_waits_for_the_first_use_of_its_successor(service, actor):
    old, _ = give_secret(service)
    made, _ = rotate(old, actor, End(after_first_use=True))
    assert (old.state, old.expires_at, old.expires_after_use_of) == ("rotating", None, made)
    assert Event.objects.get().detail["expires"] == "after_first_use"


def test_what_waits_for_a_lost_successor_waits_for_the_next_one(service, actor):
    """Otherwise a secret that was to end would live for ever, because nobody can use what replaced it."""
    first, _ = give_secret(service)
    lost, _ = rotate(first, actor, End(after_first_use=True))
    found, _ = rotate(lost, actor, End(at=timezone.now()))
    first.refresh_from_db()
    assert first.expires_after_use_of == found


def test_revoking_a_successor_lets_the_old_one_go_on(service, actor):
    old, _ = give_secret(service)
    made, _ = rotate(old, actor, End(after_first_use=True))
    secret_actions.revoke_secret(secret=made, actor=actor)
    old.refresh_from_db()
    assert (old.state, old.expires_after_use_of) == ("active", None)


def test_revoked_secret_stops_at_once_and_cannot_be_revoked_again(service, actor):
    secret, _ = give_secret(service)
    secret_actions.revoke_secret(secret=secret, actor=actor)
    assert live(service) == []
    with pytest.raises(Conflict, match="already expired or been revoked"):
        secret_actions.revoke_secret(secret=secret, actor=actor)
    assert events(service) == ["client.secret.revoked"]


def test_at_most_five_secrets_are_live_and_rotating_at_once_still_fits(service, actor):
    rows = [give_secret(service)[0] for _ in range(4)]
    give_secret(service, expires_at=timezone.now() - timedelta(days=1))
    secret_actions.create_secret(client=service, name="Fifth", actor=actor)
    with pytest.raises(Conflict, match="5 active secrets"):
        secret_actions.create_secret(client=service, name="Sixth", actor=actor)
    with pytest.raises(Conflict, match="5 active secrets"):
        rotate(rows[0], actor, End(at=timezone.now() + timedelta(days=1)))
    rows[0].refresh_from_db()
    assert rows[0].state == "active"
    rotate(rows[0], actor, End(at=timezone.now()))
    assert len(live(service)) == 5


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "x" * 61}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"name": "Production", "expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expires_at"),
    ],
)
def test_a_secret_with_a_bad_name_or_end_is_refused(service, actor, changes, field):
    with pytest.raises(Refusal) as refusal:
        secret_actions.create_secret(client=service, actor=actor, **changes)
    assert refusal.value.field == field


def test_secrets_end_where_the_client_stops_using_them(acme, acme_access, service, actor):
    give_secret(service)
    give_secret(service, expires_at=timezone.now() + timedelta(days=1))
    key = {"keys": [keypairs.generate().public]}
    methods = [("private_key_jwt", key), ("client_secret_basic", None)]
    for method, jwks in methods:
        changed = ClientMetadata.of(service).replace(token_endpoint_auth_method=method, jwks=jwks)
        service = client_actions.update_client(
            client=service, change=lambda _, changed=changed: changed, policy=portal_policy, actor=actor
        )
    assert not service.secrets.live().exists()  # moved back, it needs a new one
    assert Event.objects.filter(name="client.secret.revoked").count() == 2


def test_public_client_gets_no_secret(acme, actor):
    with pytest.raises(InvalidClientMetadata, match="without a secret"):
        secret_actions.create_secret(client=ClientFactory(consumer=acme, template="public"), name="", actor=actor)


def test_every_manager_gets_a_mail_about_a_rotation(acme, service, alice, bob, actor, mailoutbox):
    MembershipFactory(consumer=acme, user=UserFactory(email="carol@acme.example"))
    old, _ = give_secret(service)
    rotate(old, actor, End(at=timezone.now()))
    assert sorted(mail.to[0] for mail in mailoutbox) == ["alice@acme.example", "carol@acme.example"]


@pytest.mark.django_db(transaction=True)
def test_ten_rotations_at_the_same_moment_never_leave_more_than_five_live(acme, alice):
    client = ClientFactory(consumer=acme, client_name="Billing sync")
    old, _ = give_secret(client)
    actor, start, outcomes = actor_for(alice), threading.Barrier(10), []

    def rotate_now() -> None:
        try:
            start.wait(120)
            secret_actions.rotate_secret(secret=old, end=End(at=timezone.now() + timedelta(days=1)), actor=actor)
            outcomes.append("rotated")
        except Conflict:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=rotate_now) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(outcomes) == ["refused"] * 6 + ["rotated"] * 4
    assert len(live(client)) == 5
    assert Event.objects.filter(name="client.secret.rotated").count() == 4
