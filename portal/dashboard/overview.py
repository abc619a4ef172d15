"""The operators' overview: counts, mail that failed, signing keys, and the latest events."""

from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import Count, Model, Q
from django.http import HttpRequest
from django.utils import timezone

from authority.admin import TONES
from authority.models import DailyCount, SigningKey
from clients.models import Api, Client
from connections.models import Connection
from consumers.activity.timeline import describe
from consumers.models import Consumer, Event
from core.models import Message
from portal.dashboard.usage_chart import last_days


def overview(site: AdminSite, request: HttpRequest) -> dict[str, Any]:
    """Return the overview's parts, each only for operators who may read the list behind it."""

    def may_read(model: type[Model]) -> bool:
        return site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)

    parts: dict[str, Any] = {"now": timezone.localtime()}
    if may_read(Consumer):
        parts["consumers"] = _count_with_stopped(Consumer, "suspended_at")
        may_add = all(site.get_model_admin(model).has_add_permission(request) for model in (Api, Consumer))
        parts["first_steps"] = may_add and not parts["consumers"]["total"]
    if may_read(Client):
        parts["clients"] = _count_with_stopped(Client, "disabled_at")
        parts["yesterday"], parts["today"] = last_days(DailyCount.objects.all(), 2)
    if may_read(Connection):
        parts["broken_connections"] = Connection.objects.live().exclude(problem="").order_by("problem_at")[:5]
    if may_read(Message):
        failed = Message.objects.filter(state=Message.State.FAILED)
        waiting = Message.objects.filter(state=Message.State.WAITING)
        retried = waiting.exclude(last_error="")
        parts["mail"] = {
            "failed": failed.count(),
            "waiting": waiting.count(),
            "retried": retried.count(),
            "newest": (failed | retried).defer("encrypted_message")[:5],
        }
    if may_read(SigningKey):
        keys = (
            SigningKey.objects.served().order_by("state", "purpose", "algorithm", "-id").defer("encrypted_private_key")
        )
        parts["signing_keys"] = [{"key": key, "tone": TONES.get(key.state, "")} for key in keys[:6]]
    if may_read(Event):
        parts["events"] = [describe(event) for event in Event.objects.select_related("consumer")[:8]]
    return parts


def _count_with_stopped(model: type[Model], stopped: str) -> dict[str, int]:
    return model._default_manager.aggregate(
        total=Count("pk"), stopped=Count("pk", filter=Q(**{f"{stopped}__isnull": False}))
    )
