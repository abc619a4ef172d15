"""People, consumers, memberships, invitations, links, the audit record, its chain, and personal tokens."""

from consumers.models.chain import EventSeal, SignedHead, UnsealedEvent, Verification
from consumers.models.people import (
    Consumer,
    ConsumerQuerySet,
    Invitation,
    Membership,
    MembershipSource,
    Role,
    User,
    UserManager,
    normal_email,
)
from consumers.models.portal_links import PortalLink
from consumers.models.records import Event, EventName, EventQuerySet
from consumers.models.tokens import PersonalToken

__all__ = [
    "Consumer",
    "ConsumerQuerySet",
    "Event",
    "EventName",
    "EventQuerySet",
    "EventSeal",
    "Invitation",
    "Membership",
    "MembershipSource",
    "PersonalToken",
    "PortalLink",
    "Role",
    "SignedHead",
    "UnsealedEvent",
    "User",
    "UserManager",
    "Verification",
    "normal_email",
]
