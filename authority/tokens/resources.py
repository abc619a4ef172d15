"""Resource indicators: the APIs that a token is for (RFC 8707). Every grant calls `narrow`.

`resource` is the one parameter that may be repeated; endpoints pass its values on joined by spaces, which no URI holds.
"""

from collections.abc import Collection, Iterable

from authority.client_directory import ClientEntry
from authority.keys import workload_issuer
from authority.protocol.errors import InvalidTargetError
from authority.telemetry import request_trace
from clients.models import Api
from clients.vocabulary import IDENTITY_SCOPES
from core.uris import is_absolute

MAX_RESOURCES = 20


def read_resources(text: str | None) -> list[str]:
    """Return the resources of a request, each once. Raises InvalidTargetError for what is no absolute URI."""
    named = list(dict.fromkeys((text or "").split()))
    if len(named) > MAX_RESOURCES:
        raise InvalidTargetError(f"Name at most {MAX_RESOURCES} resources.")
    for uri in named:
        if not is_absolute(uri):
            raise InvalidTargetError("resource must be an absolute URI without a fragment.")
    return named


def narrow(
    entry: ClientEntry, scopes: Iterable[str], requested: list[str], granted: list[str] | None = None
) -> tuple[list[str], list[str]]:
    """Return the scopes and resources of the token: `requested`, within what the client is allowed.

    `granted` are the resources of an earlier step (section 2.2), None where this step is the first; an empty list
    stands for every API of the scopes. Raises InvalidTargetError.
    """
    scopes = list(scopes)
    if granted is None:
        _require_allowed(entry, requested)
        resources = requested
    else:
        within = granted or audiences_of(entry, scopes)
        if not set(requested) <= set(within):
            request_trace.set_reason(
                "resource_of_another_grant", asked=[request_trace.redact_uri(uri) for uri in requested]
            )
            raise InvalidTargetError("This grant is for other resources.")
        resources = requested or [uri for uri in granted if uri in _allowed(entry, granted)]
    if entry.client.require_resource and not resources:
        request_trace.set_reason("resource_missing")
        raise InvalidTargetError("This client must name the API that it wants a token for, by resource.")
    if not resources:
        return scopes, []
    kept = [value for value in scopes if value in IDENTITY_SCOPES or _audience_of(entry, value) in resources]
    if idle := set(requested) - set(audiences_of(entry, kept)) - _listed_of(entry, requested):
        request_trace.set_reason("resource_without_scope", asked=sorted(request_trace.redact_uri(uri) for uri in idle))
        raise InvalidTargetError(f"None of the scopes belongs to {len(idle)} of the resources.")
    return kept, resources


def _require_allowed(entry: ClientEntry, requested: list[str]) -> None:
    if not set(requested) <= _allowed(entry, requested):
        request_trace.set_reason("resource_not_allowed", asked=[request_trace.redact_uri(uri) for uri in requested])
        raise InvalidTargetError("This client may not get a token for one of these resources.")


def _allowed(entry: ClientEntry, requested: Collection[str]) -> set[str]:
    """Return which of these the client may name: APIs of its scopes, and its registered `audience`.

    A registered API needs a scope, also where the client's `audience` lists it.
    """
    own = {permission.audience for permission in entry.permissions.values()}
    listed = _listed_of(entry, requested) - own
    if listed:
        listed -= set(Api.objects.filter(identifier__in=listed).values_list("identifier", flat=True))
    return own | listed


def _listed_of(entry: ClientEntry, requested: Collection[str]) -> set[str]:
    """Return which of these are in the client's `audience`; for a workload the workload issuer is too."""
    listed = set(requested) & set(entry.client.audience)
    return listed | {uri for uri in requested if entry.client.is_workload and uri == workload_issuer.issuer()}


def needs_no_scope(entry: ClientEntry, requested: Collection[str]) -> bool:
    """Return whether the token is for the workload issuer alone, which has no scopes."""
    return entry.client.is_workload and list(requested) == [workload_issuer.issuer()]


def _audience_of(entry: ClientEntry, scope: str) -> str:
    permission = entry.permissions.get(scope)
    return permission.audience if permission else ""


def audiences_of(entry: ClientEntry, scopes: Iterable[str]) -> list[str]:
    """Return the APIs of the scopes, each once."""
    return list(dict.fromkeys(filter(None, (_audience_of(entry, value) for value in scopes))))


def audience(entry: ClientEntry, scopes: list[str], resources: Collection[str] = ()) -> list[str]:
    """Return the token's audience besides the issuer: APIs of its scopes, and resources of the client's `audience`."""
    of_scopes = audiences_of(entry, scopes)
    if not resources:
        return of_scopes
    listed = _listed_of(entry, resources)
    return [uri for uri in resources if uri in of_scopes or uri in listed]
