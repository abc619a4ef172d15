"""Optimistic locking of the operators' forms: what somebody else saved meanwhile is not overwritten unseen.

A page carries the values that it showed, signed. Where one of them is another by the time the page is sent, nothing is
saved: the page says what changed, takes that over where the operator had typed nothing, and keeps what they typed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core import signing
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.http import QueryDict
from django.utils import timezone
from django.utils.html import strip_tags

from core.fields import GroupedMultipleChoiceField, JSONField

INPUT = "shown"  # the hidden input
_SALT = "consumers.admin.concurrency"
_LABEL = ""  # the key of a row's own name among its values

type Values = dict[str, Any]  # as JSON, by the name of the field
type FormSet = Any  # an inline formset, whose stubs know neither its prefix nor its model


@dataclass(frozen=True)
class Difference:
    """A value that somebody else changed meanwhile, in words; empty where there is none."""

    label: str
    before: str
    now: str
    is_kept: bool = False  # the operator had typed something else, which stays in the form


@dataclass(frozen=True)
class Page:
    """The form of an object's page and the formsets of its related rows, unbound, so that they show what is stored."""

    obj: Model
    form: forms.BaseForm
    formsets: list[FormSet]


@dataclass(frozen=True)
class Shown:
    """The values that a page showed, those of related rows by their formset and key, and when that was."""

    form: Values
    rows: dict[str, dict[str, Values]] = field(default_factory=dict)
    at: str = ""

    @classmethod
    def on(cls, page: Page) -> "Shown":
        rows = {
            formset.prefix: {
                str(each.instance.pk): {_LABEL: str(each.instance)} | _values(each) for each in formset.initial_forms
            }
            for formset in page.formsets
        }
        return cls(_values(page.form), rows, timezone.now().isoformat())

    @classmethod
    def read(cls, text: str, obj: Model) -> "Shown | None":
        """Return what the object's page showed, or None where the text is not of its hidden input."""
        try:
            content = signing.loads(text, salt=_SALT)
        except signing.BadSignature:
            return None
        return cls(content["form"], content["rows"], content["at"]) if content["of"] == _identity(obj) else None

    def signed(self, obj: Model) -> str:
        content = {"of": _identity(obj), "form": self.form, "rows": self.rows, "at": self.at}
        return signing.dumps(content, salt=_SALT, compress=True)

    def is_same(self, now: "Shown") -> bool:
        """Say whether whatever both show is the same; which fields there are depends on the operator's rights."""
        return self.rows == now.rows and all(now.form.get(name, value) == value for name, value in self.form.items())


def _identity(obj: Model) -> str:
    return f"{obj._meta.label_lower} {obj.pk}"


def _values(form: forms.BaseForm) -> Values:
    found = {bound.name: _stored(form, bound.name) for bound in form.visible_fields()}
    values: Values = json.loads(json.dumps(found, cls=DjangoJSONEncoder))
    return values


def _stored(form: forms.BaseForm, name: str) -> Any:
    """Return what the unbound form shows in the field; rows by their keys."""
    value = form.get_initial_for_field(form.fields[name], name)
    if isinstance(form.fields[name], forms.ModelMultipleChoiceField):
        return sorted(str(getattr(each, "pk", each)) for each in value or ())
    return value.pk if isinstance(value, Model) else value


# -- What was typed, and what was saved meanwhile ---------------------------------------------------------------------


def is_typed(form: forms.BaseForm, name: str, shown: Values, data: QueryDict, prefix: str | None) -> bool:
    """Say whether a person changed what the field showed; `prefix` is of the form that was sent, None for no form."""
    if prefix is None or name not in shown:
        return False
    value = form.fields[name].widget.value_from_datadict(data, {}, f"{prefix}{name}")
    return form.fields[name].has_changed(shown[name], value)


def merge(data: QueryDict, shown: Shown, page: Page) -> QueryDict:
    """Return the data with what is stored now in each field in which nothing was typed."""
    merged = data.copy()
    _merge_form(merged, page.form, shown.form, data, "")
    for formset in page.formsets:
        for name in [name for name in merged if name.startswith(f"{formset.prefix}-")]:
            del merged[name]
        sent = _sent_rows(formset, data)
        for form in formset.initial_forms:
            pk = str(form.instance.pk)
            _merge_form(merged, form, shown.rows[formset.prefix].get(pk, {}), data, sent.get(pk))
        count = len(formset.initial_forms)
        for prefix in _added_rows(formset, data):
            for name in [name for name in data if name.startswith(prefix)]:
                merged.setlist(f"{formset.prefix}-{count}-{name.removeprefix(prefix)}", data.getlist(name))
            count += 1
        merged[f"{formset.prefix}-TOTAL_FORMS"] = str(count)
        merged[f"{formset.prefix}-INITIAL_FORMS"] = str(len(formset.initial_forms))
    return merged


def _merge_form(merged: QueryDict, form: forms.BaseForm, shown: Values, data: QueryDict, prefix: str | None) -> None:
    for name in form.fields:
        if name == "DELETE" and prefix is not None:
            merged.setlist(form.add_prefix(name), data.getlist(f"{prefix}{name}"))
        elif not is_typed(form, name, shown, data, prefix):
            merged.setlist(form.add_prefix(name), list(_texts(form, name)))
        else:
            merged.setlist(form.add_prefix(name), data.getlist(f"{prefix}{name}"))


def _texts(form: forms.BaseForm, name: str) -> Iterator[str]:
    """Yield what a browser sends of the field when nobody touches it."""
    each, value = form.fields[name], _stored(form, name)
    if isinstance(each.widget, forms.CheckboxInput):
        if value:
            yield "on"
        return
    text = each.widget.format_value(each.prepare_value(value))
    for part in text if isinstance(text, list) else [text]:
        if part is not None:
            yield str(part)


def _prefixes(formset: FormSet, data: QueryDict) -> list[str]:
    total = data.get(f"{formset.prefix}-TOTAL_FORMS", "")
    count = min(int(total), formset.absolute_max) if total.isascii() and total.isdecimal() else 0
    return [f"{formset.prefix}-{number}-" for number in range(count)]


def _sent_rows(formset: FormSet, data: QueryDict) -> dict[str, str]:
    """Return the prefix of each row that was sent, by the row's key."""
    key = formset.model._meta.pk.name
    return {str(data[f"{prefix}{key}"]): prefix for prefix in _prefixes(formset, data) if data.get(f"{prefix}{key}")}


def _added_rows(formset: FormSet, data: QueryDict) -> list[str]:
    key = formset.model._meta.pk.name
    return [prefix for prefix in _prefixes(formset, data) if not data.get(f"{prefix}{key}")]


def differences(shown: Shown, now: Shown, page: Page, data: QueryDict) -> Iterator[Difference]:
    """Yield what changed meanwhile, as the page names it."""
    yield from _changed(page.form, shown.form, now.form, data, "")
    for formset in page.formsets:
        before, after = shown.rows.get(formset.prefix, {}), now.rows[formset.prefix]
        sent, what = _sent_rows(formset, data), str(formset.model._meta.verbose_name).capitalize()
        for form in formset.initial_forms:
            pk = str(form.instance.pk)
            name = f"{what} {form.instance}"
            if pk in before:
                for each in _changed(form, before[pk], after[pk], data, sent.get(pk)):
                    yield Difference(f"{name}: {each.label}", each.before, each.now, each.is_kept)
            else:
                yield Difference(name, "", "Added")
        for pk, values in before.items():
            if pk not in after:
                yield Difference(f"{what} {values[_LABEL]}", values[_LABEL], "Deleted")


def _changed(
    form: forms.BaseForm, before: Values, now: Values, data: QueryDict, prefix: str | None
) -> Iterator[Difference]:
    for name, each in form.fields.items():
        if name not in before or name not in now or before[name] == now[name]:
            continue
        was, has = before[name], now[name]
        if isinstance(each, forms.ModelMultipleChoiceField):  # of which only what differs is worth reading
            was, has = ([pk for pk in one if pk not in other] for one, other in ((was, has), (has, was)))
        value = each.widget.value_from_datadict(data, {}, f"{prefix}{name}")
        is_kept = is_typed(form, name, before, data, prefix) and each.has_changed(now[name], value)
        label = str(each.label or name.replace("_", " ").capitalize())
        yield Difference(label, _words(each, was), _words(each, has), is_kept)


def _words(field: Any, value: Any) -> str:
    """Return a field's value as a person reads it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if value in (None, "", [], {}):
        return ""
    if isinstance(field, GroupedMultipleChoiceField):
        rows: Any = field.queryset
        chosen = [f"{field.group_of(each)}: {field.label_of(each)}" for each in rows.filter(pk__in=value)]
        return "\n".join(" ".join(strip_tags(each).split()) for each in chosen)
    if isinstance(field, JSONField):
        return str(field.prepare_value(value))
    if isinstance(field, forms.ChoiceField):  # of rows, too
        labels = {str(getattr(key, "value", key)): label for key, label in field.widget.choices}
        return str(labels.get(str(value), value))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
