"""Does a token meet a rule? Letter by letter, claim by claim: no pattern, no prefix, no folding of case."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """A claim that is not what a rule wants; `found` is empty where the token has none that can be compared."""

    claim: str
    wanted: str
    found: str


def differences(audience: str, wanted: Mapping[str, str], claims: Mapping[str, Any]) -> list[Difference]:
    """Return what keeps a token with these claims from meeting the rule; nothing when it does."""
    found = []
    if claims.get("aud") not in (audience, [audience]):
        found.append(Difference("aud", audience, said(claims.get("aud"))))
    for name, value in wanted.items():
        has = _claim(claims, name)
        if _comparable(has) != value:
            found.append(Difference(name, value, said(has)))
    return found


def _claim(claims: Any, name: str) -> Any:
    """Return the claim of that name or, for a name that begins with a slash, at that place (RFC 6901)."""
    path = [part.replace("~1", "/").replace("~0", "~") for part in name[1:].split("/")] if name[:1] == "/" else [name]
    for part in path:
        claims = claims.get(part) if isinstance(claims, Mapping) else None
    return claims


def _comparable(value: Any) -> str | None:
    """Return what a rule compares: a text, a whole number or a truth value; of lists and objects nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None


def said(value: Any) -> str:
    """Return a value as people read it; a list looks like one, because one text alone is not the same."""
    if isinstance(value, list):
        return f"[{', '.join(said(each) for each in value)}]"
    return _comparable(value) or ("" if value is None else "something that cannot be compared")


def exclusive(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Say whether no token can have both sets of claims."""
    return any(one[name] != other[name] for name in one.keys() & other.keys())
