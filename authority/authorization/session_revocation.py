"""What operators end for people who sign in to apps: consents, and sessions of the provider's own login."""

from django.db import transaction
from django.db.models import QuerySet

from authority.authorization import consents as consent_actions
from authority.authorization import login_sessions
from authority.events import AuthorityEvent
from authority.models import Consent, LoginSession
from consumers import audit
from consumers.audit import Actor
from consumers.models import User


@transaction.atomic
def revoke_consents(*, consents: QuerySet[Consent], actor: Actor) -> None:
    """Revoke these consents, with every code and token that the clients have by them."""
    clients: dict[User, list[str]] = {}
    for consent in consents.select_related("client", "user"):
        clients.setdefault(consent.user, []).append(str(consent.client))
        consent_actions.revoke(consent=consent, actor=actor)
    for person, names in clients.items():
        audit.record(AuthorityEvent.CONSENTS_REVOKED, actor=actor, target=person, detail={"clients": names})


@transaction.atomic
def end_login_sessions(*, sessions: QuerySet[LoginSession], actor: Actor) -> None:
    """End these sessions, with what clients have from them; clients that want it hear of it."""
    ended: dict[User, int] = {}
    for session in sessions.select_related("user"):
        ended[session.user] = ended.get(session.user, 0) + 1
        login_sessions.end(session)
    for person, count in ended.items():
        audit.record(AuthorityEvent.LOGIN_SESSIONS_ENDED, actor=actor, target=person, detail={"sessions": count})
