"""Adapters of django-allauth: no sign-up, mail by our templates, encrypted second factors."""

import ipaddress
from typing import Any, ClassVar
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core import context as allauth_context
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from consumers import emails, policy, sensitive_operations
from consumers.accounts import (
    known_browsers,
    mailed_codes,
    operator_sessions,
    recent_authentication,
    sign_in_methods,
)
from consumers.actions import people
from consumers.audit import Actor, request_origin
from consumers.models import User
from core.client_ip import caller_ip
from core.encryption import fernet
from core.errors import Refusal
from core.user_agents import browser_name


class AccountAdapter(DefaultAccountAdapter):
    """Accounts come from invitations and operators alone."""

    error_messages: ClassVar[dict[str, Any]] = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "This email address and password do not belong together.",
        "incorrect_code": "This is not the code that we sent. Look again, or ask for another.",
        "incorrect_password": "This is not your password.",
        "too_many_login_attempts": "Too many tries. Wait a few minutes, then try again.",
        "rate_limited": "Too many requests. Wait a minute, then try again.",
        "cannot_remove_primary_email": "This is your main address. Make another address the main one first.",
        "email_taken": "Another account has this address.",
        "unverified_primary_email": "Confirm this address before you make it your main address.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that sign-in limits count by. Raises PermissionDenied where there is none."""
        ip = caller_ip(request)
        if ip is None:
            raise PermissionDenied("A request without an address cannot be limited.")
        return ip

    def is_safe_url(self, url: str | None) -> bool:
        """Lead people on to addresses of this portal alone, written as paths."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def clean_email(self, email: str) -> str:
        """Take the addresses that can be invited, at every form of the account. Raises ValidationError."""
        try:
            policy.email_address(email)
        except Refusal as refusal:
            raise ValidationError(refusal.description) from None
        return str(super().clean_email(email))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send allauth's mail in our words: a code, word that there is no account, or a security notice.

        Raises ImmediateHttpResponse where too many codes were not used.
        """
        if template_prefix not in emails.NOTICES:
            mailed_codes.spend(self.request, email)
        emails.send_account_email(template_prefix, email, context | request_origin(self.request))

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Leave out what the next page says itself: that a code was sent, and that one is signed in."""
        if message_template == "account/messages/login_code_sent.txt" and request.POST.get("action") != "resend":
            return
        if message_template != "account/messages/logged_in.txt":
            super().add_message(request, level, message_template, *args, **kwargs)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Ask unless the person has just signed in, or confirmed who they are, by the strongest that they hold."""
        user = self.request.user
        if sensitive_operations.is_recent(self.request, user):
            return False
        recent_authentication.forget_reauthentication(self.request, user)  # which allauth would accept
        if not get_reauthentication_flows(user):
            # allauth lets through whoever has neither password nor second factor; here a code by email confirms them.
            raise ReauthenticationRequired
        return True

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count wrong passwords of known browsers apart, so that strangers do not lock the owner out."""
        key: str = super()._get_login_attempts_cache_key(request, **credentials)
        user = User.objects.of_address(credentials.get("email", "")).first()
        return f"{key}:known" if user is not None and known_browsers.is_known(request, user) else key

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """Offer the second factor alone where one is held, else the password and a code by email."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if not user.is_authenticated:
            return methods
        if user.holds_second_factor:
            factors = [method for method in methods if method["id"].startswith("mfa_")]
            return sorted(factors, key=lambda method: method["id"] != "mfa_reauthenticate:webauthn")
        by_code = {
            "id": "reauthenticate_by_code",
            "description": "Use a code by email",
            "url": reverse("consumers:reauthenticate-by-code"),
        }
        return [*methods, by_code] if user.has_address else methods

    def login(self, request: HttpRequest, user: User) -> None:
        is_first = user.last_login is None  # Django overwrites it on the way
        super().login(request, user)
        request.is_first_sign_in = is_first  # type: ignore[attr-defined]

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Tell people by mail when a browser signs in that has not been seen with their account."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        if user.is_staff:
            operator_sessions.extend(request, user)
        self._record_sign_in(request, user)
        if not known_browsers.is_known(request, user):
            if not getattr(request, "is_first_sign_in", False):
                emails.send_new_sign_in(user, **request_origin(request))
            known_browsers.remember(request, response, user)
        return response

    def _record_sign_in(self, request: HttpRequest, user: User) -> None:
        """Keep how the person signed in: with the account, the activity and the session."""
        people.record_sign_in(
            person=user,
            method=self.sign_in_method(request, user),
            session_key=request.session.session_key or "",
            actor=Actor.of(request),
        )

    def sign_in_method(self, request: HttpRequest, user: User) -> str:
        """Return how the person has signed in in this session, in words."""
        return sign_in_methods.describe(get_authentication_records(request, user))


class MFAAdapter(DefaultMFAAdapter):
    """Second factors and passkeys."""

    error_messages: ClassVar[dict[str, Any]] = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This code is not right, or it has been used. Wait for the next one and try again.",
    }

    def encrypt(self, text: str) -> str:
        return fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return fernet().decrypt(encrypted_text.encode()).decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Bind passkeys to the portal's own host, whatever Host header a request carries (WebAuthn section 5.1.2)."""
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        host = urlsplit(settings.PUBLIC_URL).hostname or ""
        return entity | {"name": settings.PORTAL_NAME} | ({} if _is_address(host) else {"id": host})

    def generate_authenticator_name(self, user: User, type: str) -> str:
        """Propose the browser's name, by which people recognise the device."""
        return browser_name(allauth_context.request.headers.get("User-Agent", "")) or "Passkey"

    def build_totp_svg(self, url: str) -> str:
        """Return the QR code as an element for the page itself, since the policy allows no data: image."""
        svg: str = super().build_totp_svg(url)
        return svg[svg.index("<svg") :]


def _is_address(host: str) -> bool:
    """Say whether the host is an IP address, which no passkey can be bound to: the demo's."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
