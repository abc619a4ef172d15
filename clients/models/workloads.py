"""Who a workload is to the world: a subject that is never given again, whatever becomes of its client."""

import secrets as random
import string

from django.db import models
from django.utils import timezone

from clients.models.clients import Client


def new_subject() -> str:
    """Return a subject of 142 random bits; clouds remember it in their rules, so it must not come back."""
    return "atcl_" + "".join(random.choice(string.ascii_letters + string.digits) for _ in range(24))


class Workload(models.Model):
    """The `sub` of a client's identity tokens. The row outlives the client."""

    subject = models.CharField(max_length=40, primary_key=True, default=new_subject, editable=False)
    client = models.OneToOneField(Client, models.SET_NULL, null=True, related_name="workload", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.subject
