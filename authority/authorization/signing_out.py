"""Signing out everywhere: for somebody whose session, device or token may be in other hands."""

from dataclasses import asdict, dataclass

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import QuerySet

from authority.authorization import consents
from authority.events import AuthorityEvent
from authority.models import Consent, LoginSession, TokenFamily
from consumers import audit
from consumers.actions import people, personal_tokens
from consumers.audit import Actor
from consumers.models import User
from core import clock


@dataclass(frozen=True)
class Access:
    """How much of a person's access signing out everywhere ends."""

    sessions: int  # besides the one in which it is asked, and also at the provider's own login
    personal_tokens: int
    apps: int


def access_of(person: User, *, session_key: str | None, login: LoginSession | None = None) -> Access:
    """Return what signing out everywhere would end, in a session of the portal or of the provider's own login."""
    here = UserSession.objects.filter(user=person).exclude(session_key=session_key or "").count()
    return Access(
        sessions=here + _login_sessions(person, login).count(),
        personal_tokens=person.personal_tokens.live().count(),
        apps=len(_apps(person)),
    )


def _apps(person: User) -> set[object]:
    """Return the keys of the clients that may act for the person, also those that need no consent."""
    signed_in = TokenFamily.objects.signed_in().filter(user=person).values_list("client", flat=True)
    return {*signed_in, *Consent.objects.filter(user=person).values_list("client", flat=True)}


def _login_sessions(person: User, kept: LoginSession | None) -> QuerySet[LoginSession]:
    found = LoginSession.objects.filter(user=person, expires_at__gt=clock.now())
    return found.exclude(pk=kept.pk) if kept is not None else found


@transaction.atomic
def sign_out_everywhere(
    *, person: User, session_key: str | None, login: LoginSession | None = None, actor: Actor
) -> Access:
    """End every session but this one, every personal access token, and what every app may do for the person."""
    ended = access_of(person, session_key=session_key, login=login)
    people.end_sessions(person, keep=str(login.pk) if login is not None else session_key)
    for token in person.personal_tokens.live():
        personal_tokens.revoke_token(token=token, actor=actor)
    consents.revoke_all(person=person, actor=actor)
    audit.record(AuthorityEvent.SIGNED_OUT_EVERYWHERE, actor=actor, target=person, detail=asdict(ended))
    return ended
