"""How pages name what clients are."""

from django import template

from clients import hygiene, listing

register = template.Library()


@register.filter
def state_name(state: str) -> str:
    return listing.STATES[state]


@register.filter
def kind_name(kind: str) -> str:
    return listing.KINDS[kind]


@register.filter
def flag_name(flag: str) -> str:
    return hygiene.FLAGS[flag]
