"""Browser sessions that a link of the provider's application opened: bound to one workspace, for some hours.

docs/decisions/0036-portal-links.md says what such a session may do.
"""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest
from django.utils import timezone

from consumers.models import PortalLink, User

KEY = "portal_link"  # in the session
METHOD = "portal_link"  # of authentication: no factor of the account's
LONGEST = timedelta(hours=4)


@dataclass(frozen=True)
class Binding:
    """The one workspace that a session opens, and where the person came from."""

    consumer_id: UUID
    return_to: str

    @property
    def host(self) -> str:
        return urlsplit(self.return_to).netloc


def start(request: HttpRequest, person: User, link: PortalLink) -> None:
    """Sign the person in to the link's workspace alone; whatever session there was ends, with what it held."""
    request.session.flush()
    login(request, person)
    record_authentication(request, person, method=METHOD)
    request.session[KEY] = {"consumer": str(link.consumer_id), "return_to": link.return_to}
    request.session.set_expiry(timezone.now() + LONGEST)  # a moment: a number would begin again with each change


def binding_of(request: HttpRequest) -> Binding | None:
    """Return what the session is bound to, or None for one that is not."""
    # Without the cookie nobody is signed in, and whatever is public stays cacheable.
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not hasattr(request, "session"):
        return None
    bound = request.session.get(KEY)
    return Binding(UUID(bound["consumer"]), bound["return_to"]) if bound else None
