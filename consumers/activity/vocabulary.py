"""The vocabulary of the audit record: what each room registers about its events, from its AppConfig.ready.

This room knows how an event is shown, filtered and exported; which events there are, how each reads, and which page its
target has, is said by the room that records it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.apps import apps
from django.db.models import Q

from consumers.models import Consumer, ConsumerQuerySet, Event, EventName

type TargetUrls = Callable[[Consumer, set[str]], dict[str, str]]


def no_detail(event: Event) -> str:
    return ""


class Wording(NamedTuple):
    """How an event reads. The sentence follows the actor's name; {target} and members of `detail` fill it.

    `icon` is a symbol of static/icons.svg, `tone` is good, warn, bad or empty, and `detail` returns the second line.
    `by_target` replaces it where the actor is the target.
    """

    sentence: str
    icon: str
    tone: str = ""
    detail: Callable[[Event], str] = no_detail
    by_target: "Wording | None" = None


class Category(NamedTuple):
    """Events to filter a list by: those whose name starts with one of `prefixes` and with none of `excluded`."""

    value: str
    label: str
    prefixes: tuple[str, ...]
    excluded: tuple[str, ...] = ()

    def condition(self) -> Q:
        condition = _starts_with(self.prefixes)
        return condition & ~_starts_with(self.excluded) if self.excluded else condition


class EventFilter(NamedTuple):
    """A query parameter of the activity in the management API.

    `condition` takes the consumers whose events the caller may read, and the parameter's value.
    """

    schema: Mapping[str, Any]
    condition: Callable[[ConsumerQuerySet, str], Q]


def always(detail: Mapping[str, Any]) -> bool:
    return True


class SensitiveOperation(NamedTuple):
    """An operation for which consumers.sensitive_operations asks more: `applies` says of which details it is one."""

    applies: Callable[[Mapping[str, Any]], bool] = always
    has_own_mail: bool = False


def changes(*fields: str) -> SensitiveOperation:
    """Return the operation of changing one of these fields."""
    return SensitiveOperation(lambda detail: not set(fields).isdisjoint(detail.get("fields", ())))


@dataclass(frozen=True)
class _Registry:
    wordings: dict[str, Wording] = field(default_factory=dict)
    target_urls: dict[str, TargetUrls] = field(default_factory=dict)
    workspace_categories: dict[str, Category] = field(default_factory=dict)
    operator_categories: dict[str, Category] = field(default_factory=dict)
    filters: dict[str, EventFilter] = field(default_factory=dict)
    sensitive: dict[str, "SensitiveOperation"] = field(default_factory=dict)


_registry = _Registry()


def register(
    wordings: Mapping[EventName, Wording],
    *,
    target_urls: Mapping[str, TargetUrls] | None = None,
    workspace_categories: Iterable[Category] = (),
    operator_categories: Iterable[Category] = (),
    filters: Mapping[str, EventFilter] | None = None,
    sensitive: "Mapping[EventName, SensitiveOperation] | None" = None,
) -> None:
    """Add a room's events.

    `target_urls` finds, for each kind of target (its model's name), the pages of those of the ids that still exist.
    The categories are choices of the workspace's activity page and of the operators'. `sensitive` are the operations
    that let somebody in later, or cannot be undone.
    """
    _registry.wordings.update({str(name): wording for name, wording in wordings.items()})
    _registry.target_urls.update(target_urls or {})
    _registry.workspace_categories.update({category.value: category for category in workspace_categories})
    _registry.operator_categories.update({category.value: category for category in operator_categories})
    _registry.filters.update(filters or {})
    _registry.sensitive.update({str(name): operation for name, operation in (sensitive or {}).items()})


def event_names() -> list[str]:
    """Return the name of every event that can be recorded. Raises AppRegistryNotReady while rooms register theirs."""
    return list(_complete().wordings)


def wording_of(event: Event) -> Wording:
    """Return how an event reads; one that an older version recorded and this one does not know reads as its name."""
    wording = _registry.wordings.get(event.name) or Wording(f"{event.name} {{target}}", "history")
    return wording.by_target if wording.by_target and event.actor_id == event.target_id else wording


def sensitive_operation(name: str, detail: Mapping[str, Any]) -> SensitiveOperation | None:
    """Return what makes an event with these details a sensitive operation, or None."""
    found = _registry.sensitive.get(name)
    return found if found is not None and found.applies(detail) else None


def target_urls() -> Mapping[str, TargetUrls]:
    return _registry.target_urls


def workspace_categories() -> Mapping[str, Category]:
    """Return the categories of a workspace's activity by their values, in the order of their labels."""
    return _by_label(_complete().workspace_categories)


def operator_categories() -> Mapping[str, Category]:
    """Return the categories of the operators' activity by their values, in the order of their labels."""
    return _by_label(_complete().operator_categories)


def event_filters() -> Mapping[str, EventFilter]:
    return _complete().filters


def _complete() -> _Registry:
    """Return the registry once every room has registered, so that no list is built of a part of it."""
    if not apps.ready:
        apps.check_apps_ready()
        apps.check_models_ready()
        raise RuntimeError("Events are registered in AppConfig.ready: ask for all of them after that.")
    return _registry


def _by_label(categories: Mapping[str, Category]) -> dict[str, Category]:
    return dict(sorted(categories.items(), key=lambda item: item[1].label))


def _starts_with(prefixes: Iterable[str]) -> Q:
    condition = Q()
    for prefix in prefixes:
        condition |= Q(name__startswith=prefix)
    return condition


# -- Detail lines that rooms share ------------------------------------------------------------------------------------


def changed_fields(labels: Mapping[str, str]) -> Callable[[Event], str]:
    """Return a detail function that names the changed fields, by their labels where a name does not say it."""

    def detail(event: Event) -> str:
        names = [labels.get(name, name.replace("_", " ")) for name in event.detail.get("fields", [])]
        return f"Changed: {', '.join(names)}" if names else ""

    return detail
