"""Where a connection is required: no other way in for its people, and none into the workspaces that it is for.

An operator with full rights has a way back by a passkey; each use of it is mailed to all operators.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from connections.accounts import begun
from connections.models import Connection, ConnectionSession
from consumers.models import Membership, User


def unmet(request: HttpRequest, user: User) -> Connection | None:
    """Return a connection by which the person must sign in, and has not in this session."""
    required = list(Connection.objects.required_of(user).order_by("name"))
    return None if not required or _began_by(request, user, required) else required[0]


def is_way_back(request: HttpRequest, user: User) -> bool:
    """Say whether a superuser has signed in by a passkey alone, which is let in whatever is required."""
    from allauth.mfa.webauthn.internal.flows import did_use_passwordless_login  # loads FIDO2, which no token needs

    return user.is_superuser and bool(did_use_passwordless_login(request, user))


def check_entry(request: HttpRequest, membership: Membership) -> HttpResponse | None:
    """Lead whoever has signed in another way to the connection that the workspace, or they themselves, require."""
    user = membership.user
    required = list(Connection.objects.required_of(user, membership.consumer).order_by("name"))
    if not required or user.is_superuser:
        return None
    # By the row that the provider, unlinking and deletion end, not by what the session says of itself.
    key = request.session.session_key or ""
    if ConnectionSession.objects.filter(session_key=key, identity__connection__in=required).exists():
        return None
    context = {
        "connection": required[0],
        "consumer": membership.consumer,
        "others": membership.others_by_visit(),
        "next": request.get_full_path() if request.method == "GET" else "",
        "method": user.signed_in_by,
    }
    return render(request, "connections/workspace_requires.html", context, status=403)


def _began_by(request: HttpRequest, user: User, connections: list[Connection]) -> bool:
    record = begun.latest(request, user)
    return record is not None and record["connection"] in [str(each.pk) for each in connections]
