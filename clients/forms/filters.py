"""Which clients a person wants to see."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from clients import queries
from clients.models import Client


class FilterForm(forms.Form):
    """Which clients to list. What cannot be read filters nothing."""

    q = forms.CharField(required=False, max_length=100)
    state = forms.ChoiceField(required=False, choices=list(queries.STATES.items()))
    kind = forms.ChoiceField(required=False, choices=list(queries.KINDS.items()))
    used = forms.ChoiceField(required=False, choices=list(queries.USED.items()))
    sort = forms.ChoiceField(
        required=False, choices=[(sign + name, label) for name, label in queries.SORTS.items() for sign in ("", "-")]
    )

    @property
    def wanted(self) -> dict[str, str]:
        """Return the filters that are set and readable."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name, value in self.wanted.items() if name != "sort"}

    def find(self, clients: QuerySet[Client]) -> QuerySet[Any]:
        wanted = self.wanted
        found = queries.search(queries.with_state(clients), wanted.get("q", ""))
        if "state" in wanted:
            found = found.filter(state=wanted["state"])
        if "kind" in wanted:
            found = queries.of_kind(found, wanted["kind"])
        if "used" in wanted:
            found = queries.used(found, wanted["used"])
        return queries.in_order(found, wanted.get("sort", "name"))
