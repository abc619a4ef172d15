"""Row locks that the other actions take first."""

from clients.models import Client
from consumers.models import Consumer
from core.db import rows
from core.errors import Conflict


def lock_client(client: Client) -> Client:
    """Return the client as it is now, locked, with its consumer. Raises Conflict where it was deleted."""
    clients = Client.objects.select_for_update(of=("self",)).select_related("consumer", "self_registration")
    locked = clients.filter(pk=client.pk).first()
    if locked is None:
        raise Conflict("This client has already been deleted.")
    return locked


def lock_active_consumer(consumer: Consumer) -> Consumer:
    """Return the consumer as it is now, locked, so that its rules hold until the end. Raises Conflict."""
    locked = rows.lock(consumer)
    if locked.is_suspended:
        raise Conflict(f"{consumer} is suspended. Ask the operator of this portal.")
    return locked
