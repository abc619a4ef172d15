"""People and groups of a directory as resources of SCIM, and what a resource says as values of the columns."""

from typing import Any
from uuid import UUID

from scim2_models import InvalidValueException, Meta, Reference

from connections.models import DirectoryGroup, DirectoryUser
from connections.scim.provider import Email, Group, GroupMember, GroupMembership, Name, User


def user_resource(row: DirectoryUser) -> User:
    name = {
        "formatted": row.formatted_name or None,
        "given_name": row.given_name or None,
        "family_name": row.family_name or None,
    }
    groups = [
        GroupMembership(value=str(group.pk), ref=Reference(f"Groups/{group.pk}"), display=group.display_name)
        for group in row.groups.all()
    ]
    return User(
        id=str(row.pk),
        external_id=row.external_id or None,
        meta=_meta(row, "User"),
        user_name=row.user_name,
        name=Name(**name) if any(name.values()) else None,
        display_name=row.display_name or None,
        active=row.active,
        emails=[Email(**each) for each in row.emails] or None,
        groups=groups or None,
    )


def user_values(resource: User, *, active: bool = True) -> dict[str, object]:
    """Return the columns that the resource says; `active` is what a person is where it does not say."""
    name = resource.name or Name()
    emails = [each.model_dump() for each in resource.emails or []]
    return {
        "external_id": resource.external_id or "",
        "user_name": resource.user_name or "",
        "active": active if resource.active is None else resource.active,
        "display_name": resource.display_name or "",
        "formatted_name": name.formatted or "",
        "given_name": name.given_name or "",
        "family_name": name.family_name or "",
        "emails": [found for each in emails if (found := {key: each[key] for key in each if each[key] is not None})],
    }


def group_resource(row: DirectoryGroup, *, with_members: bool) -> Group:
    members = row.members.all() if with_members else ()
    return Group(
        id=str(row.pk),
        external_id=row.external_id or None,
        meta=_meta(row, "Group"),
        display_name=row.display_name,
        members=[
            GroupMember(value=str(member.pk), ref=Reference(f"Users/{member.pk}"), type=GroupMember.Type.user)
            for member in members
        ]
        or None,
    )


def group_values(resource: Group) -> dict[str, object]:
    return {"external_id": resource.external_id or "", "display_name": resource.display_name or ""}


def member_ids(values: Any) -> frozenset[UUID]:
    """Return the identifiers of members, as a resource or an operation holds them. Raises InvalidValueException."""
    found = set()
    for each in values if isinstance(values, list) else [values]:
        text = each.get("value") if isinstance(each, dict) else getattr(each, "value", each)
        try:
            found.add(UUID(str(text)))
        except ValueError:
            raise InvalidValueException(detail="A member is named by the id of a person of this directory.") from None
    return frozenset(found)


def _meta(row: DirectoryUser | DirectoryGroup, resource_type: str) -> Meta:
    return Meta(
        resource_type=resource_type,
        created=row.created_at,
        last_modified=row.modified_at,
        version=f'W/"{row.version}"',
    )
