"""The labels of clients' states and kinds, and of the secrets review's flags."""

from django import template

from clients import secret_review
from clients.vocabulary import ClientKind, ClientState

register = template.Library()


@register.filter
def state_name(state: str) -> str:
    return str(ClientState(state).label)


@register.filter
def is_off(state: str) -> bool:
    """Return whether a client in this state gets no tokens, so that lists show it greyed."""
    return state in ("disabled", "expired")


@register.filter
def kind_name(kind: str) -> str:
    return str(ClientKind(kind).label)


@register.filter
def flag_name(flag: str) -> str:
    return secret_review.FLAGS[flag]
