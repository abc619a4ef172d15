"""The rule for what a software statement signs."""

from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.models import Client


def signed_members(metadata: ClientMetadata, client: Client | None) -> None:
    """Keep what the client's software statement signs, with its translations (RFC 7591 section 2.3)."""
    statement = getattr(client, "self_registration", None)
    if client is None or statement is None or not statement.signed_members:
        return
    registered = ClientMetadata.of(client)
    translations = {
        name
        for name in metadata.localized.keys() | registered.localized.keys()
        if name.partition("#")[0] in statement.signed_members
    }
    for name in (*statement.signed_members, *sorted(translations)):
        if metadata.member(name) != registered.member(name):
            raise InvalidClientMetadata(
                f"The software statement of {statement.software_issuer} signs {name}, so it stays. Let the software "
                "register again, with a statement that says otherwise.",
                field=name,
            )
