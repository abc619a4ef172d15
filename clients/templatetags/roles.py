"""The roles of a member, for pages of the room below."""

from django import template

from clients.models import ApiRole, RoleGrant
from consumers.models import Membership

register = template.Library()


@register.simple_tag
def has_api_roles(membership: Membership) -> bool:
    """Say whether an API that the member's consumer may use has roles."""
    return ApiRole.objects.filter(api__scopes__access__consumer=membership.consumer_id).exists()


@register.simple_tag
def api_roles(membership: Membership) -> list[ApiRole]:
    """Return the roles that count for the member at the consumer's clients, each once."""
    counting = RoleGrant.objects.at(membership.consumer_id).filter(user=membership.user_id)
    found = ApiRole.objects.filter(pk__in=counting.values("role"), api__scopes__access__consumer=membership.consumer_id)
    return list(found.select_related("api").distinct())
