"""The operator's way: an API, a consumer with its people, and the clients that they make."""

import json

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from clients.models import Access, Api, Client, ClientSecret, Scope
from consumers.actions import invite_manager
from consumers.models import Consumer, Event, Invitation, Membership, Role
from tests.factories import AccessFactory, ApiFactory, ClientFactory, ScopeFactory, actor_for, give_secret

ADD_API = "/operators/clients/api/add/"
ADD_CONSUMER = "/operators/consumers/consumer/add/"
ADDRESSES = "anna@northwind.example, ben@northwind.example\ncleo@northwind.example; Anna@northwind.example"


@pytest.fixture
def desk(browser_of, olga):
    return browser_of(olga)


def page(thing, deed="", part=None) -> str:
    name = f"admin:{thing._meta.app_label}_{thing._meta.model_name}"
    if not deed:
        return reverse(f"{name}_change", args=[thing.pk])
    return reverse(f"{name}_deed", args=[thing.pk, deed, *([part.pk] if part else [])])


def said(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def events(*names: str) -> list[Event]:
    return list(Event.objects.filter(name__in=names).order_by("pk"))


def api_form(*rows: dict, **fields) -> dict:
    """Return the form of an API with its scopes' rows; a row with an id is one that exists."""
    form = {
        "name": "Shipments",
        "identifier": "https://api.example.com/shipments",
        "description": "Book and follow freight",
        "signing_algorithm": "ES256",
        "access_token_lifetime": "600",
        "scopes-TOTAL_FORMS": len(rows),
        "scopes-INITIAL_FORMS": sum("id" in row for row in rows),
    } | fields
    for number, row in enumerate(rows):
        form |= {f"scopes-{number}-{name}": value for name, value in row.items()}
    return form


def consumer_form(**fields) -> dict:
    return {
        "name": "Northwind Freight",
        "slug": "northwind",
        "external_id": "",
        "scopes": [],
        "emails": "",
        "role": "manager",
        "metadata": "{}",
        "claims": "{}",
    } | fields


def of(consumer: Consumer, **fields) -> dict:
    return consumer_form(
        name=consumer.name,
        slug=consumer.slug,
        scopes=list(consumer.access.values_list("scope_id", flat=True)),
        metadata=json.dumps(consumer.metadata),
        claims=json.dumps(consumer.claims),
        **fields,
    )


# -- APIs -------------------------------------------------------------------------------------------------------------


def test_operator_adds_an_api_with_its_scopes(desk):
    read = {"value": "shipments:read", "name": "Read shipments", "description": "Bookings and routes"}
    write = {"value": "shipments:write", "name": "Book shipments", "description": ""}
    answer = desk.post(ADD_API, api_form(read, write), follow=True)
    api = Api.objects.get()
    assert answer.status_code == 200
    assert (api.identifier, api.access_token_lifetime) == ("https://api.example.com/shipments", 600)
    assert list(api.scopes.values_list("value", flat=True)) == ["shipments:read", "shipments:write"]
    assert [(event.target_label, event.actor_label) for event in events("api.created")] == [("Shipments", "Olga Weber")]


def test_api_whose_scope_is_wrong_is_not_added_and_the_form_is_kept(desk):
    answer = desk.post(ADD_API, api_form({"value": "read all", "name": "Read", "description": "Everything"}))
    assert answer.status_code == 200
    assert "Everything" in answer.content.decode()
    assert not Api.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("value", ["openid", "offline_access"])
def test_scopes_of_openid_connect_belong_to_no_api(desk, value):
    desk.post(ADD_API, api_form({"value": value, "name": "Sign in", "description": ""}))
    assert not Scope.objects.exists()


def test_identifier_and_scope_values_stay_whatever_a_form_says(desk, api):
    scope = api.scopes.first()
    row = {"id": scope.pk, "api": api.pk, "value": "everything", "name": "Read all shipments", "description": ""}
    desk.post(page(api), api_form(row, identifier="https://evil.example/", name="Freight"))
    api.refresh_from_db()
    scope.refresh_from_db()
    assert (api.name, api.identifier) == ("Freight", "https://api.example.com/shipments")
    assert (scope.name, scope.value) == ("Read all shipments", "shipments:read")
    (event,) = events("api.updated")
    assert (event.detail["changed"], event.detail["added"]) == (["shipments:read"], [])


def test_scope_in_use_is_not_deleted_and_the_reason_names_the_consumer(desk, acme, acme_access, api):
    scope = api.scopes.first()
    row = {"id": scope.pk, "api": api.pk, "name": scope.name, "description": "", "DELETE": "on"}
    answer = desk.post(page(api), api_form(row))
    assert "Acme Logistics" in answer.content.decode()
    assert Scope.objects.filter(pk=scope.pk).exists()


def test_unused_scope_is_deleted(desk, api):
    scope = api.scopes.first()
    row = {"id": scope.pk, "api": api.pk, "name": scope.name, "description": "", "DELETE": "on"}
    desk.post(page(api), api_form(row))
    assert list(api.scopes.values_list("value", flat=True)) == ["shipments:write"]
    assert events("api.updated")[0].detail["removed"] == ["shipments:read"]


@pytest.mark.parametrize("forged", [{"DELETE": "on"}, {}])
def test_forged_row_of_another_api_changes_nothing(desk, api, forged):
    other = ScopeFactory(api=ApiFactory(identifier="https://api.example.com/bills", name="Bills"), value="bills:read")
    row = {"id": other.pk, "api": api.pk, "name": "Taken over", "description": "", **forged}
    answer = desk.post(page(api), api_form(row, name=api.name, description="", access_token_lifetime="3600"))
    other.refresh_from_db()
    assert answer.status_code in (200, 302)
    assert (other.name, other.api.name) == ("Read shipments", "Bills")
    assert api.scopes.count() == 2
    assert not Event.objects.exists()


def test_deleting_an_api_says_who_loses_access_and_does_it(desk, api, acme_access, service):
    address = reverse("admin:clients_api_delete", args=[api.pk])
    told = desk.get(address).content.decode()
    assert "Acme Logistics" in told
    assert "Billing sync of Acme Logistics" in told
    desk.post(address, {"post": "yes"})
    assert not Access.objects.exists()
    assert not service.granted_scopes().exists()
    assert events("api.deleted")[0].detail["identifier"] == "https://api.example.com/shipments"


# -- Consumers --------------------------------------------------------------------------------------------------------


def test_operator_adds_a_consumer_with_its_access_and_invites_three(desk, api):
    scopes = list(api.scopes.values_list("pk", flat=True))
    form = consumer_form(scopes=scopes, emails=ADDRESSES, external_id="CRM-7")
    answer = desk.post(ADD_CONSUMER, form, follow=True)
    consumer = Consumer.objects.get()
    assert (consumer.slug, consumer.external_id) == ("northwind", "CRM-7")
    assert set(consumer.access.values_list("scope__value", flat=True)) == {"shipments:read", "shipments:write"}
    invited = {"anna@northwind.example", "ben@northwind.example", "cleo@northwind.example"}
    assert set(consumer.invitations.values_list("email", flat=True)) == invited
    assert {message.to[0] for message in mail.outbox} == invited
    assert all(message.alternatives for message in mail.outbox)
    recorded = [event.name for event in Event.objects.order_by("pk")]
    assert recorded == ["consumer.created", "consumer.scopes.changed", *["manager.invited"] * 3]
    assert all(address in answer.content.decode() for address in invited)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("emails", "anna@northwind.example, no address, <b>@x", "Not an e-mail address: no, address"),
        ("slug", "two words", "valid"),
        ("slug", "acme", "already exists"),
        ("role", "owner", "not one of the available choices"),
        ("scopes", ["999"], "not one of the available choices"),
    ],
)
def test_mistake_in_the_form_names_itself_and_loses_nothing(desk, acme, field, value, reason):
    answer = desk.post(ADD_CONSUMER, consumer_form(**{"name": "Northwind", "external_id": "CRM-7", field: value}))
    assert answer.status_code == 200
    assert reason in str(answer.context["adminform"].form.errors[field])
    assert 'value="CRM-7"' in answer.content.decode()
    assert not Consumer.objects.exclude(pk=acme.pk).exists()
    assert mail.outbox == []
    assert not Event.objects.exists()


def test_more_people_are_invited_from_the_consumers_page(desk, acme):
    desk.post(page(acme), of(acme, emails="anna@acme.example", role="viewer"))
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, invitation.invited_by.name) == (
        "anna@acme.example",
        "viewer",
        "Olga Weber",
    )


def test_who_joined_or_is_invited_already_is_named_at_the_field(desk, acme, alice, olga):
    invite_manager(consumer=acme, email="anna@acme.example", actor=actor_for(olga))
    joined = desk.post(page(acme), of(acme, emails="ALICE@acme.example"))
    assert "Joined already: alice@acme.example" in joined.content.decode()
    invited = desk.post(page(acme), of(acme, emails="anna@acme.example"))
    assert "Invited already: anna@acme.example" in invited.content.decode()
    assert Invitation.objects.count() == 1


def test_taking_a_scope_away_takes_it_from_the_clients(desk, acme, acme_access, service):
    read = Scope.objects.get(value="shipments:read")
    desk.post(page(acme), of(acme) | {"scopes": [read.pk]})
    assert [scope.value for scope in service.granted_scopes()] == ["shipments:read"]
    (event,) = events("consumer.scopes.changed")
    assert event.detail == {"added": [], "removed": ["shipments:write"]}


def test_page_shows_who_is_invited_by_whom_and_who_joined(desk, acme, alice, olga):
    invite_manager(consumer=acme, email="anna@acme.example", actor=actor_for(olga))
    ended = invite_manager(consumer=acme, email="ben@acme.example", actor=actor_for(olga))
    Invitation.objects.filter(pk=ended.pk).update(expires_at=timezone.now())
    shown = desk.get(page(acme)).content.decode()
    for text in ("anna@acme.example", "by Olga Weber", "Invitation ended", "Alice Martin", "Joined"):
        assert text in shown


def test_invitation_is_sent_again_with_a_new_link(desk, acme, olga):
    invitation = invite_manager(consumer=acme, email="anna@acme.example", actor=actor_for(olga))
    old = invitation.token_digest
    desk.post(page(acme, "resend", invitation))
    invitation.refresh_from_db()
    assert invitation.token_digest != old
    assert len(mail.outbox) == 2
    assert len(events("manager.invitation.resent")) == 1


def test_withdrawn_invitation_cannot_be_withdrawn_twice(desk, acme, olga):
    invitation = invite_manager(consumer=acme, email="anna@acme.example", actor=actor_for(olga))
    assert "withdrawn" in said(desk.post(page(acme, "withdraw", invitation), follow=True))
    invitation.refresh_from_db()
    assert invitation.state == "withdrawn"
    assert "meanwhile" in said(desk.post(page(acme, "withdraw", invitation), follow=True))
    assert len(events("manager.invitation.withdrawn")) == 1


@pytest.mark.parametrize("deed", ["resend", "withdraw"])
def test_invitation_of_another_consumer_is_out_of_reach(desk, acme, globex, olga, deed):
    invitation = invite_manager(consumer=globex, email="anna@globex.example", actor=actor_for(olga))
    assert desk.post(page(acme, deed, invitation)).status_code == 404
    assert desk.get(page(globex, deed, invitation)).status_code == 405
    invitation.refresh_from_db()
    assert invitation.withdrawn_at is None
    assert len(mail.outbox) == 1


def test_role_is_changed_and_a_member_removed(desk, acme, alice, bob):
    membership = acme.memberships.get(user=bob)
    desk.post(page(acme, "make-manager", membership))
    membership.refresh_from_db()
    assert membership.role == Role.MANAGER
    assert "Clients and secrets that they made stay" in desk.get(page(acme, "remove", membership)).content.decode()
    desk.post(page(acme, "remove", membership))
    assert not Membership.objects.filter(pk=membership.pk).exists()
    assert len(events("manager.role.changed", "manager.removed")) == 2


@pytest.mark.parametrize("deed", ["make-viewer", "remove"])
def test_member_of_another_consumer_is_out_of_reach(desk, acme, globex, mallory, deed):
    membership = globex.memberships.get()
    assert desk.post(page(acme, deed, membership)).status_code == 404
    assert globex.memberships.get().role == Role.MANAGER


def test_suspending_is_asked_first_and_closes_the_workspace_at_the_next_request(desk, acme, alice, service):
    from django.test import Client as Browser

    manager = Browser()
    manager.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    workspace = reverse("consumers:people", args=[acme.slug])
    assert manager.get(workspace).status_code == 200
    asked = desk.get(page(acme, "suspend")).content.decode()
    assert "1 person" in asked
    assert "1 client" in asked
    desk.post(page(acme, "suspend"))
    assert manager.get(workspace).status_code == 404
    service.refresh_from_db()
    assert not Client.objects.get(pk=service.pk).is_usable(None)
    desk.post(page(acme, "resume"))
    assert manager.get(workspace).status_code == 200
    assert len(events("consumer.suspended", "consumer.resumed")) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"iss": "https://evil.example", "scope": "all"}', "Rename iss, scope"),
        ('["gold"]', "JSON object"),
        ("{tier: gold}", "valid JSON"),
        ('{"tier": NaN}', "plain JSON"),
        ('{"tier": "\\u0000"}', "U+0000"),
        ('{"tier": "\\ud800"}', "plain JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"n": ' + "9" * 5_000 + "}", "no JSON"),
        ('{"note": "' + "x" * 3_000 + '"}', "Shorten it to 2,048 bytes"),
    ],
)
def test_claims_that_a_token_cannot_carry_are_refused_with_what_was_typed(desk, acme, text, reason):
    answer = desk.post(page(acme), of(acme) | {"claims": text})
    assert answer.status_code == 200
    assert reason in str(answer.context["adminform"].form.errors["claims"])
    acme.refresh_from_db()
    assert acme.claims == {}


def test_metadata_and_claims_are_kept_and_the_record_names_the_fields_alone(desk, acme):
    desk.post(page(acme), of(acme) | {"metadata": '{"plan": "gold"}', "claims": '{"tier": 3}'})
    acme.refresh_from_db()
    assert (acme.metadata, acme.claims) == ({"plan": "gold"}, {"tier": 3})
    assert events("consumer.updated")[0].detail == {"fields": ["claims", "metadata"]}


def test_saving_an_unchanged_form_records_nothing(desk, acme, acme_access):
    desk.post(page(acme), of(acme))
    assert not Event.objects.exists()


def test_consumer_with_clients_is_not_deleted(desk, acme, service):
    assert "cannot be deleted while it has clients" in desk.get(page(acme)).content.decode()
    assert desk.post(reverse("admin:consumers_consumer_delete", args=[acme.pk]), {"post": "yes"}).status_code == 403
    assert Consumer.objects.filter(pk=acme.pk).exists()


def test_consumer_without_clients_is_deleted_and_its_record_stays(desk, acme, alice):
    desk.post(reverse("admin:consumers_consumer_delete", args=[acme.pk]), {"post": "yes"})
    assert not Consumer.objects.filter(pk=acme.pk).exists()
    (event,) = events("consumer.deleted")
    assert event.target_label == "Acme Logistics"
    assert "Acme Logistics" in desk.get(reverse("admin:consumers_event_changelist")).content.decode()


# -- Clients ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def others(globex):
    AccessFactory(consumer=globex, scope=ScopeFactory())
    return [
        ClientFactory(consumer=globex, client_name="Storefront", template="web"),
        ClientFactory(consumer=globex, client_name="Till app", template="public", disabled_at=timezone.now()),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"Billing sync", "Storefront", "Till app"}),
        ({"kind": "service"}, {"Billing sync"}),
        ({"kind": "web"}, {"Storefront"}),
        ({"kind": "public"}, {"Till app"}),
        ({"state": "disabled"}, {"Till app"}),
        ({"q": "globex"}, {"Storefront", "Till app"}),
        ({"kind": "nonsense"}, {"Billing sync", "Storefront", "Till app"}),
    ],
)
def test_clients_of_all_consumers_are_found(desk, service, others, query, found):
    answer = desk.get(reverse("admin:clients_client_changelist"), query)
    assert {client.client_name for client in answer.context["cl"].queryset} == found


def test_clients_are_found_by_consumer_and_by_their_whole_id(desk, acme, service, others):
    for query in ({"consumer": str(acme.pk)}, {"q": service.client_id}):
        answer = desk.get(reverse("admin:clients_client_changelist"), query)
        assert list(answer.context["cl"].queryset) == [service]
    assert desk.get(reverse("admin:clients_client_changelist"), {"consumer": "x'--"}).status_code == 200


def test_operator_disables_enables_and_deletes_a_client(desk, service):
    assert "invalid_client" in desk.get(page(service, "disable")).content.decode()
    desk.post(page(service, "disable"))
    service.refresh_from_db()
    assert service.is_disabled
    desk.post(page(service, "enable"))
    service.refresh_from_db()
    assert not service.is_disabled
    desk.post(reverse("admin:clients_client_delete", args=[service.pk]), {"post": "yes"})
    assert not Client.objects.exists()
    assert len(events("client.disabled", "client.enabled", "client.deleted")) == 3


def test_operator_revokes_a_secret_and_only_the_clients_own(desk, service, others):
    secret, _ = give_secret(service)
    foreign, _ = give_secret(others[0])
    assert f"••••{secret.hint}" in desk.get(page(service)).content.decode()
    assert desk.post(page(service, "revoke", foreign)).status_code == 404
    desk.post(page(service, "revoke", secret))
    assert list(ClientSecret.objects.filter(revoked_at=None)) == [foreign]
    assert events("client.secret.revoked")[0].detail["hint"] == secret.hint


def test_forged_form_of_a_client_changes_nothing(desk, service, globex):
    before = Client.objects.values().get()
    form = {
        "client_name": "Mine",
        "consumer": str(globex.pk),
        "client_id": "cl_mine",
        "disabled_at": "2020-01-01",
        "user": "1",
    }
    desk.post(page(service), form)
    assert Client.objects.values().get() == before
    assert desk.post(reverse("admin:clients_client_add"), form).status_code == 403
