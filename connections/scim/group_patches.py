"""PATCH of a group's members (RFC 7644 section 3.5.2), as what comes and what goes.

The members are not loaded for it: a group has thousands, and a directory sends one operation for each.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from scim2_models import InvalidPathException, NoTargetException, PatchOp
from scim2_models.path import AttrPath, CompareOperator, Comparison, ValuePath

from connections.actions.directory_groups import Members
from connections.scim.provider import Group
from connections.scim.resources import member_ids

MEMBERS = "members"


@dataclass
class _Change:
    only: set[UUID] | None = None
    added: set[UUID] = field(default_factory=set)
    removed: set[UUID] = field(default_factory=set)

    def add(self, members: frozenset[UUID]) -> None:
        self.added |= members
        self.removed -= members

    def remove(self, members: frozenset[UUID]) -> None:
        self.removed |= members
        self.added -= members

    def replace(self, members: frozenset[UUID]) -> None:
        self.only, self.added, self.removed = set(members), set(), set()


def split(patch: "PatchOp[Group]") -> tuple["PatchOp[Group] | None", Members]:
    """Return the operations that are not about members, if any, and what the others do, in their order.

    Raises InvalidPathException and InvalidValueException.
    """
    change, others = _Change(), []
    for operation in patch.operations or []:
        if operation.path is None:
            value = operation.value if isinstance(operation.value, dict) else {}
            about = [key for key in value if _attribute(key) == MEMBERS]
            for key in about:
                _apply(change, operation.op, value[key])
            rest = {key: value[key] for key in value if key not in about}
            if rest or not about:
                others.append(operation.model_copy(update={"value": rest or operation.value}))
        elif (node := operation.path.ast) is not None and _attribute(_head(node)) == MEMBERS:
            _apply_at(change, node, operation)
        else:
            others.append(operation)
    only = None if change.only is None else frozenset(change.only)
    members = Members(only=only, added=frozenset(change.added), removed=frozenset(change.removed))
    return (patch.model_copy(update={"operations": others}) if others else None), members


def _apply(change: _Change, operation: str, value: Any) -> None:
    members = member_ids(value if value is not None else [])
    if operation == "add":
        change.add(members)
    elif operation == "replace":
        change.replace(members)
    else:
        change.remove(members)


def _apply_at(change: _Change, node: Any, operation: Any) -> None:
    if isinstance(node, AttrPath) and not node.sub_attr:
        if operation.op == "remove" and operation.value in (None, []):
            change.replace(frozenset())
        else:
            _apply(change, operation.op, operation.value)
        return
    if isinstance(node, ValuePath) and not node.sub_attr and operation.op == "remove":
        inner = node.val_filter
        if isinstance(inner, Comparison) and inner.op == CompareOperator.eq and inner.attr_path.attr.lower() == "value":
            change.remove(member_ids([inner.value]))
            return
    if operation.op == "replace" and isinstance(node, ValuePath):
        raise NoTargetException(detail="Members are added and removed, and never changed.")
    raise InvalidPathException(detail='Name members by "members", or members[value eq "…"].')


def _head(node: Any) -> str:
    path = node if isinstance(node, AttrPath) else node.attr_path
    return str(path.attr)


def _attribute(name: str) -> str:
    return name.rpartition(":")[2].partition(".")[0].partition("[")[0].lower()
