import pytest

from tests.connections.provider import ScriptedProvider, connect


@pytest.fixture
def provider(publisher):
    """An honest provider, where Alice of Acme is known as 00u1."""
    return ScriptedProvider(
        publisher, claims={"email": "alice@acme.example", "email_verified": True, "name": "Alice Martin", "groups": []}
    )


@pytest.fixture
def okta(db, provider):
    """A connection that is trusted for acme.example, and offered to everybody."""
    return connect(provider, "acme.example")


@pytest.fixture
def invite():
    """Return a function that invites an address, and returns the path of the link in its mail."""
    import re

    from django.core import mail

    from consumers.actions.invitations import invite_manager
    from consumers.audit import SYSTEM

    def send(consumer, email):
        invite_manager(consumer=consumer, email=email, actor=SYSTEM)
        return re.search(r"/invitations/[\w-]+/", mail.outbox[-1].body).group()

    return send
