"""Mail goes out after the commit, by a real SMTP server, whatever that server does."""

import email
import email.policy
import socket
import threading
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from django.core.mail import EmailMultiAlternatives
from django.db import connections, transaction
from django.utils import timezone

from consumers import emails
from consumers.actions import invitations as invitation_actions
from core import mail as outbox
from core.models import Message

pytestmark = pytest.mark.django_db

OUTBOX = "core.mail.OutboxBackend"


def smtp(port, **options):
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {"host": "127.0.0.1", "port": port, "timeout": 30} | options,
    }


class MailServer:
    """A real SMTP server that keeps what it gets, or refuses, or takes its time."""

    def __init__(self):
        self.answer, self.delay, self.got, self.commands = "250 OK", 0.0, [], []
        self.start()

    def start(self):
        self.controller = AnyPort(self, hostname="127.0.0.1", port=0)
        self.controller.start()

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.commands.append("EHLO")
        session.host_name = hostname
        return responses

    async def handle_DATA(self, server, session, envelope):
        import asyncio

        self.commands.append("DATA")
        await asyncio.sleep(self.delay)
        if self.answer.startswith("250"):
            self.got.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return self.answer

    def mails(self):
        return [email.message_from_bytes(content, policy=email.policy.default) for _, _, content in self.got]


class AnyPort(Controller):
    """A controller that the system gives a port, and that is not asked for it before it has one."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def server(settings):
    server = MailServer()
    settings.MAILERS = {"default": {"BACKEND": OUTBOX}, "delivery": smtp(server.controller.port)}
    yield server
    server.controller.stop()


def send(**fields):
    mail = EmailMultiAlternatives(**({"subject": "Grüße", "body": "Guten Tag", "to": ["jonas@acme.example"]} | fields))
    mail.attach_alternative("<p>Guten <b>Tag</b></p>", "text/html")
    mail.send()
    return Message.objects.latest("pk")


def test_mail_arrives_with_text_and_html(server):
    message = send()
    assert server.got == []
    assert outbox.QUEUE.deliver_next()
    assert not outbox.QUEUE.deliver_next()
    (mail,) = server.mails()
    assert mail["Subject"] == "Grüße"
    assert mail.get_body(("plain",)).get_content().strip() == "Guten Tag"
    assert "<b>Tag</b>" in mail.get_body(("html",)).get_content()
    message.refresh_from_db()
    assert message.state == "sent"
    assert bytes(message.encrypted_message) == b""


def test_every_header_and_every_recipient_survives(server):
    send(
        cc=["cc@acme.example"], bcc=["hidden@acme.example"], reply_to=["help@provider.example"], headers={"X-Why": "y"}
    )
    outbox.QUEUE.deliver_next()
    (mail,) = server.mails()
    assert (mail["Cc"], mail["Reply-To"], mail["X-Why"]) == ("cc@acme.example", "help@provider.example", "y")
    assert server.got[0][1] == ["jonas@acme.example", "cc@acme.example", "hidden@acme.example"]
    assert b"hidden@acme.example" not in server.got[0][2]


def test_no_header_can_be_injected(server):
    with pytest.raises(ValueError, match=r"newline|linefeed|carriage"):
        send(subject="Hello\r\nBcc: everybody@example.com")
    assert not Message.objects.exists()


def test_the_encrypted_body_shows_no_token(server, acme, alice):
    from tests.factories import actor_for

    invitation_actions.invite_manager(consumer=acme, email="jonas@acme.example", actor=actor_for(alice))
    Message.objects.exclude(recipients__contains="jonas@acme.example").delete()  # to her managers, of the invitation
    row = str(Message.objects.values_list().get()) + repr(bytes(Message.objects.get().encrypted_message))
    outbox.QUEUE.deliver_next()
    token = server.mails()[0].get_body(("plain",)).get_content().split("/invitations/")[1].split("/")[0]
    assert len(token) > 40
    assert token not in row
    assert "invitations" not in row


def test_rollback_sends_nothing(server):
    class Change(Exception):
        pass

    def deed():
        with transaction.atomic():
            send()
            raise Change

    with pytest.raises(Change):
        deed()
    assert not outbox.QUEUE.deliver_next()
    assert server.got == []


@pytest.mark.parametrize("fault", ["down", "refuses", "slow", "not_smtp"])
def test_a_server_that_fails_is_asked_again_later_and_in_the_end_no_more(server, fault, settings, caplog):
    if fault == "down":
        server.controller.stop()
    elif fault == "refuses":
        server.answer = "554 5.7.1 Not today"
    elif fault == "slow":
        server.delay = 3
        settings.MAILERS["delivery"]["OPTIONS"]["timeout"] = 0.2
    else:
        deaf = socket.create_server(("127.0.0.1", 0))
        settings.MAILERS["delivery"] = smtp(deaf.getsockname()[1], timeout=0.2)
    message = send()
    for attempt in range(1, len(outbox.QUEUE.retry_after) + 2):
        assert outbox.QUEUE.deliver_next()
        assert not outbox.QUEUE.deliver_next()  # not before its time
        message.refresh_from_db()
        assert message.attempts == attempt
        assert message.last_error
        if message.state == "waiting":
            assert message.next_attempt_at > timezone.now() + timedelta(seconds=50)
        Message.objects.update(next_attempt_at=timezone.now())
        if fault in ("slow", "not_smtp") and attempt == 2:
            Message.objects.update(attempts=len(outbox.QUEUE.retry_after))
            break
    if message.state == "waiting":
        assert outbox.QUEUE.deliver_next()
        message.refresh_from_db()
    assert message.state == "failed"
    assert bytes(message.encrypted_message)
    if fault == "down":
        server.start()
        settings.MAILERS["delivery"] = smtp(server.controller.port)
    server.answer, server.delay = "250 OK", 0
    if fault == "not_smtp":
        settings.MAILERS["delivery"] = smtp(server.controller.port)
        deaf.close()
    settings.MAILERS["delivery"]["OPTIONS"]["timeout"] = 30
    outbox.try_again(message)
    assert outbox.QUEUE.deliver_next()
    message.refresh_from_db()
    assert message.state == "sent"


def test_the_request_never_waits_for_the_mail_server(server, client, alice):
    client.post("/account/login/code/", {"email": alice.email})
    assert server.commands == []  # nobody has even called it
    assert Message.objects.filter(state="waiting").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_deliver_each_message_once(server):
    for number in range(8):
        send(subject=f"Mail {number}")
    barrier = threading.Barrier(2)

    def work():
        barrier.wait()
        while outbox.QUEUE.deliver_next():
            pass
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(mail["Subject"] for mail in server.mails()) == [f"Mail {number}" for number in range(8)]


def test_starttls_is_required_and_never_given_up(server, settings):
    """RFC 3207 section 6: a server, or somebody on the way, that hides STARTTLS gets no mail in clear."""
    settings.MAILERS["delivery"]["OPTIONS"]["use_tls"] = True
    message = send()
    assert outbox.QUEUE.deliver_next()
    message.refresh_from_db()
    assert message.state == "waiting"
    assert "STARTTLS" in message.last_error
    assert "DATA" not in server.commands


def test_a_key_that_is_gone_fails_loudly_and_keeps_the_mail(server, settings):
    from cryptography.fernet import Fernet

    message = send()
    settings.KEY_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    assert outbox.QUEUE.deliver_next()
    message.refresh_from_db()
    assert message.state == "waiting"
    assert "InvalidToken" in message.last_error


def test_a_new_key_in_front_still_opens_old_mail(server, settings):
    from cryptography.fernet import Fernet

    send()
    settings.KEY_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.KEY_ENCRYPTION_KEYS]
    assert outbox.QUEUE.deliver_next()
    assert len(server.got) == 1


@pytest.mark.parametrize(
    "name", ["Eve\r\nBcc: all@example.com\r\n\r\nBuy", "<b>Eve</b><img src=x>", "E" * 10_000, "Eve\u202e\u2066"]
)
def test_no_name_harms_a_mail(server, name):
    emails.compose("security_notice", "jonas@acme.example", title=name, facts=[("Who", name)]).send()
    outbox.QUEUE.deliver_next()
    (mail,) = server.mails()
    html = mail.get_body(("html",)).get_content()
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]
    assert len(mail["Subject"]) <= 200
    assert len(server.got[0][2]) < 20_000
    assert "<img" not in html
    assert "\u202e" not in html + str(mail["Subject"]) + mail.get_body(("plain",)).get_content()


def test_text_parts_are_text_and_html_parts_are_escaped(server):
    emails.compose(
        "security_notice", "o'brien@acme.example", title="Tom & Jerry's <b>", facts=[("Who", "A & B")]
    ).send()
    outbox.QUEUE.deliver_next()
    (mail,) = server.mails()
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "Tom & Jerry's <b>" in text
    assert "Who: A & B" in text
    assert "o'brien@acme.example" in text
    assert "Tom &amp; Jerry&#x27;s &lt;b&gt;" in html
    assert mail["Auto-Submitted"] == "auto-generated"


def code_mail():
    emails.send_account_email("account/email/login_code", "jonas@acme.example", {"code": "123456"})
    return Message.objects.get()


def test_a_code_is_tried_again_within_seconds_and_not_beyond_its_life(server, time_machine):
    server.answer = "451 not now"
    message, begun = code_mail(), timezone.now()
    while message.state == "waiting":
        time_machine.move_to(message.next_attempt_at)
        assert outbox.QUEUE.deliver_next()
        message.refresh_from_db()
    assert message.state == "failed"
    assert message.attempts > 10
    assert timezone.now() < begun + timedelta(minutes=10)
    assert server.commands.count("DATA") == message.attempts


def test_a_code_that_has_expired_while_it_waited_is_not_sent(server, time_machine):
    message = code_mail()
    time_machine.move_to(message.expires_at)
    outbox.QUEUE.deliver_next()
    message.refresh_from_db()
    assert (message.state, server.got) == ("failed", [])
    assert "expired" in message.last_error
