"""What the tests of the operators' pages about APIs, consumers and clients share."""

from django.urls import reverse

from consumers.models import Event


def page(thing, deed="", part=None) -> str:
    name = f"admin:{thing._meta.app_label}_{thing._meta.model_name}"
    if not deed:
        return reverse(f"{name}_change", args=[thing.pk])
    return reverse(f"{name}_deed", args=[thing.pk, deed, *([part.pk] if part else [])])


def said(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def events(*names: str) -> list[Event]:
    return list(Event.objects.filter(name__in=names).order_by("pk"))
