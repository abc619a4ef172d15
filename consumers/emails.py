"""The mails about people and consumers: one function a message."""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from consumers.models import Invitation


def compose(template: str, recipient: str, **context: Any) -> EmailMultiAlternatives:
    """Return a mail with a text and an HTML part from templates/emails/<template>."""
    context = {
        "portal_name": settings.PORTAL_NAME,
        "portal_url": settings.PUBLIC_URL,
        "operator_contact": settings.OPERATOR_CONTACT,
        "recipient_email": recipient,
        "language": settings.LANGUAGE_CODE,
    } | context
    subject = " ".join(render_to_string(f"emails/{template}.subject.txt", context).split())
    mail = EmailMultiAlternatives(
        subject=subject[:200], body=render_to_string(f"emails/{template}.txt", context).strip(), to=[recipient]
    )
    mail.attach_alternative(render_to_string(f"emails/{template}.html", context), "text/html")
    return mail


def moment(when: Any) -> str:
    """Return a date and time as a mail says it, with its time zone."""
    local = timezone.localtime(when)
    return f"{date_format(local, 'l j F Y')} at {date_format(local, 'H:i')} {local.tzname()}"


def invitation(invitation: Invitation, token: str, *, inviter: str) -> None:
    compose(
        "invitation",
        invitation.email,
        consumer=invitation.consumer.name,
        inviter=inviter,
        role=invitation.get_role_display().lower(),
        expires=moment(invitation.expires_at),
        action_url=settings.PUBLIC_URL + reverse("consumers:invitation", args=[token]),
        action_label="Open the invitation",
    ).send()
