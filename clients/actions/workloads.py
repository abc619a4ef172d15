"""Writes of workload identities: the subject of a client's identity tokens."""

from clients.models import Client, Workload
from core.errors import Refusal


def assign_subject(client: Client) -> None:
    """Create the subject and account of a workload's identity tokens, once for all. Raises Refusal.

    Relying parties trust whatever carries an account's name, so nobody gets one that another consumer's workloads had:
    slugs are free again once a consumer is renamed or deleted.
    """
    if not client.is_workload or Workload.objects.filter(client=client).exists():
        return
    consumer = client.consumer
    if Workload.objects.filter(account=consumer.slug).exclude(account_holder=consumer.pk).exists():
        raise Refusal(
            f"Workloads of another workspace were called {consumer.slug}, and others may still trust that name. "
            "Ask the operator of this portal for another short name of this workspace.",
            field="environment_type",
        )
    Workload.objects.create(client=client, account=consumer.slug, account_holder=consumer.pk)
