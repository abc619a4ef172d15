"""Who a workload is to the world: a subject and an account that are never given to others, whatever becomes of them."""

import secrets as random
import string

from django.db import models
from django.utils import timezone

from clients.models.clients import Client


def new_subject() -> str:
    """Return a subject of 142 random bits; clouds remember it in their rules, so it must not come back."""
    return "atcl_" + "".join(random.choice(string.ascii_letters + string.digits) for _ in range(24))


class Workload(models.Model):
    """The `sub` and `account` of a client's identity tokens. The row outlives the client and its consumer."""

    subject = models.CharField(max_length=40, primary_key=True, default=new_subject, editable=False)
    client = models.OneToOneField(Client, models.SET_NULL, null=True, related_name="workload", editable=False)
    account = models.CharField(max_length=50, default="", db_index=True, editable=False)  # its consumer's name then
    held_by = models.UUIDField(null=True, editable=False)  # that consumer; it may be renamed, or gone
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.subject
