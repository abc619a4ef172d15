"""Which identity providers are connected to somebody's account, and which could be."""

from django import template
from django.db.models import Q, QuerySet

from connections.models import Connection, Identity
from consumers.models import User

register = template.Library()


@register.filter
def identities(user: User) -> QuerySet[Identity]:
    found = Identity.objects.select_related("connection", "account").filter(account__user=user)
    return found.order_by("connection__name")


@register.filter
def connectable(user: User) -> QuerySet[Connection]:
    """Return the connections that the person may connect: of the portal or their workspaces."""
    theirs = Q(consumers=None) | Q(consumers__memberships__user=user)
    found = Connection.objects.live().filter(theirs).exclude(identities__account__user=user)
    return (found.filter(for_operators=True) if user.is_staff else found).distinct()
