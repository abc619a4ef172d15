"""The mail outbox: an e-mail backend that stores, and a worker that delivers.

Mail is written in the transaction of its deed, so it goes out exactly when the deed is committed, and a request never
waits for the mail server. The message rests encrypted, because it may hold an invitation link or a sign-in code.
"""

import email
import email.policy
import logging
from collections.abc import Sequence
from datetime import timedelta

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.utils import timezone

from consumers.models import Message

logger = logging.getLogger(__name__)

CHANNEL = "outbox"
# Minutes until the next try: about a day and a half in all, then an operator must look.
RETRY_AFTER = (1, 2, 5, 15, 60, 180, 360, 720, 1440)
BATCH = 20


def vault() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.KEY_ENCRYPTION_KEYS])


class OutboxBackend(BaseEmailBackend):
    """Django's mail API in front, a table behind."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            Message.objects.create(
                recipients=", ".join(message.recipients())[:500],
                subject=message.subject[:250],
                sealed=vault().encrypt(message.message().as_bytes()),
            )
        if email_messages:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
        return len(email_messages)


def deliver_due() -> int:
    """Deliver what is due, each message by exactly one worker; return how many were tried."""
    tried = 0
    while tried < BATCH and deliver_next():
        tried += 1
    return tried


def deliver_next() -> bool:
    """Try one message that is due; return False when there is none."""
    with transaction.atomic():
        message = (
            Message.objects.select_for_update(skip_locked=True)
            .filter(state=Message.State.WAITING, next_attempt_at__lte=timezone.now())
            .order_by("next_attempt_at")
            .first()
        )
        if message is None:
            return False
        message.attempts += 1
        try:
            mailers["delivery"].send_messages([unseal(message)])
        except Exception as error:  # whatever a mail server may do, the message stays
            put_off(message, error)
        else:
            message.state = Message.State.SENT
            message.sent_at = timezone.now()
            message.sealed = b""
            message.last_error = ""
        message.save()
    return True


def unseal(message: Message) -> EmailMessage:
    """Return the message as Django's mail API takes it."""
    parsed = email.message_from_bytes(vault().decrypt(bytes(message.sealed)), policy=email.policy.default)
    text, html = parsed.get_body(("plain",)), parsed.get_body(("html",))
    mail = EmailMultiAlternatives(
        subject=parsed["Subject"],
        body=text.get_content() if text else "",
        from_email=parsed["From"],
        to=[address.strip() for address in parsed["To"].split(",")],
        headers={"Message-ID": parsed["Message-ID"], "Date": parsed["Date"]},
    )
    if html:
        mail.attach_alternative(html.get_content(), "text/html")
    return mail


def put_off(message: Message, error: Exception) -> None:
    reason = f"{type(error).__name__}: {error}"[:500]
    logger.warning("mail %s was not delivered at attempt %s: %s", message.pk, message.attempts, reason)
    message.last_error = reason
    if message.attempts > len(RETRY_AFTER):
        message.state = Message.State.FAILED
    else:
        message.next_attempt_at = timezone.now() + timedelta(minutes=RETRY_AFTER[message.attempts - 1])


def try_again(message: Message) -> None:
    """Put a failed or waiting message at the head of the queue."""
    Message.objects.filter(pk=message.pk).exclude(state=Message.State.SENT).update(
        state=Message.State.WAITING, attempts=0, next_attempt_at=timezone.now()
    )
