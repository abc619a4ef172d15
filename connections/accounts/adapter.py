"""The adapter of django-allauth where some accounts sign in by their identity provider alone."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialAccount
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.urls import reverse

from connections.accounts import begun, requirement
from connections.actions import identities
from connections.models import Connection, Identity
from consumers.accounts.adapter import AccountAdapter as ConsumersAccountAdapter
from consumers.audit import Actor
from consumers.models import User


class AccountAdapter(ConsumersAccountAdapter):
    """Accounts, of which some sign in at an identity provider."""

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in, unless a connection is required that was not used. Raises ImmediateHttpResponse."""
        required = requirement.unmet(request, user)
        is_way_back = required is not None and requirement.is_way_back(request, user)
        if required is not None and not is_way_back:
            context = {"connection": required, "email": user.email}
            raise ImmediateHttpResponse(render(request, "connections/required.html", context, status=403))
        record = begun.latest(request, user)
        account = None
        if record is not None:
            account = SocialAccount.objects.filter(provider=record["provider"], uid=record["uid"], user=user).first()
            if account is None:  # disconnected while the second factor was asked for
                raise ImmediateHttpResponse(redirect("account_login"))
        super().login(request, user)
        if record is not None and account is not None:
            key = request.session.session_key or ""
            identities.record_session(account=account, session_key=key, sid=record["sid"])
        if required is not None:
            identities.record_way_back(user=user, connection=required, actor=Actor.of(request))

    def sign_in_method(self, request: HttpRequest, user: User) -> str:
        record = begun.latest(request, user)
        method = super().sign_in_method(request, user)
        if record is None:
            return method
        name: str = record["name"]
        return name if method == "Unknown" else f"{name}, then {method[:1].lower()}{method[1:]}"

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """Offer the person's connections, and them alone where one is required. A second factor comes before."""
        methods = super().get_reauthentication_methods(user)
        if not user.is_authenticated or user.holds_second_factor:
            return methods
        linked = Identity.objects.filter(account__user=user)
        offered = [
            {
                "id": f"connection:{connection.slug}",
                "description": f"Sign in at {connection}",
                "url": reverse("connections:reauthenticate", args=[connection.slug]),
            }
            for connection in Connection.objects.live().filter(identities__in=linked).distinct()
            if connection.product.reauthenticates
        ]
        is_required = bool(offered) and Connection.objects.required_of(user).exists()
        return offered if is_required else [*methods, *offered]
