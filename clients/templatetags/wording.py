"""How pages name what clients are."""

from django import template

from clients import queries, secret_review

register = template.Library()


@register.filter
def state_name(state: str) -> str:
    return queries.STATES[state]


@register.filter
def kind_name(kind: str) -> str:
    return queries.KINDS[kind]


@register.filter
def flag_name(flag: str) -> str:
    return secret_review.FLAGS[flag]
