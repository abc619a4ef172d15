"""Sensitive operations: they let somebody in later, or cannot be undone (OWASP ASVS 5.0, 7.5.3).

A session that somebody took over must not leave a lasting door in silence: so each takes an authentication of the last
minutes, and is mailed to the person and to the managers. Which operations they are stands with the events of each room;
audit.record asks here, so that no page can forget to.
"""

import time
from datetime import timedelta
from typing import Any

from allauth.account import app_settings as account
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from consumers import emails
from consumers.activity import timeline
from consumers.activity.vocabulary import sensitive_operation
from consumers.models import Event, Role, User

MAIL_INTERVAL = timedelta(hours=1)  # in which programs cause one mail for each kind of operation
SEARCHED = 100  # events of the kind: of more that were none, one mail too many is sent


def is_recent(request: HttpRequest, user: User) -> bool:
    """Say whether the person has authenticated within 15 minutes: with a second factor where they hold one."""
    records = get_authentication_records(request, user)
    if user.holds_second_factor:
        records = [record for record in records if record["method"] == "mfa"]
    return any(time.time() - _authenticated_at(record) < account.REAUTHENTICATION_TIMEOUT for record in records)


def _authenticated_at(record: dict[str, Any]) -> float:
    """Return when the person did something: an identity provider may have answered from a session of its own."""
    if record["method"] == "socialaccount" and not record.get("reauthenticated"):
        return float(record.get("authenticated_at") or 0)
    return float(record["at"])


def notify(event: Event, person: User | None, *, by_token: bool) -> None:
    """Tell the person and the consumer's managers; without a consumer, the superusers of what an operator did.

    Of each kind of operation the first in a request is mailed, and of what programs do the first in an hour.
    """
    if _was_mailed(event, by_token=by_token):
        return
    entry = timeline.describe(event)
    facts = [("Details", entry.detail)] if entry.detail else []
    for email in _recipients(event, person):
        emails.send_sensitive_operation(
            email,
            sentence=entry.sentence,
            facts=facts,
            ip=event.ip,
            user_agent=event.user_agent,
            consumer=event.consumer.name if event.consumer else "",
            url=settings.PUBLIC_URL + _page(event, person),
        )


def _was_mailed(event: Event, *, by_token: bool) -> bool:
    """Whether one of the same kind was mailed in the request or, for programs, in MAIL_INTERVAL."""
    if not by_token and not event.request_id:
        return False
    same = Event.objects.filter(name=event.name, actor_id=event.actor_id, consumer=event.consumer, pk__lt=event.pk)
    same = same.filter(at__gt=event.at - MAIL_INTERVAL) if by_token else same.filter(request_id=event.request_id)
    details = same.order_by("-pk").values_list("detail", flat=True)[:SEARCHED]
    return any(sensitive_operation(event.name, detail) for detail in details)


def _recipients(event: Event, person: User | None) -> list[str]:
    if event.consumer is not None:
        told = Q(memberships__consumer=event.consumer, memberships__role=Role.MANAGER)
    elif person is not None and person.is_staff:
        told = Q(is_superuser=True)
    else:
        told = Q(pk=None)
    people = User.objects.filter(told | Q(pk=person.pk if person else None), is_active=True)
    return list(people.order_by("pk").values_list("email", flat=True).distinct())


def _page(event: Event, person: User | None) -> str:
    """Return the page that shows what was done to everybody who is told."""
    if event.consumer is not None:
        return reverse("consumers:activity", args=[event.consumer.slug])
    return reverse("admin:consumers_event_changelist" if person and person.is_staff else "consumers:tokens")
