"""Row locks that the other actions begin with."""

from clients.models import Client
from consumers.models import Consumer
from core.errors import Conflict


def lock(client: Client) -> Client:
    """Lock the row, so that changes to one client happen one after the other."""
    locked = Client.objects.select_for_update(of=("self",)).select_related("consumer").filter(pk=client.pk).first()
    if locked is None:
        raise Conflict("This client has been deleted meanwhile.")
    return locked


def require_active(consumer: Consumer) -> Consumer:
    """Return the consumer as it is now, locked, so that its rules hold until the end. Raises Conflict."""
    locked = Consumer.objects.select_for_update(no_key=True).get(pk=consumer.pk)
    if locked.is_suspended:
        raise Conflict(f"{consumer} is suspended. Ask the operator of this portal.")
    return locked
