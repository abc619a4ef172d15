"""What a person made that still opens a door of a workspace, shown where their membership ends."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from consumers.models import Membership, PersonalToken


@dataclass(frozen=True, kw_only=True)
class Credential:
    """One credential, by the words of the glossary, and whether it ends with the membership or with the role."""

    kind: str
    name: str
    created_at: datetime
    expires_at: datetime | None
    ends: bool = False
    url: str = ""  # of the page where a manager can end it


type Source = Callable[[Membership], Iterable[Credential]]

_sources: list[Source] = []


def register_credentials(source: Source) -> None:
    """Add a function that returns what a member made and may still know; each room adds its own."""
    _sources.append(source)


def credentials_of(membership: Membership) -> list[Credential]:
    """Return what the member made in the workspace that still works, first what outlives the membership."""
    found = [credential for source in _sources for credential in source(membership)]
    return sorted(found, key=lambda credential: credential.ends)


def personal_tokens(membership: Membership) -> Iterable[Credential]:
    """Yield the personal access tokens that reach the workspace; they open there what the person's role does."""
    here = Q(consumer=None) | Q(consumer=membership.consumer)
    for token in PersonalToken.objects.live().filter(here, user=membership.user):
        yield Credential(
            kind="personal access token",
            name=str(token),
            created_at=token.created_at,
            expires_at=token.expires_at,
            ends=True,
        )
