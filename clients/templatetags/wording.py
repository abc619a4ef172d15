"""How pages name what clients are."""

from django import template

from clients import listing

register = template.Library()


@register.filter
def state_name(state: str) -> str:
    return listing.STATES[state]


@register.filter
def kind_name(kind: str) -> str:
    return listing.KINDS[kind]
