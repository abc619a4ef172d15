"""The mail outbox: an e-mail backend that stores, and the queue from which the worker delivers.

Mail is written in the transaction of its deed, so it goes out exactly when the deed is committed, and a request never
waits for the mail server. The message rests encrypted, because it may hold an invitation link or a sign-in code.
"""

import email
import email.policy
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from email.message import EmailMessage as ParsedMail
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Q
from django.utils import timezone

from core.delivery import Queue, wake_workers
from core.encryption import fernet
from core.models import Message
from core.sweeps import delete_in_batches

# -- Into the outbox --------------------------------------------------------------------------------------------------


def is_undeliverable(address: str) -> bool:
    """Say whether no mail server can ever have the address (RFC 6761 section 6.4): it stands for none."""
    return address.rstrip(">. ").lower().endswith(".invalid")


class OutboxBackend(BaseEmailBackend):
    """Django's mail API in front, a table behind."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Store each message; Django refuses line breaks in headers while it builds them."""
        for message in email_messages:
            for addresses in (message.to, message.cc, message.bcc):
                addresses[:] = [each for each in addresses if not is_undeliverable(each)]
        email_messages = [message for message in email_messages if message.recipients()]
        for message in email_messages:
            Message.objects.create(
                recipients=", ".join(message.recipients())[:500],
                subject=message.subject[:250],
                encrypted_message=encrypt_message(message),
                expires_at=getattr(message, "expires_at", None),
            )
        if email_messages:
            wake_workers()
        return len(email_messages)


def encrypt_message(message: EmailMessage) -> bytes:
    """Encrypt the message as it goes out, with its envelope, for no header names the Bcc recipients."""
    envelope = json.dumps({"from": message.from_email, "to": message.recipients()}).encode()
    return fernet().encrypt(envelope + b"\n" + message.message().as_bytes())


class DecryptedMail(EmailMessage):
    """A message decrypted, to be handed to a mailer unchanged."""

    def __init__(self, encrypted_message: bytes) -> None:
        envelope, _, self.raw = fernet().decrypt(encrypted_message).partition(b"\n")
        addresses = json.loads(envelope)
        super().__init__(subject=self.message()["Subject"], from_email=addresses["from"], to=addresses["to"])

    def message(self, *, policy: Any = email.policy.default) -> ParsedMail:
        parsed = email.message_from_bytes(self.raw, policy=policy)
        assert isinstance(parsed, ParsedMail)
        return parsed


# -- Out of the outbox ------------------------------------------------------------------------------------------------

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(seconds=60)  # between attempts of a mail that expires


class MailQueue(Queue[Message]):
    """Mail for the mail server, the mailer “delivery”."""

    name = "mail"
    model = Message
    # About two days in all, then an operator must look.
    retry_after = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 60, 180, 360, 720, 1440))

    def is_past_last_attempt(self, row: Message) -> bool:
        return row.expires_at is None and super().is_past_last_attempt(row)

    def wait_before_next(self, row: Message) -> timedelta | None:
        """Try a mail that expires again and again until then: somebody waits for its code."""
        if row.expires_at is None:
            return super().wait_before_next(row)
        wait = min(FIRST_WAIT * 2 ** (row.attempts - 1), LONGEST_WAIT)
        return wait if timezone.now() + wait < row.expires_at else None

    def deliver(self, row: Message) -> None:
        if row.expires_at is not None and row.expires_at <= timezone.now():
            raise TimeoutError("What it says had expired before it could be sent.")
        mailer = mailers["delivery"]
        try:
            mailer.send_messages([DecryptedMail(bytes(row.encrypted_message))])
        finally:  # Django leaves open the connection to a server that does not offer STARTTLS
            with suppress(OSError):  # also of SMTP: what happened to the message is known, and must be written
                mailer.close()

    def delivered(self, row: Message) -> None:
        Message.objects.filter(pk=row.pk).update(
            state=Message.State.SENT, sent_at=timezone.now(), encrypted_message=b"", last_error=""
        )


QUEUE = MailQueue()


def delete_old() -> None:
    """Delete what was sent, or what nobody could deliver, so many days ago as the setting says."""
    old = Message.objects.filter(created_at__lt=timezone.now() - timedelta(days=settings.RETENTION_DAYS["MAIL"]))
    delete_in_batches(old, "created_at", ended=~Q(state=Message.State.WAITING))


def try_again(message: Message) -> None:
    """Put a failed or waiting message at the head of the queue."""
    tried = Message.objects.filter(pk=message.pk).exclude(state=Message.State.SENT)
    if tried.update(state=Message.State.WAITING, attempts=0, next_attempt_at=timezone.now()):
        wake_workers()
