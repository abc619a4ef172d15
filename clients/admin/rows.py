"""What the tables on an API's page have in common: its scopes, its roles, the claims of its tokens."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest


class RowForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row of a table; its fields have aria-labels, since only the column headings are visible."""

    fixed: tuple[str, ...] = ()  # fields that a saved row keeps

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        what = (str(self.instance) if self.instance.pk else "") or f"new {self.instance._meta.verbose_name}"
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label} of {what}"
        if self.instance.pk:
            for name in self.fixed:
                self.fields[name].disabled = True  # ignores a forged value


class RowFormSet(forms.models.BaseInlineFormSet):  # type: ignore[type-arg]
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget.attrs["aria-label"] = f"Delete {form.instance}"


class ApiRowInline(admin.TabularInline):  # type: ignore[type-arg]
    """A table of an API, with the permissions of the API."""

    formset = RowFormSet
    extra = 1
    ordering = ["id"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("clients.view_api")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("clients.change_api" if obj else "clients.add_api")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)

    has_delete_permission = has_change_permission
