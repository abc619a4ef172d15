"""The protocol of RFC 7644 over one directory: scim2-server's, with our limits and our way with groups."""

from http import HTTPStatus
from typing import Any

from scim2_models import (
    Context,
    InvalidPathException,
    InvalidSyntaxException,
    InvalidValueException,
    PatchOp,
    PayloadTooLargeException,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
)
from scim2_server.conditions import Conditions
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.service import ScimService

from connections.actions.directory_groups import Members
from connections.actions.directory_users import Taken
from connections.scim import filters, group_patches
from connections.scim.provider import MAX_RESULTS, provider
from connections.scim.resources import group_resource, member_ids
from connections.scim.storage import DirectoryStorage
from core import foreign_json
from core.errors import Conflict, Refusal
from core.foreign_json import Fault, InvalidJSON

MAX_BYTES = 256 * 1024
# Values in the body of one person, so that nothing is compared with everything; a group's members are counted apart.
MAX_VALUES = 1000
MAX_TEXT = 4000  # characters of a query parameter, or of a value
# Operations of a PATCH, and characters of a path: a filter in it is parsed, and compared with each value, every time.
MAX_OPERATIONS, MAX_PATH = {True: 1000, False: 100}, {True: 120, False: 300}  # of a group, and of a person
NAMES = {"user_name": "userName", "display_name": "displayName", "external_id": "externalId"}


class Service(ScimService):
    def read_search(self, resource_types: list[ResourceType], payload: Any) -> tuple[Any, Any]:
        if isinstance(payload, dict) and isinstance(payload.get("filter"), str):
            payload = payload | {"filter": filters.to_the_letter(payload["filter"])}
        return super().read_search(resource_types, payload)

    def patch_response(
        self, base_url: str, resource: Resource[Any], response_parameters: ResponseParameters[Any]
    ) -> ScimResponse:
        """Return a person as they are now, which Okta expects, and of a group nothing (section 3.5.2)."""
        if self.get_resource_type_of(resource).name == "Group":
            return super().patch_response(base_url, resource, response_parameters)
        return self.resource_response(
            self.publish(base_url, resource), Context.RESOURCE_REPLACEMENT_RESPONSE, response_parameters
        )


class Handler(ScimHandler):
    """Changes members of groups by what comes and goes, without loading them."""

    storage: DirectoryStorage

    def patch_resource(
        self, resource_type: ResourceType, resource_id: str, patch_op: "PatchOp[Any]", conditions: Conditions
    ) -> Resource[Any]:
        if resource_type.name != "Group":
            return super().patch_resource(resource_type, resource_id, patch_op, conditions)
        row = self.storage.row(resource_type, resource_id)
        current = group_resource(row, with_members=False)
        self.service.check_preconditions(current, "PATCH", conditions)
        others, members = group_patches.split(patch_op)
        if others is not None:
            others.patch(current)
        return group_resource(self.storage.update_group(row, current, members), with_members=True)

    def replace_resource(
        self, resource_type: ResourceType, current: Any, replacement: Any, conditions: Conditions
    ) -> Resource[Any]:
        if resource_type.name != "Group":
            return super().replace_resource(resource_type, current, replacement, conditions)
        row = self.storage.row(resource_type, current.id)
        bare = group_resource(row, with_members=False)
        only = None if replacement.members is None else member_ids(replacement.members)
        replacement.members = None
        self.service.apply_replacement(bare, replacement, conditions)
        return group_resource(self.storage.update_group(row, replacement, Members(only=only)), with_members=True)


def respond(storage: DirectoryStorage, request: ScimRequest) -> ScimResponse:
    """Answer a request of the directory; whatever is wrong with it is an error of RFC 7644 section 3.12."""
    service = Service(provider())
    try:
        _judge(request)
        response = Handler(service, storage).handle(request)
    except SCIMException as error:
        response = service.error_response(error)
    except Refusal as refusal:
        response = service.error_response(as_scim(refusal))
        if (seconds := getattr(refusal, "seconds", None)) is not None:
            response.headers["Retry-After"] = str(seconds)
    except RecursionError:
        response = service.error_response(InvalidSyntaxException(detail="Nest less deeply."))
    return response


def error(status: int, detail: str) -> ScimResponse:
    """Return an error of the door itself."""
    failure = SCIMException(detail=detail)
    failure.status = status
    return Service(provider()).error_response(failure)


def as_scim(refusal: Refusal) -> SCIMException:
    """Return what a rule of ours refuses, with the scimType of section 3.12."""
    detail = refusal.description
    if refusal.field in NAMES and NAMES[refusal.field] not in detail:
        detail = f"{NAMES[refusal.field]}: {detail}"
    failure = SCIMException(detail=detail)
    failure.status = refusal.status
    if isinstance(refusal, Taken) or (isinstance(refusal, Conflict) and refusal.field == "emails"):
        failure.scim_type = "uniqueness"
    elif refusal.status == HTTPStatus.BAD_REQUEST:
        failure.scim_type = "invalidValue"
    return failure


def _judge(request: ScimRequest) -> None:
    """Bound what the library reads, before it does. Raises SCIMException."""
    for name, value in dict(request.query).items():
        if len(value) > (filters.MAX_LENGTH if name.lower() == "filter" else MAX_TEXT):
            raise InvalidValueException(detail=f"{name} is too long.")
        if name.lower() in ("startindex", "count") and len(value) > 10:
            raise InvalidValueException(detail=f"{name} is too large.")
    if not request.body:
        return
    try:
        value = foreign_json.loads(request.body, max_bytes=MAX_BYTES)
    except InvalidJSON as invalid:
        if invalid.fault is Fault.TOO_LARGE:
            raise PayloadTooLargeException(detail=f"Send at most {MAX_BYTES:,} bytes.") from None
        raise InvalidSyntaxException(detail=f"The body is no JSON that we read: {invalid.fault}.") from None
    is_group = request.path.strip("/").lower().startswith("groups")
    _judge_values(value, filters.MAX_LENGTH if request.path.endswith(".search") else MAX_TEXT, is_group)


def _judge_values(value: Any, longest: int, is_group: bool) -> None:
    count, level = 0, [value]
    while level:
        below: list[Any] = []
        for each in level:
            count += 1
            if isinstance(each, dict):
                below += [*each, *each.values()]
                _judge_operations(each, is_group)
            elif isinstance(each, list):
                below += each
            elif isinstance(each, str) and len(each) > longest:
                raise InvalidValueException(detail=f"A value has at most {longest:,} characters.")
            elif isinstance(each, int) and abs(each) > 2**31:
                raise InvalidValueException(detail="A number is too large.")
        level = below
    if count > MAX_VALUES and not is_group:
        raise PayloadTooLargeException(detail=f"Send at most {MAX_VALUES:,} values about a person.")


def _judge_operations(value: dict[str, Any], is_group: bool) -> None:
    for name, part in value.items():
        if name.lower() == "operations" and isinstance(part, list) and len(part) > MAX_OPERATIONS[is_group]:
            raise PayloadTooLargeException(detail=f"Send at most {MAX_OPERATIONS[is_group]:,} operations.")
        if name.lower() == "path" and isinstance(part, str) and len(part) > MAX_PATH[is_group]:
            raise InvalidPathException(detail=f"A path has at most {MAX_PATH[is_group]} characters here.")


__all__ = ["MAX_BYTES", "MAX_RESULTS", "error", "respond"]
