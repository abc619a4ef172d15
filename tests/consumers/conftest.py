import pytest
from django.core import mail

from consumers.actions import invitations as invitation_actions
from tests.factories import actor_for


@pytest.fixture
def invite(acme, alice):
    """Invite an address to Acme, as Alice; return the invitation and the token of its link."""

    def make(email="jonas@acme.example", role="viewer", **changes):
        invitation = invitation_actions.invite_manager(consumer=acme, email=email, role=role, actor=actor_for(alice))
        token = mail.outbox[-1].body.split("/invitations/")[1].split("/")[0]
        for field, value in changes.items():
            setattr(invitation, field, value)
        invitation.save()
        return invitation, token

    return make
