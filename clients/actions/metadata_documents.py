"""Clients whose ID is the URL of their metadata (draft-ietf-oauth-client-id-metadata-document).

The first authorization request with such an ID fetches the document, from a host that an operator allows, and registers
the client. A document is fetched again after MAX_AGE.
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
from clients.models.registration import RegistrationMethod
from clients.registration.allowances import Allowance, for_metadata_document
from clients.vocabulary import SECRET_METHODS, AuthMethod
from consumers.audit import Actor
from core.errors import Refusal
from core.http_fetch import documents as http_documents
from core.http_fetch import target

MAX_AGE = timedelta(hours=1)
MAX_LENGTH = 255


def refresh_client(client_id: str) -> None:
    """Register the client of the metadata document at this URL, or update it. Raises Refusal for an invalid document.

    Does nothing for an ID that is no such URL, or has a host that no operator allows.
    """
    host = _allowed_host(client_id)
    if host is None:
        return
    row = SelfRegistration.objects.select_related("client__consumer").filter(client__client_id=client_id).first()
    if row is not None and row.fetched_at is not None and row.fetched_at > timezone.now() - MAX_AGE:
        return
    try:
        metadata = _fetch_metadata(client_id)
    except Refusal:
        if row is None:
            raise
        return  # the last version stays in force while the document cannot be fetched
    _save(client_id, metadata, for_metadata_document(host), row)


def _allowed_host(client_id: str) -> DocumentHost | None:
    """Return the host if the ID is a URL with a path, without query or dot segments, on an allowed host."""
    if not client_id.startswith(("https://", "http://")) or len(client_id) > MAX_LENGTH or not client_id.isascii():
        return None
    try:
        target.target(client_id)
    except target.FetchError:
        return None
    parts = urlsplit(client_id)
    segments = parts.path.split("/")
    if parts.path in ("", "/") or "." in segments or ".." in segments or parts.query:
        return None
    return (
        DocumentHost.objects.select_related("consumer").filter(host=parts.netloc, consumer__suspended_at=None).first()
    )


def _fetch_metadata(client_id: str) -> ClientMetadata:
    """Fetch the document and return its metadata. Raises InvalidClientMetadata."""
    try:
        fetched: dict[str, Any] = http_documents.document(client_id)
    except target.FetchError as problem:
        raise InvalidClientMetadata(f"The client's metadata document cannot be read: {problem}") from None
    if fetched.get("client_id") != client_id:
        raise InvalidClientMetadata("The document at the client ID names another client_id. Both must be the same.")
    if fetched.get("client_secret") or fetched.get("token_endpoint_auth_method", AuthMethod.NONE) in SECRET_METHODS:
        raise InvalidClientMetadata("A client with a metadata document has no secret. Use private_key_jwt, or none.")
    members = {"token_endpoint_auth_method": AuthMethod.NONE.value} | fetched
    return documents.from_document({name: value for name, value in members.items() if name in documents.REGISTRABLE})


def _save(client_id: str, metadata: ClientMetadata, allowance: Allowance, row: SelfRegistration | None) -> None:
    actor = Actor(kind="client", id=client_id, label=allowance.label)
    metadata = allowance.with_default_scope(metadata)
    if row is not None:
        with transaction.atomic():
            client_actions.update_client(
                client=row.client, change=lambda _: metadata, policy=allowance.policy, actor=actor
            )
            SelfRegistration.objects.filter(pk=row.pk).update(fetched_at=timezone.now())
        return
    try:
        with transaction.atomic():
            client, _ = client_actions.register_client(
                consumer=allowance.consumer,
                metadata=metadata,
                policy=allowance.policy,
                actor=actor,
                client_id=client_id,
            )
            SelfRegistration.objects.create(
                client=client, method=RegistrationMethod.DOCUMENT, fetched_at=timezone.now()
            )
    except IntegrityError:
        if not Client.objects.filter(client_id=client_id).exists():  # otherwise a concurrent request registered it
            raise
