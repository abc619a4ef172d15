"""What an API's access tokens carry besides: the roles of the person, and the claims of its table.

Both are of one API. In a token for several, one API would read the other's roles as its own, so such a token has
neither; a client asks for a token for each (RFC 8707, RFC 9068 section 5).
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.conf import settings

from authority.client_directory import ApiTokens, ClientEntry
from authority.people.provider_claims import provider_claims_of
from authority.people.roles import roles_of
from clients.claim_sources import ROLES, TokenPerson
from consumers.models import User


def the_one_api(audiences: Sequence[str]) -> str | None:
    """Return the API that a token is for, or None where it is for none or several."""
    apis = [uri for uri in audiences if uri != settings.ISSUER]
    return apis[0] if len(apis) == 1 else None


def add_to(
    content: dict[str, Any], entry: ClientEntry, audiences: Sequence[str], scopes: Collection[str], user: User | None
) -> None:
    """Add what the token's API says to its claims; `user` is the person it speaks for. At most two queries."""
    api = entry.api_tokens.get(the_one_api(audiences) or "") if entry.api_tokens else None
    if api is None:
        return
    content |= api.fixed
    if user is not None:
        content.pop(ROLES, None)  # a consumer's claim of the name is not what the person is
        content |= _of_person(api, entry, audiences, scopes, user)


def _of_person(
    api: ApiTokens, entry: ClientEntry, audiences: Sequence[str], scopes: Collection[str], user: User
) -> dict[str, Any]:
    audience = the_one_api(audiences) or ""
    roles = roles_of(user, entry.client.consumer_id, audience) if api.has_roles else []
    of_provider: tuple[Sequence[str], dict[str, Any]] = ((), {})
    if any(claim.source.is_of_provider for claim in api.personal):
        of_provider = provider_claims_of(user, entry.client.consumer_id)
    person = TokenPerson(user.subject, user.email if user.has_address else "", user.name, roles, *of_provider)
    found: dict[str, Any] = {ROLES: roles} if roles else {}
    for claim in api.personal:
        if not claim.source.scope or claim.source.scope in scopes:
            assert claim.source.of_person is not None
            found[claim.name] = claim.source.of_person(person, claim.path)
    return {name: value for name, value in found.items() if value is not None}


AUTOMATIC = ("user_id", ROLES)  # sources that a test token has fields for


def add_to_test_token(
    content: dict[str, Any], entry: ClientEntry, audiences: Sequence[str], *, user_id: str, roles: Sequence[str]
) -> None:
    """Add what the API says in a test token; what else it would read of a person is typed by hand."""
    api = entry.api_tokens.get(the_one_api(audiences) or "")
    if api is None:
        return
    content |= api.fixed
    if user_id:
        content.pop(ROLES, None)
    read: dict[str, Any] = {"user_id": user_id or None, ROLES: list(roles) or None}
    for claim in api.personal:
        if claim.source.value in AUTOMATIC and read[claim.source.value] is not None:
            content[claim.name] = read[claim.source.value]


def typed_claims(entry: ClientEntry, audiences: Sequence[str]) -> list[str]:
    """Return the names of claims that the API reads of a person, and that are typed into a test token."""
    api = entry.api_tokens.get(the_one_api(audiences) or "")
    return [claim.name for claim in api.personal if claim.source.value not in AUTOMATIC] if api is not None else []


def current_roles(entry: ClientEntry, audiences: Sequence[str], user: User, serves: Collection[str]) -> dict[str, Any]:
    """Return `roles`, and other claims of them, as they are now, with None for those that the person has not.

    They are those of the API that asks, or of the token's one API. Empty where that has no roles.
    """
    asking = [uri for uri in audiences if uri in serves]
    audience = the_one_api(asking or audiences)
    api = entry.api_tokens.get(audience or "")
    if audience is None or api is None or not api.has_roles:
        return {}
    roles = roles_of(user, entry.client.consumer_id, audience) or None
    names = {ROLES, *(claim.name for claim in api.personal if claim.source.value == ROLES)}
    return dict.fromkeys(names, roles)
