"""The form of a person's roles in the APIs of a workspace."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django import forms

from clients.forms.base import Form
from clients.models import Api, ApiRole, RoleGrant
from clients.vocabulary import RoleSource
from consumers.models import Membership


@dataclass(frozen=True)
class RoleChoice:
    """A role as the page shows it: whether the person has it, from whom, and whether a manager may change that."""

    role: ApiRole
    is_held: bool
    is_fixed: bool
    given_by: str  # who else gave it, or nothing


class MemberRolesForm(Form):
    """Which of the roles that managers give the person has."""

    roles = forms.ModelMultipleChoiceField(
        ApiRole.objects.none(), required=False, error_messages={"invalid_choice": "One of these roles is gone."}
    )

    def __init__(self, *args: Any, membership: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.membership = membership
        consumer = membership.consumer
        offered = ApiRole.objects.filter(api__scopes__access__consumer=consumer).select_related("api").distinct()
        self.offered = list(offered.order_by("api__name", "api_id", "id"))
        held = RoleGrant.objects.at(consumer).filter(user=membership.user_id).select_related("role")
        self.grants = list(held)
        mine = {grant.role_id for grant in self.grants if grant.source == RoleSource.MANAGER}
        self.others = {grant.role_id: grant for grant in self.grants if grant.source != RoleSource.MANAGER}
        may = {role.pk for role in self.offered if role.managers_may_give or role.pk in mine}
        self.own = may - self.others.keys()  # what a manager may change here
        roles: Any = self.fields["roles"]
        roles.queryset = ApiRole.objects.filter(pk__in=self.own).select_related("api")
        roles.initial = [role.pk for role in self.offered if role.pk in mine]

    @property
    def choices(self) -> Iterator[tuple[Api, list[RoleChoice]]]:
        """Yield each API with its roles."""
        chosen = {str(getattr(pk, "pk", pk)) for pk in self["roles"].value() or []}
        for api, roles in groupby(self.offered, key=lambda role: role.api):
            yield api, [self._choice(role, chosen) for role in roles]

    def _choice(self, role: ApiRole, chosen: Collection[str]) -> RoleChoice:
        other = self.others.get(role.pk)
        is_held = other is not None or str(role.pk) in chosen
        return RoleChoice(role, is_held, role.pk not in self.own, GIVEN_BY[other.source] if other else "")

    @property
    def chosen(self) -> Iterator[tuple[Api, list[ApiRole]]]:
        """Yield each API with the roles that the person should have in it from managers; what is fixed stays."""
        wanted = {role.pk for role in self.cleaned_data["roles"]}
        kept = {grant.role_id for grant in self.grants if grant.source == RoleSource.MANAGER} - self.own
        for api, roles in groupby(self.offered, key=lambda role: role.api):
            yield api, [role for role in roles if role.pk in wanted | kept]


GIVEN_BY: dict[str, str] = {
    RoleSource.OPERATOR: "Given by the operator.",
    RoleSource.CONNECTION: "Comes with a group of their sign-in.",
    RoleSource.LOGIN: "Comes with their sign-in.",
}
