"""Invitations, as the actions send, resend, revoke and accept them, each with its event and mail."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.utils import timezone

from consumers.actions.invitations import (
    accept_invitation,
    decline_invitation,
    find_open_invitation,
    invite_manager,
    join_as_new_person,
    parse_emails,
    resend_invitation,
    revoke_invitation,
)
from consumers.models import Event, Invitation, User
from core.errors import Conflict, Refusal
from tests.factories import actor_for, invitations_in

pytestmark = pytest.mark.django_db


def test_invitation_is_mailed_and_recorded_without_its_token(acme, alice, invite, recorded):
    invitation, token = invite(role="manager")
    assert find_open_invitation(token) == invitation
    assert mail.outbox[-1].to == ["jonas@acme.example"]
    assert invitation.expires_at - invitation.sent_at > timedelta(days=settings.INVITATION_DAYS, seconds=-10)
    assert recorded() == [("manager.invited", {"email": "jonas@acme.example", "role": "manager"})]
    assert token not in str(Invitation.objects.values())
    assert token not in str(Event.objects.values())


def test_members_and_open_invitations_are_conflicts(acme, alice, bob, invite, recorded):
    invite()
    for email in (bob.email.upper(), "JONAS@acme.example"):
        with pytest.raises(Conflict) as refused:
            invite_manager(consumer=acme, email=email, actor=actor_for(alice))
        assert refused.value.field == "emails"
    assert len(recorded()) == 1
    assert len(invitations_in(mail.outbox)) == 1


def test_resent_invitation_has_a_new_link_and_a_full_term(alice, invite, recorded):
    invitation, token = invite(expires_at=timezone.now() - timedelta(days=1))
    assert find_open_invitation(token) is None
    resend_invitation(invitation=invitation, actor=actor_for(alice))
    assert find_open_invitation(token) is None, "the old link stays closed"
    new = mail.outbox[-1].body.split("/invitations/")[1].split("/")[0]
    assert find_open_invitation(new) == invitation
    assert [name for name, _ in recorded()][1:] == ["manager.invitation.resent"]


def test_revoked_invitation_is_closed_and_not_revoked_again(alice, invite, recorded):
    invitation, token = invite()
    revoke_invitation(invitation=invitation, actor=actor_for(alice))
    assert find_open_invitation(token) is None
    for again in (revoke_invitation, resend_invitation):
        with pytest.raises(Conflict):
            again(invitation=invitation, actor=actor_for(alice))
    assert len(recorded()) == 2


def test_declining_is_recorded_under_the_invited_address(mallory, invite, recorded):
    invitation, token = invite()
    decline_invitation(token=token, actor=actor_for(mallory))
    assert find_open_invitation(token) is None
    assert Event.objects.get(name="manager.invitation.declined").actor_label == invitation.email


def test_new_person_joins_with_the_invited_address_as_theirs(acme, alice, invite, recorded):
    _, token = invite(role="viewer")
    user, membership = join_as_new_person(token=token, name=" Jonas ", actor=actor_for(alice))
    assert (user.name, user.email, user.has_usable_password()) == ("Jonas", "jonas@acme.example", False)
    assert EmailAddress.objects.filter(user=user, verified=True, primary=True).exists()
    assert (membership.consumer, membership.role) == (acme, "viewer")
    event = Event.objects.get(name="manager.joined")
    assert (event.actor_kind, event.actor_id, event.detail["role"]) == ("person", str(user.pk), "viewer")
    assert find_open_invitation(token) is None


def test_an_account_of_the_address_must_sign_in_first(alice, mallory, invite):
    EmailAddress.objects.create(user=mallory, email="jonas@acme.example", verified=True)
    _, token = invite()
    with pytest.raises(Conflict, match="Sign in"):
        join_as_new_person(token=token, name="Jonas", actor=actor_for(alice))
    assert not User.objects.filter(email="jonas@acme.example").exists()
    assert find_open_invitation(token) is not None, "a refusal spends nothing"


def test_accepting_needs_the_invited_address_verified(acme, mallory, invite):
    _, token = invite()
    address = EmailAddress.objects.create(user=mallory, email="jonas@acme.example", verified=False)
    with pytest.raises(Refusal, match="This invitation is for"):
        accept_invitation(token=token, user=mallory, actor=actor_for(mallory))
    address.verified = True
    address.save()
    assert accept_invitation(token=token, user=mallory, actor=actor_for(mallory)).consumer == acme
    with pytest.raises(Conflict):
        accept_invitation(token=token, user=mallory, actor=actor_for(mallory))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a@x.example b@x.example", ["a@x.example", "b@x.example"]),
        ("<a@X.example>;\n A@x.example,", ["a@x.example"]),
        ("", []),
    ],
)
def test_addresses_are_read_from_text(text, found):
    assert parse_emails(text) == found


def test_every_wrong_address_is_named():
    with pytest.raises(Refusal, match="one, two") as refused:
        parse_emails("one a@x.example two")
    assert refused.value.field == "emails"
