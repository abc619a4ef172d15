"""Read the clients that other systems export, as metadata of RFC 7591, and say what can't be imported."""

from collections.abc import Callable
from typing import Any

from clientdesk.errors import USAGE, CommandError
from clientdesk.importers.auth0 import read_auth0_client
from clientdesk.importers.hydra import read_hydra_client
from clientdesk.importers.imported_client import Document, ImportedClient
from clientdesk.importers.keycloak import is_built_in, read_keycloak_client


def read_export(found: Any, where: str = "The file") -> list[ImportedClient]:
    """Return the clients of an export of Hydra, Keycloak, Auth0 or Clientdesk. Raises CommandError."""
    if isinstance(found, dict) and ("realm" in found or "keycloakVersion" in found) and "clients" in found:
        return [read_keycloak_client(each) for each in _objects(found["clients"], where) if not is_built_in(each)]
    if isinstance(found, dict):
        found = found.get("items", found.get("clients", [found]))
    clients = _objects(found, where)
    if not clients:
        raise CommandError(f"{where} holds no client.", USAGE)
    return [_reader_of(each)(each) for each in clients if not each.get("global")]  # "global" is Auth0's own client


def _objects(found: Any, where: str) -> list[Document]:
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise CommandError(
            f"{where} is not an export of Hydra, Keycloak, Auth0 or Clientdesk, nor a list of clients.", USAGE
        )
    return found


def _reader_of(client: Document) -> Callable[[Document], ImportedClient]:
    if "clientId" in client:
        return read_keycloak_client
    if "app_type" in client or "callbacks" in client or "jwt_configuration" in client:
        return read_auth0_client
    return read_hydra_client
