"""What stands before every page in a session that is bound to one workspace: nothing opens that is not named here."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from consumers.accounts import bound_sessions
from consumers.models import User
from portal.session_gates import PUBLIC, REAUTHENTICATION, SIGN_IN_AND_OUT, before_every_view

# What opens besides the pages of the workspace, of which consumers/access.py opens none but the session's own.
OPEN = PUBLIC | SIGN_IN_AND_OUT


@before_every_view
def keep_bound_sessions(request: HttpRequest, name: str, kwargs: Mapping[str, Any]) -> HttpResponse | None:
    """Keep a session that a link of the provider's application opened to its workspace, and from operators."""
    if bound_sessions.binding_of(request) is None:
        return None
    user = request.user
    if not isinstance(user, User) or user.is_staff or user.is_superuser:  # made an operator since
        logout(request)
        return redirect_to_login(request.get_full_path())
    if name in OPEN or "consumer_slug" in kwargs:
        return None
    context = {"wants_authentication": name in REAUTHENTICATION}
    return render(request, "consumers/bound.html", context, status=403)
