"""Invitations, as the actions carry them out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from consumers.actions import consumers as consumer_actions
from consumers.actions.invitations import (
    InvitationClosed,
    accept_invitation,
    decline_invitation,
    invite_manager,
    join_as_new_person,
    revoke_invitation,
)
from core.errors import Conflict
from tests.factories import actor_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(acme, alice, monkeypatch):
    """Invite somebody; return the token of the link."""
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: "a-token-that-the-test-knows")
    invite_manager(consumer=acme, email="dana@acme.example", actor=actor_for(alice))
    return "a-token-that-the-test-knows"


def expire(invitation, alice):
    invitation.expires_at = timezone.now() - timedelta(seconds=1)
    invitation.save()


ENDS = {
    "expired": expire,
    "revoked": lambda invitation, alice: revoke_invitation(invitation=invitation, actor=actor_for(alice)),
    "suspended": lambda invitation, alice: consumer_actions.suspend_consumer(
        consumer=invitation.consumer, actor=actor_for(alice)
    ),
}
ANSWERS = {
    "accept": lambda token, mallory, actor: accept_invitation(token=token, user=mallory, actor=actor),
    "join": lambda token, mallory, actor: join_as_new_person(token=token, name="Dana", actor=actor),
    "decline": lambda token, mallory, actor: decline_invitation(token=token, actor=actor),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_invitation_that_is_over_is_closed_to_every_answer(end, answer, token, acme, alice, mallory):
    end(acme.invitations.get(), alice)
    with pytest.raises(InvitationClosed) as refused:
        answer(token, mallory, actor_for(mallory))
    assert isinstance(refused.value, Conflict)
    assert refused.value.status == 409


def test_an_unknown_token_is_closed_too(mallory):
    with pytest.raises(InvitationClosed):
        accept_invitation(token="unknown", user=mallory, actor=actor_for(mallory))


def test_another_conflict_of_an_open_invitation_is_no_closed_one(acme, alice, token):
    with pytest.raises(Conflict, match="already") as refused:
        invite_manager(consumer=acme, email="dana@acme.example", actor=actor_for(alice))
    assert not isinstance(refused.value, InvitationClosed)
