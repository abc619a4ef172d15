"""A client of another system, and the rules that apply whichever system it comes from."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Document = dict[str, Any]
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_SUPPORTED_GRANTS = ("authorization_code", "client_credentials", "refresh_token", DEVICE_CODE)
_REPLACEMENTS = {
    "implicit": "use authorization_code with PKCE",
    "password": "let people sign in with authorization_code",
}
IDENTITY_SCOPES = ("openid", "profile", "email", "offline_access")  # of every client that signs people in
SECRET_NOT_IMPORTED = "the secret: a new one is created, and shown once"


@dataclass
class ImportedClient:
    """A client: its ID there, its metadata here, and what was not imported, with the reason."""

    source_client_id: str
    metadata: Document
    not_imported: list[str] = field(default_factory=list)
    is_client: bool = True  # False for what can't be a client here; `not_imported` says why


def string_list(value: Any) -> list[str]:
    """Return a list of strings, whatever a file holds in its place."""
    return [str(each) for each in value] if isinstance(value, list) else []


def json_object(value: Any) -> Document:
    return value if isinstance(value, dict) else {}


def duration_of_seconds(value: Any) -> str | None:
    """Return a lifetime as a duration, if it is one."""
    return f"{value}s" if str(value).isdecimal() and int(str(value)) > 0 else None


def keep_supported_grants(imported: ImportedClient) -> None:
    """Remove the grants and response types that are not supported (RFC 9700 section 2.1.2)."""
    grants = string_list(imported.metadata.get("grant_types"))
    for grant in [each for each in grants if each not in _SUPPORTED_GRANTS]:
        imported.not_imported.append(
            f"{grant}: this grant is not supported" + (f"; {_REPLACEMENTS[grant]}" if grant in _REPLACEMENTS else "")
        )
    kept = [each for each in grants if each in _SUPPORTED_GRANTS]
    if grants:
        imported.metadata["grant_types"] = kept
        if not kept:
            imported.is_client = False
            imported.not_imported.append("the client: none of its grants is supported")
    wanted = string_list(imported.metadata.get("response_types"))
    if any(each != "code" for each in wanted):
        imported.not_imported.append("response types other than code")
    if wanted:
        imported.metadata["response_types"] = ["code"] if "authorization_code" in kept else []
    if kept and not {"authorization_code", DEVICE_CODE} & set(kept):
        drop_identity_scopes(imported)


def drop_identity_scopes(imported: ImportedClient) -> None:
    """Remove the scopes that are about people, of a client that signs nobody in."""
    scope = str(imported.metadata.get("scope") or "").split()
    imported.metadata["scope"] = " ".join(each for each in scope if each not in (*IDENTITY_SCOPES, "offline"))


def exact_uris(uris: Any, what: str, not_imported: list[str], root: str = "") -> Iterator[str]:
    """Yield the URIs that can be matched exactly (RFC 9700 section 2.1) and use TLS where they leave the device."""
    for uri in string_list(uris):
        full = f"{root}{uri}" if uri.startswith("/") and root else uri
        if "*" in full or ":" not in full:
            not_imported.append(f"{what} {uri}: only exact, absolute URIs are supported")
        elif full.startswith("http://") and _host(full) not in ("localhost", "127.0.0.1", "::1"):
            not_imported.append(f"{what} {uri}: without TLS only loopback URIs are supported")
        elif "://" in full and "." not in full.partition("://")[0] and not full.startswith(("http://", "https://")):
            not_imported.append(f"{what} {uri}: a private-use scheme has to contain a dot, such as com.example.app")
        else:
            yield full


def _host(uri: str) -> str | None:
    try:
        return urlsplit(uri).hostname
    except ValueError:
        return None


def origins(uris: list[str]) -> list[str]:
    """Return the origins of web URLs, each once."""
    parts = [urlsplit(each) for each in uris if each.startswith(("http://", "https://"))]
    return list(dict.fromkeys(f"{each.scheme}://{each.netloc}" for each in parts))


def without_empty_members(imported: ImportedClient) -> ImportedClient:
    imported.metadata = {
        name: value for name, value in imported.metadata.items() if value not in (None, "", [], {}, False)
    }
    return imported
