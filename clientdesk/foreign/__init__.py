"""Clients as other systems export them, told in RFC 7591's names, and what of them can't be carried over."""

from collections.abc import Callable
from typing import Any

from clientdesk.foreign.auth0 import auth0
from clientdesk.foreign.carried import Carried, Document
from clientdesk.foreign.hydra import hydra
from clientdesk.foreign.keycloak import built_in, keycloak
from clientdesk.problems import USAGE, Problem


def read(found: Any, where: str = "The file") -> list[Carried]:
    """Return the clients of an export of Hydra, Keycloak, Auth0 or Clientdesk. Raises Problem for anything else."""
    if isinstance(found, dict) and ("realm" in found or "keycloakVersion" in found) and "clients" in found:
        return [keycloak(each) for each in objects(found["clients"], where) if not built_in(each)]
    if isinstance(found, dict):
        found = found.get("items", found.get("clients", [found]))
    clients = objects(found, where)
    if not clients:
        raise Problem(f"{where} holds no client.", USAGE)
    return [reader_of(each)(each) for each in clients if not each.get("global")]  # Auth0's own, of the whole tenant


def objects(found: Any, where: str) -> list[Document]:
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Problem(f"{where} is no export of Hydra, Keycloak, Auth0 or Clientdesk, nor a list of clients.", USAGE)
    return found


def reader_of(client: Document) -> Callable[[Document], Carried]:
    if "clientId" in client:
        return keycloak
    if "app_type" in client or "callbacks" in client or "jwt_configuration" in client:
        return auth0
    return hydra
