"""Rules for a client's name and the other texts that people read."""

import re

from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.models import Client
from clients.policy.uris import page_uri
from consumers.models import Consumer
from consumers.policy import MAX_METADATA, json_object
from core.limits import longest
from core.text import first_unsafe, name_of

LOCALIZABLE = ("client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri")
MAX_LOCALIZED = 50
MAX_NAME = longest(Client, "client_name")
MAX_DESCRIPTION = longest(Client, "description")
MAX_OWNER = longest(Client, "owner")
MAX_SOFTWARE_ID = longest(Client, "software_id")
MAX_SOFTWARE_VERSION = longest(Client, "software_version")
MAX_CONTACTS, MAX_CONTACT = 20, 200  # how many, and characters of each


def _required_name(metadata: ClientMetadata) -> None:
    """Require a visible name (RFC 7591 section 2, client_name)."""
    if not metadata.client_name.strip():
        raise InvalidClientMetadata("Give the client a name.", field="client_name")
    optional_name(metadata)


def optional_name(metadata: ClientMetadata) -> None:
    """Let a program leave the name out (RFC 7591 section 2); people then read the client ID."""
    if metadata.client_name and not metadata.client_name.strip():
        raise InvalidClientMetadata("Give the client a name that can be seen, or none.", field="client_name")
    short_text(metadata.client_name, MAX_NAME, "client_name", "the name")


def unique_name(metadata: ClientMetadata, consumer: Consumer, client: Client | None = None) -> None:
    """Require a name that no other client of the consumer has, ignoring case.

    It is a help for people and no constraint: two concurrent registrations may take the same name.
    """
    _required_name(metadata)
    name = metadata.client_name.strip()
    others = Client.objects.of(consumer).filter(client_name__iexact=name)
    if others.exclude(pk=client.pk if client else None).exists():
        raise InvalidClientMetadata(
            f"Another client is already called “{name}”. Choose a name that tells them apart, "
            f"such as “{name} (staging)”.",
            field="client_name",
        )


def description(metadata: ClientMetadata) -> None:
    if len(metadata.description) > MAX_DESCRIPTION:
        raise InvalidClientMetadata(f"Shorten the description to {MAX_DESCRIPTION:,} characters.", field="description")
    plain_text(re.sub(r"[\r\n\t]", "", metadata.description), "description", "the description")


def contacts(metadata: ClientMetadata) -> None:
    """Limit the contacts, usually email addresses (RFC 7591 section 2)."""
    at_most(metadata.contacts, MAX_CONTACTS, "contacts")
    for contact in metadata.contacts:
        if not contact.strip():
            raise InvalidClientMetadata("Leave out what is empty.", field="contacts")
        short_text(contact, MAX_CONTACT, "contacts", "a contact")


def owner(metadata: ClientMetadata) -> None:
    """Limit the label that Ory's API calls owner; it grants nothing."""
    short_text(metadata.owner, MAX_OWNER, "owner", "the owner")


def custom_metadata(metadata: ClientMetadata) -> None:
    """Limit the size of the JSON object that the client's developers store with it."""
    json_object(metadata.metadata, "metadata", MAX_METADATA)


def software(metadata: ClientMetadata) -> None:
    """Limit software_id and software_version (RFC 7591 section 2)."""
    short_text(metadata.software_id, MAX_SOFTWARE_ID, "software_id", "software_id")
    short_text(metadata.software_version, MAX_SOFTWARE_VERSION, "software_version", "software_version")


def localized(metadata: ClientMetadata) -> None:
    """Allow names and pages in other languages: a member, “#” and a BCP 47 tag (RFC 7591 section 2.2)."""
    if len(metadata.localized) > MAX_LOCALIZED:
        raise InvalidClientMetadata(f"Give at most {MAX_LOCALIZED} translations.", field="localized")
    for key, value in metadata.localized.items():
        member, _, tag = key.partition("#")
        if member not in LOCALIZABLE or not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}", tag):
            raise InvalidClientMetadata(
                f"“{ascii(key[:60])[1:-1]}”: write one of {', '.join(LOCALIZABLE)}, “#” and a language, such as "
                "client_name#de.",
                field="localized",
            )
        if member == "client_name":
            short_text(value, MAX_NAME, key, "the name")
        else:
            page_uri(value, key)


def at_most(values: tuple[str, ...], most: int, field: str) -> None:
    """Require at most this many values, each once."""
    if len(values) > most:
        raise InvalidClientMetadata(f"Give at most {most}.", field=field)
    if len(set(values)) != len(values):
        raise InvalidClientMetadata("Name each once.", field=field)


def short_text(text: str, most: int, field: str, what: str) -> None:
    if len(text) > most:
        raise InvalidClientMetadata(f"Shorten {what} to {most:,} characters.", field=field)
    plain_text(text, field, what)


def plain_text(text: str, field: str, what: str) -> None:
    """Refuse characters that show nothing, or make a text read as another."""
    if character := first_unsafe(text):
        raise InvalidClientMetadata(f"Remove the invisible character {name_of(character)} from {what}.", field=field)
