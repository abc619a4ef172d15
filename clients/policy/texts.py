"""What a client is called, and whatever else people read about it."""

import re
import unicodedata

from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.models import Client
from clients.policy.uris import page_address
from consumers.models import Consumer
from consumers.policy import MAX_METADATA, json_object

# Letters by their category that show nothing: Hangul and Braille blanks, and the joiner of graphemes.
BLANKS = "\u034f\u115f\u1160\u2800\u3164\uffa0"
LOCALIZABLE = ("client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri")
MAX_LOCALIZED = 50


def _name(metadata: ClientMetadata) -> None:
    """Require a name that reads as it is written (RFC 7591 section 2, client_name)."""
    if not metadata.client_name.strip():
        raise InvalidClientMetadata("Give the client a name.", field="client_name")
    optional_name(metadata)


def optional_name(metadata: ClientMetadata) -> None:
    """Let a program leave the name out (RFC 7591 section 2); people then read the client ID."""
    if metadata.client_name and not metadata.client_name.strip():
        raise InvalidClientMetadata("Give the client a name that can be seen, or none.", field="client_name")
    short(metadata.client_name, 100, "client_name", "the name")


def unique_name(metadata: ClientMetadata, consumer: Consumer, client: Client | None = None) -> None:
    """Require a good name that tells a workspace's clients apart; help for people, so a race may slip past it."""
    _name(metadata)
    wanted = metadata.client_name.strip()
    others = Client.objects.of(consumer).filter(client_name__iexact=wanted)
    if others.exclude(pk=client.pk if client else None).exists():
        raise InvalidClientMetadata(
            f"Another client is already called “{wanted}”. Choose a name that tells them apart, "
            f"such as “{wanted} (staging)”.",
            field="client_name",
        )


def description(metadata: ClientMetadata) -> None:
    if len(metadata.description) > 1000:
        raise InvalidClientMetadata("Shorten the description to 1,000 characters.", field="description")
    plain_text(re.sub(r"[\r\n\t]", "", metadata.description), "description", "the description")


def contacts(metadata: ClientMetadata) -> None:
    """Ways to reach the people behind it, usually addresses of mail (RFC 7591 section 2)."""
    few(metadata.contacts, 20, "contacts")
    for contact in metadata.contacts:
        if not contact.strip():
            raise InvalidClientMetadata("Leave out what is empty.", field="contacts")
        short(contact, 200, "contacts", "a contact")


def owner(metadata: ClientMetadata) -> None:
    """A free label, in Ory's words “the owner of the client”; it gives nobody any right."""
    short(metadata.owner, 200, "owner", "the owner")


def own_data(metadata: ClientMetadata) -> None:
    """Whatever JSON a program keeps with its client."""
    json_object(metadata.metadata, "metadata", MAX_METADATA)


def software(metadata: ClientMetadata) -> None:
    """RFC 7591 section 2, software_id and software_version."""
    short(metadata.software_id, 200, "software_id", "software_id")
    short(metadata.software_version, 100, "software_version", "software_version")


def localized(metadata: ClientMetadata) -> None:
    """Names and pages in other languages: a member, “#” and a BCP 47 tag (RFC 7591 section 2.2)."""
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
            short(value, 100, key, "the name")
        else:
            page_address(value, key)


def few(values: tuple[str, ...], most: int, field: str) -> None:
    """Require each value once, and few enough to read."""
    if len(values) > most:
        raise InvalidClientMetadata(f"Give at most {most}.", field=field)
    if len(set(values)) != len(values):
        raise InvalidClientMetadata("Name each once.", field=field)


def short(text: str, most: int, field: str, what: str) -> None:
    if len(text) > most:
        raise InvalidClientMetadata(f"Shorten {what} to {most:,} characters.", field=field)
    plain_text(text, field, what)


def plain_text(text: str, field: str, what: str) -> None:
    """Refuse control, direction-changing and unassigned characters, which make a text read as another."""
    for character in text:
        category = unicodedata.category(character)
        if (category[0] == "C" and character != "\u200d") or category in ("Zl", "Zp") or character in BLANKS:
            raise InvalidClientMetadata(
                f"Remove the invisible character U+{ord(character):04X} from {what}.", field=field
            )
