"""The workload issuer: its name, created once for an installation, and the URLs below it."""

import secrets
import string

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from authority.keys import signing_keys
from authority.models import WorkloadIssuer


def issuer_name() -> str:
    """Return the auth_ ID of this installation, created once for all workers."""
    name = WorkloadIssuer.objects.values_list("name", flat=True).first()
    return name or _make_issuer()


@transaction.atomic
def _make_issuer() -> str:
    signing_keys.lock_keys()
    letters = string.ascii_letters + string.digits
    name = "auth_" + "".join(secrets.choice(letters) for _ in range(24))
    return str(WorkloadIssuer.objects.get_or_create(defaults={"name": name})[0].name)


def issuer() -> str:
    """Return the `iss` of identity tokens; its documents and endpoints lie below it."""
    return endpoint_url("workload-token").removesuffix("/token")


def endpoint_url(name: str) -> str:
    return str(settings.PUBLIC_URL + reverse(name, args=[issuer_name()]))
