"""Which identity providers are connected to somebody's account, and which could be."""

from django import template
from django.db.models import QuerySet

from connections.models import Connection, Identity
from consumers.models import User

register = template.Library()


@register.filter
def identities(user: User) -> QuerySet[Identity]:
    found = Identity.objects.select_related("connection", "account").filter(account__user=user)
    return found.order_by("connection__name")


@register.filter
def connectable(user: User) -> QuerySet[Connection]:
    return Connection.objects.connectable_by(user)
