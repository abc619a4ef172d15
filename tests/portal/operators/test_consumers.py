"""The operator adds consumers, invites their people, and suspends them."""

import json

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from authority.models import DailyCount
from clients.models import Client, Scope
from consumers import emails
from consumers.actions.invitations import invite_manager
from consumers.models import Consumer, Event, Invitation, Membership, Role
from tests.clients.admin_helpers import events, page, said
from tests.factories import ClientFactory, actor_for, invitations_in
from tests.forms import save

ADD_CONSUMER = "/operators/consumers/consumer/add/"
ADDRESSES = "anna@northwind.example, ben@northwind.example\ncleo@northwind.example; Anna@northwind.example"


@pytest.fixture
def operator(browser_of, olga):
    return browser_of(olga)


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
        "max_clients": "1000",
        "test_token_lifetime": "3600",
        "test_token_claims": "",
    } | fields


def of(consumer: Consumer, **fields) -> dict:
    return consumer_form(
        name=consumer.name,
        slug=consumer.slug,
        scopes=list(consumer.access.values_list("scope_id", flat=True)),
        metadata=json.dumps(consumer.metadata),
        claims=json.dumps(consumer.claims),
        **({"secrets_allowed": "on"} if consumer.secrets_allowed else {}),
        **fields,
    )


def test_operator_adds_a_consumer_with_its_access_and_invites_three(operator, api):
    scopes = list(api.scopes.values_list("pk", flat=True))
    form = consumer_form(scopes=scopes, emails=ADDRESSES, external_id="CRM-7")
    answer = operator.post(ADD_CONSUMER, form, follow=True)
    consumer = Consumer.objects.get()
    assert (consumer.slug, consumer.external_id) == ("northwind", "CRM-7")
    assert set(consumer.access.values_list("scope__value", flat=True)) == {"shipments:read", "shipments:write"}
    invited = {"anna@northwind.example", "ben@northwind.example", "cleo@northwind.example"}
    assert set(consumer.invitations.values_list("email", flat=True)) == invited
    assert {message.to[0] for message in invitations_in(mail.outbox)} == invited
    assert all(message.alternatives for message in mail.outbox)
    recorded = [event.name for event in Event.objects.order_by("pk")]
    assert recorded == ["consumer.created", "consumer.scopes.changed", *["manager.invited"] * 3]
    assert all(address in answer.content.decode() for address in invited)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("emails", "anna@northwind.example, no address, <b>@x", "Not an email address: no, address"),
        ("slug", "two words", "valid"),
        ("slug", "acme", "already exists"),
        ("role", "owner", "not one of the available choices"),
        ("scopes", ["999"], "not one of the available choices"),
    ],
)
def test_mistake_in_the_form_names_itself_and_loses_nothing(operator, acme, field, value, reason):
    answer = operator.post(ADD_CONSUMER, consumer_form(**{"name": "Northwind", "external_id": "CRM-7", field: value}))
    assert answer.status_code == 200
    assert reason in str(answer.context["adminform"].form.errors[field])
    assert 'value="CRM-7"' in answer.content.decode()
    assert not Consumer.objects.exclude(pk=acme.pk).exists()
    assert mail.outbox == []
    assert not Event.objects.exists()


def test_consumer_whose_third_invitation_fails_is_not_added_at_all(operator, api, monkeypatch):
    written = iter([None, None, RuntimeError("the outbox is full")])

    def write(*args, **kwargs):
        if fault := next(written):
            raise fault

    monkeypatch.setattr(emails, "send_invitation", write)
    with pytest.raises(RuntimeError):
        operator.post(ADD_CONSUMER, consumer_form(emails=ADDRESSES, scopes=[api.scopes.first().pk]))
    assert not Consumer.objects.exists()
    assert not Invitation.objects.exists()
    assert not Event.objects.exists()


def test_more_people_are_invited_from_the_consumers_page(operator, acme):
    save(operator, page(acme), of(acme, emails="anna@acme.example", role="viewer"))
    invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, invitation.invited_by.name) == (
        "anna@acme.example",
        "viewer",
        "Olga Weber",
    )


def test_who_joined_or_is_invited_already_is_named_at_the_field(operator, acme, alice, olga):
    invite_manager(consumer=acme, email="anna@acme.example", actor=actor_for(olga))
    joined = save(operator, page(acme), of(acme, emails="ALICE@acme.example"))
    assert "Joined already: alice@acme.example" in joined.content.decode()
    invited = save(operator, page(acme), of(acme, emails="anna@acme.example"))
    assert "Invited already: anna@acme.example" in invited.content.decode()
    assert Invitation.objects.count() == 1


def test_taking_a_scope_away_takes_it_from_the_clients(operator, acme, acme_access, service):
    read = Scope.objects.get(value="shipments:read")
    save(operator, page(acme), of(acme) | {"scopes": [read.pk]})
    assert [scope.value for scope in service.granted_scopes()] == ["shipments:read"]
    (event,) = events("consumer.scopes.changed")
    assert event.detail == {"added": [], "removed": ["shipments:write"]}


def test_page_shows_who_is_invited_by_whom_and_who_joined(operator, acme, alice, olga):
    invite_manager(consumer=acme, email="anna@acme.example", actor=actor_for(olga))
    ended = invite_manager(consumer=acme, email="ben@acme.example", actor=actor_for(olga))
    Invitation.objects.filter(pk=ended.pk).update(expires_at=timezone.now())
    shown = operator.get(page(acme)).content.decode()
    for text in ("anna@acme.example", "By Olga Weber", "Expired", "Alice Martin", "Joined"):
        assert text in shown


def test_invitation_is_sent_again_with_a_new_link(operator, acme, olga):
    invitation = invite_manager(consumer=acme, email="anna@acme.example", actor=actor_for(olga))
    old = invitation.token_digest
    operator.post(page(acme, "resend", invitation))
    invitation.refresh_from_db()
    assert invitation.token_digest != old
    assert len(invitations_in(mail.outbox)) == 2
    assert len(events("manager.invitation.resent")) == 1


def test_revoked_invitation_cannot_be_revoked_twice(operator, acme, olga):
    invitation = invite_manager(consumer=acme, email="anna@acme.example", actor=actor_for(olga))
    assert "is revoked" in said(operator.post(page(acme, "revoke-invitation", invitation), follow=True))
    invitation.refresh_from_db()
    assert invitation.state == "revoked"
    assert "already been accepted or revoked" in said(
        operator.post(page(acme, "revoke-invitation", invitation), follow=True)
    )
    assert len(events("manager.invitation.revoked")) == 1


@pytest.mark.parametrize("action", ["resend", "revoke-invitation"])
def test_invitation_of_another_consumer_is_out_of_reach(operator, acme, globex, olga, action):
    invitation = invite_manager(consumer=globex, email="anna@globex.example", actor=actor_for(olga))
    assert operator.post(page(acme, action, invitation)).status_code == 404
    assert operator.get(page(globex, action, invitation)).status_code == 405
    invitation.refresh_from_db()
    assert invitation.revoked_at is None
    assert len(invitations_in(mail.outbox)) == 1


def test_role_is_changed_and_a_member_removed(operator, acme, alice, bob):
    membership = acme.memberships.get(user=bob)
    operator.post(page(acme, "make-manager", membership))
    membership.refresh_from_db()
    assert membership.role == Role.MANAGER
    assert "secrets that they created are kept" in operator.get(page(acme, "remove", membership)).content.decode()
    operator.post(page(acme, "remove", membership))
    assert not Membership.objects.filter(pk=membership.pk).exists()
    assert len(events("manager.role.changed", "manager.removed")) == 2


@pytest.mark.parametrize("action", ["make-viewer", "remove"])
def test_member_of_another_consumer_is_out_of_reach(operator, acme, globex, mallory, action):
    membership = globex.memberships.get()
    assert operator.post(page(acme, action, membership)).status_code == 404
    assert globex.memberships.get().role == Role.MANAGER


def test_suspending_is_asked_first_and_closes_the_workspace_at_the_next_request(operator, acme, alice, service):
    from django.test import Client as Browser

    manager = Browser()
    manager.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    workspace = reverse("consumers:people", args=[acme.slug])
    assert manager.get(workspace).status_code == 200
    assert f'<a href="{page(acme, "suspend")}">' in operator.get(page(acme)).content.decode()
    asked = operator.get(page(acme, "suspend")).content.decode()
    assert "1 person" in asked
    assert "1 client" in asked
    operator.post(page(acme, "suspend"))
    assert manager.get(workspace).status_code == 404
    service.refresh_from_db()
    assert not Client.objects.get(pk=service.pk).is_usable(None)
    operator.post(page(acme, "resume"))
    assert manager.get(workspace).status_code == 200
    assert len(events("consumer.suspended", "consumer.resumed")) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"iss": "https://evil.example", "scope": "all"}', "Rename iss, scope"),
        ('["gold"]', "JSON object"),
        ("{tier: gold}", "valid JSON"),
        ('{"tier": NaN}', "plain JSON"),
        ('{"tier": "\\u0000"}', "characters that can be stored"),
        ('{"tier": "\\ud800"}', "plain JSON"),
        ("[" * 100_000, "Invalid JSON"),
        ('{"n": ' + "9" * 5_000 + "}", "Invalid JSON"),
        ('{"note": "' + "x" * 3_000 + '"}', "Shorten it to 2,048 bytes"),
    ],
)
def test_claims_that_a_token_cannot_carry_are_refused_with_what_was_typed(operator, acme, text, reason):
    answer = save(operator, page(acme), of(acme) | {"claims": text})
    assert answer.status_code == 200
    assert reason in str(answer.context["adminform"].form.errors["claims"])
    acme.refresh_from_db()
    assert acme.claims == {}


def test_metadata_and_claims_are_kept_and_the_record_names_the_fields_alone(operator, acme):
    save(operator, page(acme), of(acme) | {"metadata": '{"plan": "gold"}', "claims": '{"tier": 3}'})
    acme.refresh_from_db()
    assert (acme.metadata, acme.claims) == ({"plan": "gold"}, {"tier": 3})
    assert events("consumer.updated")[0].detail == {"fields": ["claims", "metadata"]}


def test_saving_an_unchanged_form_records_nothing(operator, acme, acme_access):
    save(operator, page(acme), of(acme))
    assert not Event.objects.exists()


def test_consumer_with_clients_is_not_deleted(operator, acme, service):
    assert "cannot be deleted while it has clients" in operator.get(page(acme)).content.decode()
    assert operator.post(reverse("admin:consumers_consumer_delete", args=[acme.pk]), {"post": "yes"}).status_code == 403
    assert Consumer.objects.filter(pk=acme.pk).exists()


def test_consumer_without_clients_is_deleted_and_its_record_stays(operator, acme, alice):
    operator.post(reverse("admin:consumers_consumer_delete", args=[acme.pk]), {"post": "yes"})
    assert not Consumer.objects.filter(pk=acme.pk).exists()
    (event,) = events("consumer.deleted")
    assert event.target_label == "Acme Logistics"
    assert "Acme Logistics" in operator.get(reverse("admin:consumers_event_changelist")).content.decode()


def test_operator_sets_how_long_test_tokens_live_and_what_they_may_say(operator, acme, acme_access):
    save(operator, page(acme), of(acme) | {"test_token_lifetime": "600", "test_token_claims": "department,plan"})
    acme.refresh_from_db()
    assert (acme.test_token_lifetime, acme.test_token_claims) == (600, ["department", "plan"])
    answer = save(operator, page(acme), of(acme) | {"test_token_claims": "department,sub"})
    assert "Remove sub" in answer.text
    acme.refresh_from_db()
    assert acme.test_token_claims == ["department", "plan"]


# -- Suspending and resuming ------------------------------------------------------------------------------------------


def test_suspending_says_in_figures_what_will_stop(olga, acme, alice, bob, service, api, invite, browser_of):
    DailyCount.objects.create(client=service, day=timezone.now().date(), issued=1204, refused=0)
    ClientFactory(consumer=acme, client_name="Off", disabled_at=timezone.now())
    Client.objects.filter(pk=service.pk).update(last_used_at=timezone.now())
    invite()
    page = browser_of(olga).get(f"/operators/consumers/consumer/{acme.pk}/actions/suspend/").text
    for sentence in (
        "1 client gets no more tokens,",
        "1 was used in the last 30 days, the last one ",
        "and within 1 hour where it checks signatures alone.",
        "1,204 tokens were issued since yesterday; 0 sign-ins of users are kept alive by refresh tokens",
        "2 people leave the workspace,",
        "and 1 invitation stops working.",
        "Alice Martin and Bob Young",
        "1 manager is mailed the reason,",
    ):
        assert sentence in page, sentence


def test_reason_is_mailed_to_the_managers_and_recorded(olga, acme, alice, bob, browser_of):
    browser_of(olga).post(f"/operators/consumers/consumer/{acme.pk}/actions/suspend/", {"reason": "Unpaid since May"})
    (told,) = mail.outbox
    assert told.to == [alice.email]
    assert "The reason: Unpaid since May" in told.body
    assert Event.objects.get(name="consumer.suspended").detail == {"reason": "Unpaid since May"}


def test_reason_that_is_too_long_suspends_nobody(olga, acme, alice, browser_of):
    long = "x" * 501
    answer = browser_of(olga).post(f"/operators/consumers/consumer/{acme.pk}/actions/suspend/", {"reason": long})
    assert answer.status_code == 422
    assert long in answer.text  # nothing typed is lost
    acme.refresh_from_db()
    assert not acme.is_suspended
    assert mail.outbox == []


def test_resuming_says_in_figures_what_works_again(olga, acme, alice, service, browser_of):
    ClientFactory(consumer=acme, client_name="Off", disabled_at=timezone.now())
    browser = browser_of(olga)
    browser.post(f"/operators/consumers/consumer/{acme.pk}/actions/suspend/")
    page = browser.get(f"/operators/consumers/consumer/{acme.pk}/actions/resume/").text
    for sentence in ("1 client gets tokens again,", "1 stays disabled or expired", "1 person enters the workspace"):
        assert sentence in page, sentence
