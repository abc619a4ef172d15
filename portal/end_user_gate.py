"""What stands before every page for an end user: whoever only signs in to apps finds no other page of the portal."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from clients.models import Api
from consumers.models import User
from portal.session_gates import PUBLIC, REAUTHENTICATION, SIGN_IN_AND_OUT, before_every_view

# Their own page, and ending what stands on it.
OWN = frozenset(
    {
        *("apps", "revoke-app", "sign-out-of-app"),
        *("usersessions_list", "sign-out-everywhere", "end-browser-session", "end-login-session"),
    }
)
SIGNING_IN = frozenset(
    {
        *("account_login", "account_request_login_code", "account_confirm_login_code"),
        *("authorize", "authorize-decision", "authorize-switch", "device"),
        *("mfa_authenticate", "mfa_login_webauthn"),
    }
)
# By these they become members, and are no end users any more.
JOINING = frozenset({"consumers:invitation", "requests:ask", "requests:sent", "requests:status"})
# What programs ask, by credentials of their own: no view of them looks at the session.
PROGRAMS = frozenset(
    {
        *("token", "par", "introspect", "revoke", "userinfo", "device-authorization", "register", "register-client"),
        *("workload-token", "workload-identity-token", "workload-discovery", "workload-jwks"),
        "connections:backchannel-logout",
    }
)
DEMO = frozenset({"mailbox", "mailbox-message", "mailbox-download"})
OPEN = PUBLIC | SIGN_IN_AND_OUT | REAUTHENTICATION | OWN | SIGNING_IN | JOINING | PROGRAMS | DEMO
# Where a second factor is set up, which somebody needs for apps whose API asks for two.
SECOND_FACTOR = "mfa_"


@before_every_view
def keep_end_users_out(request: HttpRequest, name: str, kwargs: Mapping[str, Any]) -> HttpResponse | None:
    """Answer an end user as an address that does not exist would, wherever the portal is not for them."""
    if name in OPEN:
        return None
    user = request.user
    if not isinstance(user, User) or not user.is_end_user:
        return None
    if name.startswith(SECOND_FACTOR) and Api.objects.filter(requires_two_factors=True).exists():
        return None
    raise Http404
