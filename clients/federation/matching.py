"""Matching a token's claims with a trust rule, by exact string comparison."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ClaimMismatch:
    """A claim that differs from the rule; `actual` is empty where the token has no comparable value."""

    claim: str
    expected: str
    actual: str


def mismatches(audience: str, expected: Mapping[str, str], claims: Mapping[str, Any]) -> list[ClaimMismatch]:
    """Return the claims in which a token differs from the rule; empty where it matches."""
    result = []
    if claims.get("aud") not in (audience, [audience]):
        result.append(ClaimMismatch("aud", audience, display_claim(claims.get("aud"))))
    for name, value in expected.items():
        actual = _claim_at(claims, name)
        if _comparable(actual) != value:
            result.append(ClaimMismatch(name, value, display_claim(actual)))
    return result


def _claim_at(claims: Any, name: str) -> Any:
    """Return the claim of that name or, with a leading slash, at that JSON Pointer (RFC 6901)."""
    path = [part.replace("~1", "/").replace("~0", "~") for part in name[1:].split("/")] if name[:1] == "/" else [name]
    for part in path:
        claims = claims.get(part) if isinstance(claims, Mapping) else None
    return claims


def _comparable(value: Any) -> str | None:
    """Return a string, integer or boolean as the string that a rule compares; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None


def display_claim(value: Any) -> str:
    """Return a value for people to read; a list in brackets, because it does not match a string."""
    if isinstance(value, list):
        return f"[{', '.join(display_claim(each) for each in value)}]"
    return _comparable(value) or ("" if value is None else "something that cannot be compared")


def are_disjoint(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether no token can have both sets of claims."""
    return any(one[name] != other[name] for name in one.keys() & other.keys())
