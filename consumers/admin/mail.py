"""The mail outbox on the operators' pages: state, attempts and errors, never the contents."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from consumers.admin.base import AdminAction, ReadOnlyAdmin
from core import mail
from core.admin import badge, datetime_column
from core.models import Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    heading = "Mail outbox"
    intro = "Mail waits here until the mail server has taken it. Its text is encrypted, and erased once it is sent."
    empty = "No mail has been sent yet."
    tones = {Message.State.SENT: "good", Message.State.FAILED: "bad"}
    list_display = [
        "subject",
        "recipients",
        "condition",
        "attempts",
        "last_error",
        datetime_column("created_at", "Created"),
    ]
    list_filter = ["state", "created_at"]
    search_fields = ["recipients", "subject"]
    search_help_text = "By recipient or subject."
    actions = ["send_again"]
    has_activity = False
    object_actions = {
        "send-again": AdminAction(
            label="Send again",
            run=lambda message, _: mail.try_again(message),
            success="The mail is first in the queue and goes out within a minute.",
            is_available=lambda message: message.state != Message.State.SENT,
        )
    }
    fieldsets = [
        ("Message", {"fields": ["subject", "recipients", "condition"], "classes": ["facts"]}),
        ("Delivery", {"fields": ["attempts", "last_error", "created", "next_attempt", "sent"], "classes": ["facts"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).defer("encrypted_message")

    @admin.display(description="State", ordering="state")
    def condition(self, message: Message) -> SafeString:
        return badge(message.get_state_display(), self.tones.get(Message.State(message.state), ""))

    @admin.display(description="Created")
    def created(self, message: Message) -> str:
        return datetime_column("created_at", "")(message)

    @admin.display(description="Next attempt")
    def next_attempt(self, message: Message) -> str:
        waits = message.state == Message.State.WAITING
        return datetime_column("next_attempt_at", "")(message) if waits else "None"

    @admin.display(description="Sent")
    def sent(self, message: Message) -> str:
        return datetime_column("sent_at", "", "Not yet")(message)

    @admin.action(description="Send again", permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        waiting = list(queryset.exclude(state=Message.State.SENT))
        for message in waiting:
            mail.try_again(message)
        messages.success(
            request, f"{len(waiting)} moved to the head of the queue. Mail that was sent is not sent twice."
        )
