"""Helpers for tests of the admin."""

from django.urls import reverse

from consumers.models import Event


def page(obj, action="", related=None) -> str:
    name = f"admin:{obj._meta.app_label}_{obj._meta.model_name}"
    if not action:
        return reverse(f"{name}_change", args=[obj.pk])
    return reverse(f"{name}_action", args=[obj.pk, action, *([related.pk] if related else [])])


def said(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def events(*names: str) -> list[Event]:
    return list(Event.objects.filter(name__in=names).order_by("pk"))
