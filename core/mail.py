"""The mail outbox: an e-mail backend that stores, and what the worker does to deliver.

Mail is written in the transaction of its deed, so it goes out exactly when the deed is committed, and a request never
waits for the mail server. The message rests encrypted, because it may hold an invitation link or a sign-in code.
"""

import email
import email.policy
import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage as ParsedMail
from typing import Any

from django.core.mail import EmailMessage, mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.utils import timezone

from core.encryption import vault
from core.models import Message

logger = logging.getLogger(__name__)

CHANNEL = "outbox"
# Minutes until the next try: about two days in all, then an operator must look.
RETRY_AFTER = (1, 2, 5, 15, 60, 180, 360, 720, 1440)


# -- Into the outbox --------------------------------------------------------------------------------------------------


class OutboxBackend(BaseEmailBackend):
    """Django's mail API in front, a table behind."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Store each message; Django refuses line breaks in headers while it builds them."""
        for message in email_messages:
            Message.objects.create(
                recipients=", ".join(message.recipients())[:500], subject=message.subject[:250], sealed=seal(message)
            )
        if email_messages:
            wake_workers()
        return len(email_messages)


def seal(message: EmailMessage) -> bytes:
    """Encrypt the message as it goes out, with its envelope, for no header names the Bcc recipients."""
    envelope = json.dumps({"from": message.from_email, "to": message.recipients()}).encode()
    return vault().encrypt(envelope + b"\n" + message.message().as_bytes())


class SealedMail(EmailMessage):
    """A message taken out of its seal, to be handed to a mailer unchanged."""

    def __init__(self, sealed: bytes) -> None:
        envelope, _, self.raw = vault().decrypt(sealed).partition(b"\n")
        addresses = json.loads(envelope)
        super().__init__(subject=self.message()["Subject"], from_email=addresses["from"], to=addresses["to"])

    def message(self, *, policy: Any = email.policy.default) -> ParsedMail:
        parsed = email.message_from_bytes(self.raw, policy=policy)
        assert isinstance(parsed, ParsedMail)
        return parsed


# -- Out of the outbox ------------------------------------------------------------------------------------------------


def deliver_next() -> bool:
    """Try one message that is due; return False when there is none.

    The row stays locked while the mail server is asked, so of several workers one delivers it. Should this process
    die between the server's yes and the commit, the message goes out a second time: better twice than never.
    """
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
            mailers["delivery"].send_messages([SealedMail(bytes(message.sealed))])
        except Exception as error:  # whatever a mail server may do, the message stays
            _put_off(message, error)
        else:
            message.state = Message.State.SENT
            message.sent_at = timezone.now()
            message.sealed = b""
            message.last_error = ""
            logger.info("mail %s is delivered at attempt %s", message.pk, message.attempts)
        message.save()
    return True


def _put_off(message: Message, error: Exception) -> None:
    reason = f"{type(error).__name__}: {error}"[:500].replace("\x00", "")
    logger.warning("mail %s was not delivered at attempt %s: %s", message.pk, message.attempts, reason)
    message.last_error = reason
    if message.attempts > len(RETRY_AFTER):
        message.state = Message.State.FAILED
    else:
        message.next_attempt_at = timezone.now() + timedelta(minutes=RETRY_AFTER[message.attempts - 1])


def try_again(message: Message) -> None:
    """Put a failed or waiting message at the head of the queue."""
    tried = Message.objects.filter(pk=message.pk).exclude(state=Message.State.SENT)
    if tried.update(state=Message.State.WAITING, attempts=0, next_attempt_at=timezone.now()):
        wake_workers()


def wake_workers() -> None:
    """Tell the workers, once this transaction is committed, that there is mail to deliver."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
