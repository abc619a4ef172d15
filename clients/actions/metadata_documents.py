"""Clients whose ID is the address of their own metadata (draft-ietf-oauth-client-id-metadata-document).

Such a client is not registered by anybody: the first authorization request reads its document, from a host that the
operator allows, and makes the client that it describes. It is read anew when it has become old.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils import timezone

from clients import documents
from clients.actions import clients as client_actions
from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.models import Client, DocumentHost, SelfRegistration
from clients.models.registration import Origin
from clients.registration.allowances import Permit, by_host
from clients.vocabulary import SECRET_METHODS, AuthMethod
from consumers.audit import Actor
from core.errors import Refusal
from core.http_fetch import documents as documents_http_fetch
from core.http_fetch import target

FRESH = timedelta(hours=1)
MAX_LENGTH = 255


def ensure(client_id: str) -> None:
    """Make or renew the client that the ID describes. Raises Refusal for a document that describes none.

    Does nothing for IDs that we have chosen, and for hosts that no operator allows: those clients are unknown.
    """
    host = _allowed_host(client_id)
    if host is None:
        return
    known = SelfRegistration.objects.select_related("client__consumer").filter(client__client_id=client_id).first()
    if known is not None and known.fetched_at is not None and known.fetched_at > timezone.now() - FRESH:
        return
    try:
        found = _read(client_id)
    except Refusal:
        if known is None:
            raise
        return  # what it said last holds while it cannot be read
    _save(client_id, found, by_host(host), known)


def _allowed_host(client_id: str) -> DocumentHost | None:
    """Return the host, for an address that may be a client ID: with a path, and nothing that reads in two ways."""
    if not client_id.startswith(("https://", "http://")) or len(client_id) > MAX_LENGTH or not client_id.isascii():
        return None
    try:
        target.target(client_id)
    except target.FetchError:
        return None
    parts = urlsplit(client_id)
    steps = parts.path.split("/")
    if parts.path in ("", "/") or "." in steps or ".." in steps or parts.query:
        return None
    return (
        DocumentHost.objects.select_related("consumer").filter(host=parts.netloc, consumer__suspended_at=None).first()
    )


def _read(client_id: str) -> ClientMetadata:
    """Return the metadata of the document. Raises InvalidClientMetadata."""
    try:
        found: dict[str, Any] = documents_http_fetch.document(client_id)
    except target.FetchError as problem:
        raise InvalidClientMetadata(f"The client's metadata document cannot be read: {problem}") from None
    if found.get("client_id") != client_id:
        raise InvalidClientMetadata("The document at the client ID names another client_id. Both must be the same.")
    if found.get("client_secret") or found.get("token_endpoint_auth_method", AuthMethod.NONE) in SECRET_METHODS:
        raise InvalidClientMetadata("A client by document has no secret. Use private_key_jwt, or none.")
    named = {"token_endpoint_auth_method": AuthMethod.NONE.value} | found
    return documents.read({name: value for name, value in named.items() if name in documents.UNDERSTOOD})


def _save(client_id: str, metadata: ClientMetadata, permit: Permit, known: SelfRegistration | None) -> None:
    actor = Actor(kind="client", id=client_id, label=permit.label)
    metadata = permit.completed(metadata)
    if known is not None:
        with transaction.atomic():
            client_actions.update_client(
                client=known.client, metadata=metadata, policy=permit.policy(known.client), actor=actor
            )
            SelfRegistration.objects.filter(pk=known.pk).update(fetched_at=timezone.now())
        return
    try:
        with transaction.atomic():
            client, _ = client_actions.register_client(
                consumer=permit.consumer, metadata=metadata, policy=permit.policy(), actor=actor, client_id=client_id
            )
            SelfRegistration.objects.create(client=client, how=Origin.DOCUMENT, fetched_at=timezone.now())
    except IntegrityError:
        if not Client.objects.filter(client_id=client_id).exists():  # else another worker was faster
            raise
