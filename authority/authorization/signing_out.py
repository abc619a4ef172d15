"""Signing out everywhere: for somebody whose session, device or token may be in other hands."""

from dataclasses import asdict, dataclass

from allauth.usersessions.models import UserSession
from django.db import transaction

from authority.authorization import consents
from authority.events import AuthorityEvent
from authority.models import Consent, TokenFamily
from consumers import audit
from consumers.actions import people, personal_tokens
from consumers.audit import Actor
from consumers.models import User


@dataclass(frozen=True)
class Access:
    """How much of a person's access signing out everywhere ends."""

    sessions: int  # besides the one in which it is asked
    personal_tokens: int
    apps: int


def access_of(person: User, *, session_key: str | None) -> Access:
    """Return what signing out everywhere would end."""
    return Access(
        sessions=UserSession.objects.filter(user=person).exclude(session_key=session_key or "").count(),
        personal_tokens=person.personal_tokens.live().count(),
        apps=len(_apps(person)),
    )


def _apps(person: User) -> set[object]:
    """Return the keys of the clients that may act for the person, also those that need no consent."""
    signed_in = TokenFamily.objects.filter(user=person, ended_at=None).values_list("client", flat=True)
    return {*signed_in, *Consent.objects.filter(user=person).values_list("client", flat=True)}


@transaction.atomic
def sign_out_everywhere(*, person: User, session_key: str | None, actor: Actor) -> Access:
    """End every session but this one, every personal access token, and what every app may do for the person."""
    ended = access_of(person, session_key=session_key)
    people.end_sessions(person, keep=session_key)
    for token in person.personal_tokens.live():
        personal_tokens.revoke_token(token=token, actor=actor)
    consents.revoke_all(person=person, actor=actor)
    audit.record(AuthorityEvent.SIGNED_OUT_EVERYWHERE, actor=actor, target=person, detail=asdict(ended))
    return ended
