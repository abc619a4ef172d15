"""People, consumers, memberships, invitations, the audit record and personal access tokens."""

from consumers.models.people import (
    Consumer,
    ConsumerQuerySet,
    Invitation,
    Membership,
    Role,
    User,
    UserManager,
    normal_email,
)
from consumers.models.records import Event, EventName, EventQuerySet
from consumers.models.tokens import PersonalToken

__all__ = [
    "Consumer",
    "ConsumerQuerySet",
    "Event",
    "EventName",
    "EventQuerySet",
    "Invitation",
    "Membership",
    "PersonalToken",
    "Role",
    "User",
    "UserManager",
    "normal_email",
]
