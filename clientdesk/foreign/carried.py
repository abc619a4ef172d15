"""What is carried of a client from elsewhere, and the rules that hold wherever it comes from."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Document = dict[str, Any]
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SERVED = ("authorization_code", "client_credentials", "refresh_token", DEVICE)
GONE = {
    "implicit": "use authorization_code with PKCE",
    "password": "let people sign in with authorization_code",
}
IDENTITY = ("openid", "profile", "email", "offline_access")  # what people's clients may ask for anywhere
SECRET = "the secret: a new one is made, and shown once"


@dataclass
class Carried:
    """One client: where it was called what, its metadata here, and what was left behind and why."""

    former_id: str
    document: Document
    lost: list[str] = field(default_factory=list)
    is_client: bool = True  # False for what is none here; `lost` says why


def texts(value: Any) -> list[str]:
    """Return a list of texts, whatever a file holds in its place."""
    return [str(each) for each in value] if isinstance(value, list) else []


def objects(value: Any) -> Document:
    return value if isinstance(value, dict) else {}


def seconds(value: Any) -> str | None:
    """Return a lifetime as a duration, if it is one."""
    return f"{value}s" if str(value).isdecimal() and int(str(value)) > 0 else None


def settle_grants(carried: Carried) -> None:
    """Leave out the grants and response types that are not served (RFC 9700 section 2.1.2)."""
    grants = texts(carried.document.get("grant_types"))
    for grant in [each for each in grants if each not in SERVED]:
        carried.lost.append(f"{grant}: this grant is not offered" + (f"; {GONE[grant]}" if grant in GONE else ""))
    kept = [each for each in grants if each in SERVED]
    if grants:
        carried.document["grant_types"] = kept
        if not kept:
            carried.is_client = False
            carried.lost.append("all of it: no grant is left")
    wanted = texts(carried.document.get("response_types"))
    if any(each != "code" for each in wanted):
        carried.lost.append("response types other than code")
    if wanted:
        carried.document["response_types"] = ["code"] if "authorization_code" in kept else []
    if kept and not {"authorization_code", DEVICE} & set(kept):
        settle_scope(carried)


def settle_scope(carried: Carried) -> None:
    """Leave out what is about people, where nobody signs in."""
    scope = str(carried.document.get("scope") or "").split()
    carried.document["scope"] = " ".join(each for each in scope if each not in (*IDENTITY, "offline"))


def exact(addresses: Any, what: str, lost: list[str], root: str = "") -> Iterator[str]:
    """Yield the addresses that can be compared letter by letter (RFC 9700 section 2.1) and are safe on the way."""
    for address in texts(addresses):
        full = f"{root}{address}" if address.startswith("/") and root else address
        if "*" in full or ":" not in full:
            lost.append(f"{what} {address}: only exact, absolute addresses are kept")
        elif full.startswith("http://") and host(full) not in ("localhost", "127.0.0.1", "::1"):
            lost.append(f"{what} {address}: without TLS only this computer's own are kept")
        elif "://" in full and "." not in full.partition("://")[0] and not full.startswith(("http://", "https://")):
            lost.append(f"{what} {address}: an app's own scheme holds a dot, such as com.example.app")
        else:
            yield full


def host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def origins(addresses: list[str]) -> list[str]:
    """Return the origins of web addresses, each once."""
    parts = [urlsplit(each) for each in addresses if each.startswith(("http://", "https://"))]
    return list(dict.fromkeys(f"{each.scheme}://{each.netloc}" for each in parts))


def without_nothing(carried: Carried) -> Carried:
    carried.document = {
        name: value for name, value in carried.document.items() if value not in (None, "", [], {}, False)
    }
    return carried
