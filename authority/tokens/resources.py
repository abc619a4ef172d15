"""Resource indicators: for which APIs a token is (RFC 8707). Every grant comes through `choose`.

`resource` is the one parameter that may be repeated; our doors hand its values on joined by spaces, which no URI holds.
"""

from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from authority.client_directory import Entry
from authority.keys import workload_issuer
from authority.protocol.errors import InvalidTargetError
from authority.telemetry import request_trace
from clients.models import Api
from clients.vocabulary import IDENTITY_SCOPES

MAX_RESOURCES = 20
MAX_LENGTH = 2000


def read(text: str | None) -> list[str]:
    """Return the resources that a request names, each once. Raises InvalidTargetError for what is no absolute URI."""
    named = list(dict.fromkeys((text or "").split()))
    if len(named) > MAX_RESOURCES:
        raise InvalidTargetError(f"Name at most {MAX_RESOURCES} resources.")
    for uri in named:
        if not _is_absolute(uri):
            raise InvalidTargetError("resource must be an absolute URI without a fragment.")
    return named


def _is_absolute(uri: str) -> bool:
    """Say whether the text can name a resource (RFC 8707 section 2, RFC 3986 section 4.3)."""
    if not uri.isascii() or not uri.isprintable() or "#" in uri or len(uri) > MAX_LENGTH:
        return False
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path))


def choose(
    entry: Entry, scopes: Iterable[str], asked: list[str], granted: list[str] | None = None
) -> tuple[list[str], list[str]]:
    """Return the scopes and the resources of what is issued: `asked`, within what the client may have.

    `granted` is what an earlier step granted (section 2.2), None where this step is the first; granted without naming
    a resource is granted for every API of the scopes. Raises InvalidTargetError.
    """
    scopes = list(scopes)
    if granted is None:
        _require_allowed(entry, asked)
        resources = asked
    else:
        within = granted or audiences_of(entry, scopes)
        if not set(asked) <= set(within):
            request_trace.because("resource_of_another_grant", asked=[request_trace.address(uri) for uri in asked])
            raise InvalidTargetError("This grant is for other resources.")
        resources = asked or [uri for uri in granted if uri in _allowed(entry, granted)]
    if entry.client.require_resource and not resources:
        request_trace.because("resource_missing")
        raise InvalidTargetError("This client must name the API that it wants a token for, by resource.")
    if not resources:
        return scopes, []
    kept = [value for value in scopes if value in IDENTITY_SCOPES or _audience_of(entry, value) in resources]
    if idle := set(asked) - set(audiences_of(entry, kept)) - _listed_of(entry, asked):
        request_trace.because("resource_without_scope", asked=sorted(request_trace.address(uri) for uri in idle))
        raise InvalidTargetError(f"None of the scopes belongs to {len(idle)} of the resources.")
    return kept, resources


def _require_allowed(entry: Entry, asked: list[str]) -> None:
    if not set(asked) <= _allowed(entry, asked):
        request_trace.because("resource_not_allowed", asked=[request_trace.address(uri) for uri in asked])
        raise InvalidTargetError("This client may not have a token for one of these resources.")


def _allowed(entry: Entry, asked: Collection[str]) -> set[str]:
    """Return which of these the client may name: APIs of its scopes, and what its registration lists as audience.

    An API of ours opens through its scopes alone, also to a client whose list names it.
    """
    own = {permission.audience for permission in entry.permissions.values()}
    listed = _listed_of(entry, asked) - own
    if listed:
        listed -= set(Api.objects.filter(identifier__in=listed).values_list("identifier", flat=True))
    return own | listed


def _listed_of(entry: Entry, asked: Collection[str]) -> set[str]:
    """Return which of these stand on the client's list; on that of a workload stands the workload issuer too."""
    listed = set(asked) & set(entry.client.audience)
    return listed | {uri for uri in asked if entry.client.is_workload and uri == workload_issuer.issuer()}


def needs_no_scope(entry: Entry, asked: Collection[str]) -> bool:
    """Say whether the token is for the workload issuer alone, where no scope says what it may do."""
    return entry.client.is_workload and list(asked) == [workload_issuer.issuer()]


def _audience_of(entry: Entry, scope: str) -> str:
    permission = entry.permissions.get(scope)
    return permission.audience if permission else ""


def audiences_of(entry: Entry, scopes: Iterable[str]) -> list[str]:
    """Return the APIs of the scopes, each once."""
    return list(dict.fromkeys(filter(None, (_audience_of(entry, value) for value in scopes))))


def audience(entry: Entry, scopes: list[str], resources: Collection[str] = ()) -> list[str]:
    """Return what a token names as its audience besides ourselves: APIs of its scopes, and listed resources."""
    of_scopes = audiences_of(entry, scopes)
    if not resources:
        return of_scopes
    listed = _listed_of(entry, resources)
    return [uri for uri in resources if uri in of_scopes or uri in listed]
