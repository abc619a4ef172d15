"""The mail outbox: what waits, what failed and why; never what it says."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from consumers.admin.base import Deed, ReadOnlyDesk
from core import mail
from core.admin import badge, moment
from core.models import Message


@admin.register(Message)
class MessageAdmin(ReadOnlyDesk):
    heading = "Mail outbox"
    lede = "Mail waits here until the mail server has taken it. What it says is sealed, and erased once it is sent."
    empty = "No mail was written yet."
    tones = {Message.State.SENT: "good", Message.State.FAILED: "bad"}
    list_display = ["subject", "recipients", "condition", "attempts", "last_error", moment("created_at", "Written")]
    list_filter = ["state", "created_at"]
    search_fields = ["recipients", "subject"]
    search_help_text = "By recipient or subject."
    actions = ["send_again"]
    has_activity = False
    deeds = {
        "send-again": Deed(
            label="Send again",
            act=lambda message, _: mail.try_again(message),
            done="The mail is at the head of the queue and goes out within a minute.",
            when=lambda message: message.state != Message.State.SENT,
        )
    }
    fieldsets = [
        ("Message", {"fields": ["subject", "recipients", "condition"], "classes": ["facts"]}),
        ("Delivery", {"fields": ["attempts", "last_error", "created", "next_attempt", "sent"], "classes": ["facts"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).defer("sealed")

    @admin.display(description="State", ordering="state")
    def condition(self, message: Message) -> SafeString:
        return badge(message.get_state_display(), self.tones.get(Message.State(message.state), ""))

    @admin.display(description="Written")
    def created(self, message: Message) -> str:
        return moment("created_at", "")(message)

    @admin.display(description="Next attempt")
    def next_attempt(self, message: Message) -> str:
        waits = message.state == Message.State.WAITING
        return moment("next_attempt_at", "")(message) if waits else "None"

    @admin.display(description="Sent")
    def sent(self, message: Message) -> str:
        return moment("sent_at", "", "Not yet")(message)

    @admin.action(description="Send again", permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        waiting = list(queryset.exclude(state=Message.State.SENT))
        for message in waiting:
            mail.try_again(message)
        messages.success(request, f"{len(waiting)} at the head of the queue. Mail that was sent is not sent twice.")
