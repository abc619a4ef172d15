"""What rooms above know of a person, with its label: shown on the operators' page of an end user."""

from collections.abc import Callable

from django.utils.safestring import SafeString

from consumers.models import User

Fact = Callable[[User], SafeString | str]
FACTS: dict[str, Fact] = {}


def register(label: str, fact: Fact) -> None:
    FACTS[label] = fact
