"""The demo's mailbox: mail goes into a folder instead of to a server, and is read in the browser."""

import email
import email.policy
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage as OutgoingMail
from django.core.mail.backends.base import BaseEmailBackend
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


class FolderBackend(BaseEmailBackend):
    """Deliver each mail into a file of its own, named so that the newest sorts last."""

    def send_messages(self, email_messages: Sequence[OutgoingMail]) -> int:
        folder = Path(settings.MAIL_DIR)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            partial = folder / f".{secrets.token_hex(8)}"
            partial.write_bytes(message.message().as_bytes())
            os.rename(partial, folder / f"{time.time_ns()}-{secrets.token_hex(3)}.eml")
        return len(email_messages)


@dataclass(frozen=True)
class Mail:
    """A delivered mail. `name` is its file's name without the ending, which also stands in its address."""

    name: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "(no subject)")

    @property
    def sender(self) -> str:
        return str(self.message["From"])

    @property
    def recipients(self) -> str:
        return str(self.message["To"])

    @property
    def date(self) -> datetime | None:
        return parsedate_to_datetime(str(self.message["Date"])) if self.message["Date"] else None

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        return str(part.get_content()) if part else ""


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """List the mails, newest first."""
    newest = sorted(Path(settings.MAIL_DIR).glob("*.eml"), reverse=True)
    return render(request, "portal/mailbox.html", {"mails": [parse_mail(path) for path in newest[:100]]})


@require_safe
def message(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, "portal/mail.html", {"mail": parse_mail(_find(name))})


@require_safe
def download(request: HttpRequest, name: str) -> FileResponse:
    return FileResponse(
        _find(name).open("rb"), as_attachment=True, filename=f"{name}.eml", content_type="message/rfc822"
    )


def _find(name: str) -> Path:
    """Return the file of that name; the address's converter lets no path separator through."""
    path = Path(settings.MAIL_DIR) / f"{name}.eml"
    if not path.is_file():
        raise Http404
    return path


def parse_mail(path: Path) -> Mail:
    parsed = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return Mail(path.stem, parsed)
