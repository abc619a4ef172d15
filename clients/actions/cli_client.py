"""The client of `clientdesk login`, which the worker registers when it starts.

It is public and has a consumer of its own, where operators can see and disable it. Its tokens may do what the user may
do who authorized it.
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
REFRESH_TOKEN_LIFESPAN = 30 * 24 * 3600  # seconds


def ensure_cli_client() -> None:
    """Register the client and its consumer unless they exist; of several at once, one does."""
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
        description="The program “clientdesk”, after a user has signed in with it.",
        grant_types=(GrantType.DEVICE_CODE, GrantType.REFRESH_TOKEN),
        token_endpoint_auth_method=AuthMethod.NONE,
        application_type=ApplicationType.NATIVE,
        scope=("openid", "offline_access", *(scope.value for scope in scopes)),
        lifespans={"refresh_token_grant_refresh_token_lifespan": REFRESH_TOKEN_LIFESPAN},
        refresh_token_grace=30,  # concurrent commands refresh twice
    )
    client_actions.register_client(
        consumer=owner, metadata=metadata, policy=api_policy, actor=SYSTEM, client_id=CLIENT_ID
    )
