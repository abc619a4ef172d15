"""The directory of a consumer (/admin/consumers/{consumer}/directory), and the roles of its groups."""

from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables

from connections.actions import directories as directory_actions
from connections.models import Directory, DirectoryGroup, DirectoryUser, GroupRole
from consumers.models import Consumer, Role
from consumers.rest.lookups import consumer_in_path, find_by_uuid
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.limits import length_schema
from core.rest.errors import NotFound
from core.rest.paging import PAGING, paginate

ABOUT: dict[str, Any] = {"tag": "Directories", "model": "connections.directory"}
READ = ABOUT | {"scope": "consumers:read", "refusals": (403, 404)}
CHANGE = ABOUT | {"scope": "consumers:write", "action": "change", "refusals": (403, 404, 409, 412)}
TEXT: dict[str, Any] = {"type": "string"}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
DIRECTORY: dict[str, Any] = {
    "title": "Directory",
    "type": "object",
    "required": ["name"],
    "properties": {
        "id": TEXT | {"format": "uuid"},
        "name": TEXT | length_schema(Directory, "name") | {"minLength": 1, "description": "As people read it."},
        "default_role": TEXT
        | {"enum": list(Role.values), "description": "Of whoever no group gives a higher one; viewer at first."},
        "base_url": TEXT | {"description": "What its administrators enter there."},
        "hint": TEXT | {"description": "The last characters of the token."},
        "people": {"type": "integer", "description": "Who is active there."},
        "pending": {"type": "integer", "description": "Who of them is invited, and has not joined."},
        "created_at": MOMENT,
        "rotated_at": MOMENT,
        "last_used_at": MOMENT,
        "token": TEXT | {"description": "In the answer that made it alone."},
    },
    "additionalProperties": False,
}
GROUP: dict[str, Any] = {
    "title": "DirectoryGroup",
    "type": "object",
    "required": ["role"],
    "properties": {
        "id": TEXT | {"format": "uuid"},
        "name": TEXT,
        "role": TEXT | {"enum": list(GroupRole.values), "description": "What it makes its members."},
        "members": {"type": "integer"},
    },
    "additionalProperties": False,
}
PERSON: dict[str, Any] = {
    "title": "DirectoryUser",
    "type": "object",
    "properties": {
        "id": TEXT | {"format": "uuid"},
        "user_name": TEXT,
        "name": TEXT,
        "email": TEXT,
        "state": TEXT | {"enum": ["member", "invited", "no_address", "off"]},
    },
    "additionalProperties": False,
}


def _document(directory: Directory) -> dict[str, Any]:
    active = directory.users.filter(active=True)
    shown = ("id", "name", "default_role", "hint", "created_at", "rotated_at", "last_used_at")
    return {name: getattr(directory, name) for name in shown} | {
        "base_url": f"{settings.PUBLIC_URL}/scim/v2/{directory.consumer.slug}",
        "people": active.count(),
        "pending": directory.users.pending().count(),
    }


def _group_document(group: Any) -> dict[str, Any]:
    return {"id": group.pk, "name": group.display_name, "role": group.role, "members": group.members.count()}


def _person_document(user: DirectoryUser) -> dict[str, Any]:
    return {"id": user.pk, "user_name": user.user_name, "name": user.name, "email": user.email, "state": user.state}


def _consumer(call: ApiRequest, name: str) -> Consumer:
    """Return the consumer, for operators: a directory makes and ends accounts."""
    call.require_operator()
    return consumer_in_path(call, name)


def _find(call: ApiRequest, name: str) -> Directory:
    consumer = _consumer(call, name)
    rows: QuerySet[Directory] = call.locked(Directory.objects.filter(consumer=consumer))
    found = rows.first()
    if found is None:
        raise NotFound
    return found


@operation(id="getDirectory", summary="Read the directory of a consumer", answers={200: DIRECTORY}, **READ)
def get_directory(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this."""
    return json_response(_document(_find(call, consumer)))


@operation(
    id="createDirectory",
    summary="Let a directory keep the people of a consumer",
    body=DIRECTORY,
    answers={201: DIRECTORY},
    example={"name": "Acme directory", "default_role": "viewer"},
    **CHANGE | {"action": "add", "refusals": (403, 404, 409)},
)
@sensitive_variables("text")
def create_directory(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this. The answer alone holds the token."""
    owner, sent = _consumer(call, consumer), call.body
    row = Directory(consumer=owner, name=sent["name"], default_role=sent.get("default_role", Role.VIEWER))
    directory, text = directory_actions.create_directory(directory=row, actor=call.caller.actor)
    location = f"/admin/consumers/{owner.slug}/directory"
    return json_response(_document(directory), 201, {"Location": location}, once={"token": text})


@operation(
    id="setDirectory",
    summary="Change the directory of a consumer",
    body=DIRECTORY,
    answers={200: DIRECTORY},
    example={"name": "Acme Entra ID", "default_role": "viewer"},
    **CHANGE,
)
def set_directory(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this. Everything but the name and the role is ignored."""
    values = {"name": call.body["name"], "default_role": call.body.get("default_role", Role.VIEWER)}
    found = _find(call, consumer)
    directory = directory_actions.update_directory(directory=found, values=values, actor=call.caller.actor)
    return json_response(_document(directory))


@operation(
    id="deleteDirectory",
    summary="Delete the directory of a consumer",
    answers={204: "Deleted, with its token. Its members stay."},
    **CHANGE | {"action": "delete"},
)
def delete_directory(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this. Its members are kept by people from then on."""
    directory_actions.delete_directory(directory=_find(call, consumer), actor=call.caller.actor)
    return no_content()


@operation(
    id="rotateDirectoryToken",
    summary="Replace the token of a directory",
    answers={200: DIRECTORY},
    **CHANGE | {"refusals": (403, 404, 409)},
)
@sensitive_variables("text")
def rotate_token(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this. The answer alone holds the new token; the one before ends at once."""
    found = _find(call, consumer)
    directory, text = directory_actions.rotate_token(directory=found, actor=call.caller.actor)
    return json_response(_document(directory), once={"token": text})


@operation(
    id="listDirectoryUsers",
    summary="List the people of a directory",
    query=PAGING,
    answers={200: {"type": "array", "items": PERSON}},
    **READ,
)
def list_users(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this."""
    found = _find(call, consumer).users.select_related("invitation").order_by("pk")
    rows, headers = paginate(call.request, found, call.query, whose=call.token_key)
    return json_response([_person_document(user) for user in rows], headers=headers)


@operation(
    id="listDirectoryGroups",
    summary="List the groups of a directory",
    answers={200: {"type": "array", "items": GROUP}},
    **READ,
)
def list_groups(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this."""
    groups = _find(call, consumer).groups.annotate(size=Count("members"))
    return json_response([_group_document(group) | {"members": group.size} for group in groups])


@operation(id="getDirectoryGroup", summary="Read a group of a directory", answers={200: GROUP}, **READ)
def get_group(call: ApiRequest, consumer: str, group_id: str) -> HttpResponse:
    """Operators do this."""
    return json_response(_group_document(_find_group(call, consumer, group_id)))


@operation(
    id="setDirectoryGroup",
    summary="Set the role that a group gives",
    body=GROUP,
    answers={200: GROUP},
    example={"role": "manager"},
    **CHANGE,
)
def set_group(call: ApiRequest, consumer: str, group_id: str) -> HttpResponse:
    """Operators do this. Everything but the role is ignored; of several groups the highest role counts."""
    found = _find_group(call, consumer, group_id)
    group = directory_actions.set_group_role(group=found, role=call.body["role"], actor=call.caller.actor)
    return json_response(_group_document(group))


def _find_group(call: ApiRequest, consumer: str, group_id: str) -> DirectoryGroup:
    # The action locks the directory first, then the group.
    groups: QuerySet[DirectoryGroup] = _find(call, consumer).groups.select_related("directory__consumer")
    return find_by_uuid(groups, group_id)
