"""The filters of a workspace's client list."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from clients import queries
from clients.models import Client
from clients.vocabulary import ClientKind, ClientState, LastUse


class FilterForm(forms.Form):
    """Filters and order of the list. A value that cannot be read filters nothing."""

    q = forms.CharField(required=False, max_length=100)
    state = forms.ChoiceField(required=False, choices=ClientState.choices)
    kind = forms.ChoiceField(required=False, choices=ClientKind.choices)
    used = forms.ChoiceField(required=False, choices=LastUse.choices)
    sort = forms.ChoiceField(
        required=False, choices=[(sign + name, label) for name, label in queries.SORTS.items() for sign in ("", "-")]
    )

    @property
    def selected(self) -> dict[str, str]:
        """Return the filters and the order that are set and readable."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    @property
    def filters(self) -> dict[str, str]:
        return {name: value for name, value in self.selected.items() if name != "sort"}

    def filtered(self, clients: QuerySet[Client]) -> QuerySet[Any]:
        """Return the clients filtered and ordered."""
        matching = queries.filter_clients(clients, self.filters)
        return queries.ordered(matching, self.selected.get("sort", "name"))
