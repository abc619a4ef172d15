"""Workspace access check. Strangers get the same 404 as for a workspace that does not exist."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from consumers.accounts.bound_sessions import binding_of
from consumers.actions.members import record_visit
from consumers.models import Membership, Role, User
from consumers.scopes import PREFIX
from core import rate_limits
from core.errors import Refusal
from core.rest.errors import TooManyRequests

MOST = 100  # workspaces that are asked before a token is made
MAILS_PER_HOUR = 30  # of a person, to addresses of their choice

View = Callable[..., HttpResponseBase]
# What a room above asks of whoever enters a workspace: returns a response in place of the page, or None.
EntryCheck = Callable[[HttpRequest, Membership], HttpResponse | None]
_entry_checks: list[EntryCheck] = []


def register_entry_check(check: EntryCheck) -> None:
    """Ask this before each page of a workspace, such as how the person has signed in."""
    if check not in _entry_checks:
        _entry_checks.append(check)


def token_refusal(request: HttpRequest, user: User, scopes: Iterable[str]) -> HttpResponse | None:
    """Return what a workspace of the person's asks of this session, before a token of these scopes is made in it.

    One of the management API would open that workspace for longer than the session lasts. None where nothing is asked.
    """
    if not any(value.startswith(PREFIX) for value in scopes):
        return None
    for membership in user.memberships.select_related("consumer", "user").filter(consumer__suspended_at=None)[:MOST]:
        if (response := _refused_entry(request, membership)) is not None:
            return response
    return None


def _refused_entry(request: HttpRequest, membership: Membership) -> HttpResponse | None:
    for check in _entry_checks:
        if (response := check(request, membership)) is not None:
            return response
    return None


def workspace(role: Role) -> Callable[[View], View]:
    """Open a view to the members of the consumer that its address names.

    The view gets `membership` (with consumer and user) in place of `consumer_slug`. Whoever is not a member, or
    whose consumer is suspended, gets 404; a viewer at a manager's page gets 403. So does a session that is bound to
    another workspace, whether this one exists or not.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        @login_required
        def guarded(request: HttpRequest, consumer_slug: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            membership = (
                Membership.objects.select_related("consumer", "user")
                .filter(user=request.user.pk, consumer__slug=consumer_slug, consumer__suspended_at=None)
                .first()
            )
            binding = binding_of(request)
            if binding is not None and (membership is None or membership.consumer_id != binding.consumer_id):
                return render(request, "consumers/bound.html", status=403)
            if membership is None:
                raise Http404
            if role == Role.MANAGER:
                require_manager(membership)
            if (response := _refused_entry(request, membership)) is not None:
                return response
            record_visit(membership)
            request.membership = membership  # type: ignore[attr-defined]  # the shell's templates read it
            try:
                return view(request, membership, *args, **kwargs)
            except Refusal as refusal:  # that the view has no better place for, such as a lost race
                return render(request, "refused.html", {"refusal": refusal}, status=refusal.status)

        return guarded

    return decorate


def require_manager(membership: Membership) -> None:
    """Refuse a viewer. Raises PermissionDenied."""
    if not membership.is_manager:
        raise PermissionDenied("Only managers may do this. Ask a manager of this workspace to change your role.")


class TooManyInvitations(TooManyRequests):
    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.description = f"You can send {MAILS_PER_HOUR} invitations an hour. Send fewer at a time, or wait."


def count_mails(request: HttpRequest, sender: str, number: int = 1) -> None:
    """Count mails to addresses that somebody chose, whichever door they use. Raises TooManyRequests.

    Else a manager, or a program of theirs, could flood any mailbox in the portal's name.
    """
    for _ in range(number):
        rate_limits.count_request(request, f"{MAILS_PER_HOUR}/h/key", "mail", TooManyInvitations, key=sender)
