"""Mails about people and consumers: one function a message."""

import re
from datetime import timedelta
from typing import Any

from allauth.account import app_settings as account
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from consumers.models import Consumer, Invitation, Role, User
from core.mail import is_undeliverable
from core.text import replace_unsafe
from core.timefmt import weekday_date_time
from core.user_agents import browser_name

BLANK_LINES = re.compile(r"\n{3,}")


def compose(template: str, recipient: str, **context: Any) -> EmailMultiAlternatives:
    """Return a mail with a text and an HTML part from templates/emails/<template>."""
    context = {
        "portal_name": settings.PORTAL_NAME,
        "portal_url": settings.PUBLIC_URL,
        "operator_contact": settings.OPERATOR_CONTACT,
        "recipient_email": recipient,
        "language": settings.LANGUAGE_CODE,
    } | {name: _harmless(value) for name, value in context.items()}
    subject = _one_line(render_to_string(f"emails/{template}.subject.txt", context))
    mail = EmailMultiAlternatives(
        subject=subject[:200],
        body=BLANK_LINES.sub("\n\n", render_to_string(f"emails/{template}.txt", context)).strip(),
        to=[] if is_undeliverable(recipient) else [recipient],  # to nobody nothing is sent
        headers={"Auto-Submitted": "auto-generated"},  # RFC 3834: no out-of-office answers to us
    )
    mail.attach_alternative(render_to_string(f"emails/{template}.html", context), "text/html")
    return mail


def _harmless(value: Any) -> Any:
    """Return texts that people chose, alone or in lists of facts, on one line each."""
    if isinstance(value, str):
        return _one_line(value)
    if isinstance(value, list):
        return [tuple(_one_line(str(part)) for part in row) for row in value]
    return value


def _one_line(text: str) -> str:
    """Return the text without line breaks and unsafe characters, and of bearable length.

    So that nobody's name adds a header, a paragraph of its own or a page to a mail that we sign with ours.
    """
    return replace_unsafe(" ".join(text.split()), lambda _: "")[:500]


def send_invitation(invitation: Invitation, token: str, *, inviter: str) -> None:
    compose(
        "invitation",
        invitation.email,
        consumer=invitation.consumer.name,
        inviter=inviter,
        role=invitation.get_role_display().lower(),
        expires=weekday_date_time(invitation.expires_at),
        action_url=settings.PUBLIC_URL + reverse("consumers:invitation", args=[token]),
        action_label="Open the invitation",
    ).send()


# -- Accounts ---------------------------------------------------------------------------------------------------------

# allauth's template prefix to ours; what is left are notices.
CODES = {
    "account/email/login_code": ("sign_in_code", account.LOGIN_BY_CODE_TIMEOUT),
    "account/email/password_reset_code": ("password_code", account.PASSWORD_RESET_BY_CODE_TIMEOUT),
    "account/email/email_confirmation": ("address_code", account.EMAIL_VERIFICATION_BY_CODE_TIMEOUT),
    "account/email/email_confirmation_signup": ("address_code", account.EMAIL_VERIFICATION_BY_CODE_TIMEOUT),
}
NOTICES = {
    "account/email/email_changed": "Your main email address was changed",
    "account/email/email_confirm": "One of your email addresses was confirmed",
    "account/email/email_deleted": "An email address was removed from your account",
    "account/email/password_changed": "Your password was changed",
    "account/email/password_reset": "Your password was reset",
    "account/email/password_set": "A password was set for your account",
    "mfa/email/recovery_codes_generated": "New recovery codes were created for your account",
    "mfa/email/totp_activated": "An authenticator app was added to your account",
    "mfa/email/totp_deactivated": "The authenticator app was removed from your account",
    "mfa/email/webauthn_added": "A passkey was added to your account",
    "mfa/email/webauthn_removed": "A passkey was removed from your account",
}


def send_account_email(prefix: str, email: str, context: dict[str, Any]) -> None:
    """Send what allauth asks for. Raises KeyError for a mail that we have no words for."""
    if prefix in CODES:
        template, seconds = CODES[prefix]
        mail = compose(template, email, code=context["code"], minutes=seconds // 60)
        mail.expires_at = timezone.now() + timedelta(seconds=seconds)  # type: ignore[attr-defined]  # core/mail.py
        mail.send()
    elif prefix in ("account/email/unknown_account", "account/email/account_already_exists"):
        compose(prefix.rpartition("/")[2], email).send()
    else:
        _security_notice(email, NOTICES[prefix], context)


def _security_notice(email: str, title: str, context: dict[str, Any]) -> None:
    facts = _where(context.get("ip"), context.get("user_agent", ""))
    for label, key in (("Removed", "deleted_email"), ("Before", "from_email"), ("Now", "to_email")):
        if context.get(key):
            facts.append((label, context[key]))
    compose(
        "security_notice",
        email,
        title=title,
        facts=facts,
        action_url=settings.PUBLIC_URL + reverse("mfa_index"),
        action_label="Review your account",
    ).send()


def send_new_sign_in(user: User, *, ip: str | None, user_agent: str, **_: Any) -> None:
    compose(
        "new_sign_in",
        user.email,
        browser=browser_name(user_agent) or "an unknown browser",
        when=weekday_date_time(timezone.now()),
        facts=_where(ip, user_agent),
        action_url=settings.PUBLIC_URL + reverse("usersessions_list"),
        action_label="Review your sessions",
    ).send()


def send_sensitive_operation(
    email: str,
    *,
    sentence: str,
    facts: list[tuple[str, str]],
    ip: str | None,
    user_agent: str,
    consumer: str,
    url: str,
) -> None:
    """Tell of an operation that lets somebody in later, or cannot be undone."""
    compose(
        "sensitive_operation",
        email,
        sentence=sentence,
        facts=facts + _where(ip, user_agent),
        consumer=consumer,
        action_url=url,
        action_label="See what was done",
    ).send()


def send_second_factor_reset(person: User, *, recipient: User) -> None:
    """Tell a person, or another operator, that passkeys, authenticator app and recovery codes were removed."""
    is_own = person == recipient
    page = ""
    if is_own:
        page = reverse("mfa_index")
    elif recipient.has_perm("consumers.view_event"):
        page = reverse("admin:consumers_event_changelist")
    compose(
        "second_factor_reset",
        recipient.email,
        name=str(person),
        is_own=is_own,
        facts=[
            ("When", weekday_date_time(timezone.now())),
            ("Account", person.address or person.subject),
            ("By", "A command on the server"),
        ],
        action_url=page and settings.PUBLIC_URL + page,
        action_label="Set up a second factor" if is_own else "See what else was done",
    ).send()


def send_consumer_suspended(consumer: Consumer, reason: str) -> None:
    """Tell its managers why, who cannot enter the workspace any more."""
    managers = consumer.memberships.select_related("user").filter(role=Role.MANAGER, user__is_active=True)
    for membership in managers:
        compose("consumer_suspended", membership.user.email, consumer=consumer.name, reason=reason).send()


# -- Operators --------------------------------------------------------------------------------------------------------


def send_record_changed(operator: User, problems: list[str], page: str) -> None:
    compose(
        "record_changed",
        operator.email,
        problems=[(problem,) for problem in problems],
        action_url=settings.PUBLIC_URL + page,
        action_label="See what was found",
    ).send()


def _where(ip: str | None, user_agent: str) -> list[tuple[str, str]]:
    """Return the facts that tell people whether it was them."""
    return [
        ("When", weekday_date_time(timezone.now())),
        ("Browser", browser_name(user_agent) or "Unknown"),
        ("IP address", ip or "Unknown"),
    ]
