"""The identities of workloads: a subject and an account, which are never assigned again."""

import secrets
import string

from django.db import models
from django.utils import timezone

from clients.models.clients import Client


def new_subject() -> str:
    """Return a subject with 142 random bits. Cloud policies contain it, so it must never be assigned twice."""
    return "atcl_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(24))


class Workload(models.Model):
    """The `sub` and `account` claims of a client's identity tokens. The row outlives the client and its consumer."""

    subject = models.CharField(max_length=40, primary_key=True, default=new_subject, editable=False)
    client = models.OneToOneField(Client, models.SET_NULL, null=True, related_name="workload", editable=False)
    account = models.CharField(max_length=50, default="", db_index=True, editable=False)  # the consumer's first slug
    account_holder = models.UUIDField(null=True, editable=False)  # that consumer's ID, also after it was deleted
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.subject
