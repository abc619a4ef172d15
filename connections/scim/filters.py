"""Filters of searches (RFC 7644 section 3.4.2.2) as conditions of the database, which answers each from its indexes.

What has no column is refused as `invalidFilter`, so that no search reads everything.
"""

import re
from typing import Any
from uuid import UUID

from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from scim2_models import InvalidFilterException
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

MAX_LENGTH = 2000  # characters
# What Entra sends where an address matches people; the grammar of section 3.4.2.2 says the same otherwise.
OF_ENTRA = re.compile(r'emails\[type eq ("[^"\\]*")\]\.value eq ("[^"\\]*")', re.IGNORECASE)
MAX_TERMS = 50
NOTHING = Q(pk__in=[])
# By the attribute in lower case: the column, and whether it compares letters exactly (RFC 7643 section 7).
TEXTS = {
    "User": {
        "username": ("user_name", False),
        "externalid": ("external_id", True),
        "displayname": ("display_name", False),
        "name.formatted": ("formatted_name", False),
        "name.givenname": ("given_name", False),
        "name.familyname": ("family_name", False),
    },
    "Group": {"displayname": ("display_name", False), "externalid": ("external_id", True)},
}
MOMENTS = {"meta.created": "created_at", "meta.lastmodified": "modified_at"}
# Multi-valued attributes: the condition that holds of rows with such a value, and that has any.
EMAILS = "emails"
RELATIONS = {"User": {"groups": "groups"}, "Group": {"members": "members"}}
LOOKUPS = {
    CompareOperator.co: "contains",
    CompareOperator.sw: "startswith",
    CompareOperator.ew: "endswith",
    CompareOperator.gt: "gt",
    CompareOperator.ge: "gte",
    CompareOperator.lt: "lt",
    CompareOperator.le: "lte",
}


def to_the_letter(text: str) -> str:
    """Return a filter as the grammar has it."""
    found = OF_ENTRA.fullmatch(text.strip())
    return f"emails[type eq {found[1]} and value eq {found[2]}]" if found else text


def condition(node: FilterNode, resource_type: str) -> Q:
    """Return the condition of a parsed filter. Raises InvalidFilterException."""
    if _count(node) > MAX_TERMS:
        raise InvalidFilterException(detail=f"A filter has at most {MAX_TERMS} terms.")
    return _Conditions(resource_type).visit(node)


def _count(node: FilterNode) -> int:
    """Count the terms; the parser bounds how deep they nest."""
    if isinstance(node, LogicalExpr):
        return sum(map(_count, node.terms))
    if isinstance(node, Not):
        return _count(node.expr)
    return 1 + _count(node.val_filter) if isinstance(node, ValuePath) else 1


class _Conditions(FilterVisitor[Q]):
    def __init__(self, resource_type: str) -> None:
        self.resource_type = resource_type

    def visit_logical_expr(self, node: LogicalExpr) -> Q:
        terms = [self.visit(term) for term in node.terms]
        return Q(*terms, _connector=Q.AND if node.op == LogicalOperator.and_ else Q.OR)

    def visit_not(self, node: Not) -> Q:
        return ~self.visit(node.expr)

    def visit_present(self, node: Present) -> Q:
        name = _name(node.attr_path)
        if name in TEXTS[self.resource_type]:
            return ~Q(**{TEXTS[self.resource_type][name][0]: ""})
        if name.startswith(EMAILS) and self.resource_type == "User":
            return ~Q(searched_emails=[])
        relation = RELATIONS[self.resource_type].get(name.partition(".")[0])
        if relation:
            return Q(**{f"{relation}__isnull": False})
        if name in {"id", "active", *MOMENTS}:
            return Q()
        raise _unsupported(node)

    def visit_comparison(self, node: Comparison) -> Q:
        name, value = _name(node.attr_path), node.value
        if node.op == CompareOperator.ne:
            same = Comparison(node.attr_path, CompareOperator.eq, value)
            return ~self.visit_comparison(same)
        if isinstance(value, str) and "\0" in value:
            return NOTHING  # which PostgreSQL refuses, and no value holds
        if name in TEXTS[self.resource_type]:
            return _text(node, *TEXTS[self.resource_type][name])
        if name in MOMENTS:
            return _moment(node, MOMENTS[name])
        return self._equal(node, name, value)

    def _equal(self, node: Comparison, name: str, value: Any) -> Q:
        if node.op != CompareOperator.eq:
            raise _unsupported(node)
        if name == "id":
            return _identifier("pk", value)
        if name == "active" and self.resource_type == "User":
            return Q(active=_boolean(node))
        head, _, part = name.partition(".")
        if head == EMAILS and self.resource_type == "User":
            return Q(searched_emails__contains=[{part or "value": _searched(value)}])
        relation = RELATIONS[self.resource_type].get(head)
        if relation and part in ("", "value"):
            return _identifier(f"{relation}__pk", value)
        raise _unsupported(node)

    def visit_value_path(self, node: ValuePath) -> Q:
        """Return the condition of one value that is all this, such as emails[type eq "work" and value eq "a@b"]."""
        head, inner = _name(node.attr_path), node.val_filter
        terms = inner.terms if isinstance(inner, LogicalExpr) and inner.op == LogicalOperator.and_ else (inner,)
        wanted: dict[str, Any] = {}
        for term in terms:
            if not isinstance(term, Comparison) or term.op != CompareOperator.eq:
                raise _unsupported(node)
            wanted[_name(term.attr_path)] = term.value
        if any(isinstance(value, str) and "\0" in value for value in wanted.values()):
            return NOTHING
        if head == EMAILS and self.resource_type == "User":
            return Q(searched_emails__contains=[{name: _searched(value) for name, value in wanted.items()}])
        relation = RELATIONS[self.resource_type].get(head)
        if relation and wanted.keys() == {"value"}:
            return _identifier(f"{relation}__pk", wanted["value"])
        raise _unsupported(node)


def _name(path: AttrPath) -> str:
    """Return the attribute in lower case, without its schema (RFC 7644 section 3.10)."""
    return f"{path.attr}.{path.sub_attr}".lower() if path.sub_attr else path.attr.lower()


def _text(node: Comparison, column: str, exact: bool) -> Q:
    if node.value is None:
        return Q(**{column: ""}) if node.op == CompareOperator.eq else NOTHING
    if not isinstance(node.value, str):
        raise _unsupported(node)
    if node.op == CompareOperator.eq:
        return Q(**{column: node.value}) if exact else Q(Exact(Lower(column), Lower(Value(node.value))))
    lookup = LOOKUPS[node.op]
    insensitive = "" if exact or lookup in ("gt", "gte", "lt", "lte") else "i"
    return Q(**{f"{column}__{insensitive}{lookup}": node.value})


def _moment(node: Comparison, column: str) -> Q:
    try:
        moment = parse_datetime(node.value) if isinstance(node.value, str) else node.value
    except ValueError:
        moment = None
    if moment is None or not hasattr(moment, "tzinfo"):
        raise InvalidFilterException(detail="Compare a moment with a date and time, such as 2026-01-31T12:00:00Z.")
    moment = moment if moment.tzinfo else timezone.make_aware(moment)
    lookup = "exact" if node.op == CompareOperator.eq else LOOKUPS[node.op]
    if lookup in ("contains", "startswith", "endswith"):
        raise _unsupported(node)
    return Q(**{f"{column}__{lookup}": moment})


def _identifier(column: str, value: Any) -> Q:
    try:
        return Q(**{column: UUID(str(value))})
    except ValueError:
        return NOTHING


def _boolean(node: Comparison) -> bool:
    """Return the value; Entra writes booleans as strings."""
    if isinstance(node.value, bool):
        return node.value
    if str(node.value).lower() in ("true", "false"):
        return str(node.value).lower() == "true"
    raise _unsupported(node)


def _searched(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _unsupported(node: FilterNode) -> InvalidFilterException:
    return InvalidFilterException(detail=f"This filter is not supported here: {str(node)[:200]}")
