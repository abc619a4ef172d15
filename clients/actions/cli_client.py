"""The client of our own program, `clientdesk login`: every installation knows it, from the first time that it is asked.

It is public and stands in a workspace of its own, where operators can see it and disable it. What it may do is what the
person may do who lets it in.
"""

from django.db import IntegrityError, transaction

from clients.actions import apis as api_actions
from clients.actions import clients as client_actions
from clients.metadata import ClientMetadata
from clients.models import Client, Scope
from clients.policy import api_policy
from clients.vocabulary import ApplicationType, AuthMethod, GrantType
from consumers.actions.consumers import create_consumer
from consumers.audit import SYSTEM
from consumers.models import Consumer
from consumers.scopes import AUDIENCE

CLIENT_ID = "clientdesk-cli"
SLUG = "clientdesk"
SIGNED_IN_FOR = 30 * 24 * 3600  # seconds without a command


def ensure() -> None:
    """Make the client and its workspace where they are missing; of several workers one does."""
    if Client.objects.filter(client_id=CLIENT_ID).exists():
        return
    try:
        with transaction.atomic():
            _register()
    except IntegrityError:
        if not Client.objects.filter(client_id=CLIENT_ID).exists():
            raise


def _register() -> None:
    owner = Consumer.objects.filter(slug=SLUG).first() or create_consumer(
        actor=SYSTEM, slug=SLUG, name="Clientdesk’s own programs"
    )
    scopes = list(Scope.objects.filter(api__identifier=AUDIENCE).order_by("pk"))
    api_actions.set_access(consumer=owner, scopes=set(scopes), actor=SYSTEM)
    metadata = ClientMetadata(
        client_name="Clientdesk in a terminal",
        description="The program “clientdesk”, after somebody has signed in with it.",
        grant_types=(GrantType.DEVICE_CODE, GrantType.REFRESH_TOKEN),
        token_endpoint_auth_method=AuthMethod.NONE,
        application_type=ApplicationType.NATIVE,
        scope=("openid", "offline_access", *(scope.value for scope in scopes)),
        lifespans={"refresh_token_grant_refresh_token_lifespan": SIGNED_IN_FOR},
        refresh_token_grace=30,  # two commands at the same moment refresh twice
    )
    client_actions.register_client(
        consumer=owner, metadata=metadata, policy=api_policy(owner), actor=SYSTEM, client_id=CLIENT_ID
    )
