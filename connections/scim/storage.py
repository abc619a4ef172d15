"""Where the service provider reads and writes: the rows of one directory, through the actions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet
from scim2_models import NotFoundException, PreconditionFailedException, Resource, ResourceType
from scim2_server.storage import ScimStorage, SearchPage

from connections.actions import directory_groups, directory_users
from connections.actions.directory_groups import Members
from connections.models import Directory, DirectoryGroup, DirectoryUser
from connections.scim import filters
from connections.scim.provider import MAX_RESULTS
from connections.scim.resources import group_resource, group_values, member_ids, user_resource, user_values
from consumers.audit import Actor
from core.db import rows

MAX_MEMBERS = 5000  # of all groups on one page, which holds fewer groups then


class DirectoryStorage(ScimStorage):
    """The people and groups of one directory. Writes are one after another: its row is locked."""

    def __init__(self, directory: Directory, actor: Actor, *, writes: bool) -> None:
        self.directory, self.actor, self.writes = directory, actor, writes

    @contextmanager
    def operation(self) -> Iterator[None]:
        if not self.writes:
            yield
            return
        with transaction.atomic():
            rows.lock(self.directory)
            yield

    # -- Reading ------------------------------------------------------------------------------------------------------

    def get(self, resource_type: ResourceType, resource_id: str, *, response_parameters: Any = None) -> Resource[Any]:
        row = self.row(resource_type, resource_id)
        if isinstance(row, DirectoryUser):
            return user_resource(row)
        return group_resource(row, with_members=_keeps(response_parameters, "members"))

    def row(self, resource_type: ResourceType, resource_id: str) -> Any:
        try:
            found = self._rows(resource_type).filter(pk=UUID(resource_id)).first()
        except ValueError:
            found = None
        if found is None:
            raise NotFoundException(detail=f"There is no {resource_type.name} with this id.")
        return found

    def search(self, resource_types: list[ResourceType], search_request: Any, *, position: Any = None) -> SearchPage:
        skip = max(0, (search_request.start_index or 1) - 1)
        room = MAX_RESULTS if search_request.count is None else min(MAX_RESULTS, max(0, search_request.count))
        total, found = 0, []
        for resource_type in resource_types:
            matching = self._rows(resource_type)
            if search_request.filter is not None:
                condition = filters.condition(search_request.filter.ast, str(resource_type.name))
                matching = matching.filter(pk__in=self._bare(resource_type).filter(condition).values("pk"))
            here = matching.count()
            if room and skip < total + here:
                start = max(0, skip - total)
                page = self._page(resource_type, matching[start : start + room], search_request)
                found += page
                room -= len(page)
            total += here
        return SearchPage(total, found)

    def _page(self, resource_type: ResourceType, page: QuerySet[Any], search_request: Any) -> list[Resource[Any]]:
        if resource_type.name == "User":
            return [user_resource(row) for row in page]
        if not _keeps(search_request, "members"):
            return [group_resource(row, with_members=False) for row in page]
        shown: list[UUID] = []
        members = 0
        for group in page.annotate(size=Count("members")):
            members += group.size
            if shown and members > MAX_MEMBERS:
                break
            shown.append(group.pk)
        whole = page.model.objects.filter(pk__in=shown).prefetch_related("members").order_by("created_at", "pk")
        return [group_resource(row, with_members=True) for row in whole]

    def _bare(self, resource_type: ResourceType) -> QuerySet[Any]:
        model = DirectoryUser if resource_type.name == "User" else DirectoryGroup
        return model.objects.filter(directory=self.directory).order_by()

    def _rows(self, resource_type: ResourceType) -> QuerySet[Any]:
        found = self._bare(resource_type).order_by("created_at", "pk").select_related("directory__consumer")
        return found.prefetch_related("groups") if resource_type.name == "User" else found

    # -- Writing ------------------------------------------------------------------------------------------------------

    def create(self, resource_type: ResourceType, resource: Any) -> Resource[Any]:
        if resource_type.name == "User":
            values = user_values(resource)
            return user_resource(directory_users.create_user(directory=self.directory, values=values, actor=self.actor))
        group = directory_groups.create_group(
            directory=self.directory,
            values=group_values(resource),
            members=member_ids(resource.members or []),
            actor=self.actor,
        )
        return group_resource(group, with_members=True)

    def update(
        self, resource_type: ResourceType, resource: Any, *, expected_version: str | None = None
    ) -> Resource[Any]:
        row = self._expected(resource_type, resource.id, expected_version)
        if resource_type.name == "Group":
            return group_resource(self.update_group(row, resource, Members()), with_members=False)
        values = user_values(resource, active=row.active)
        directory_users.update_user(user=row, values=values, actor=self.actor)
        return self.get(resource_type, resource.id)

    def update_group(self, row: DirectoryGroup, resource: Any, members: Members) -> DirectoryGroup:
        values = group_values(resource)
        return directory_groups.update_group(group=row, values=values, members=members, actor=self.actor)

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        row = self._expected(resource_type, resource_id, expected_version)
        if resource_type.name == "User":
            directory_users.delete_user(user=row, actor=self.actor)
        else:
            directory_groups.delete_group(group=row, actor=self.actor)

    def _expected(self, resource_type: ResourceType, resource_id: str, version: str | None) -> Any:
        row = self.row(resource_type, resource_id)
        if version is not None and version != f'W/"{row.version}"':
            raise PreconditionFailedException
        return row


def _keeps(parameters: Any, attribute: str) -> bool:
    """Say whether the response shows the attribute (RFC 7644 section 3.9)."""

    def names(paths: Any) -> set[str]:
        return {str(path).rpartition(":")[2].partition(".")[0].lower() for path in paths or ()}

    if parameters is None:
        return True
    if parameters.attributes:
        return attribute in names(parameters.attributes)
    whole = {str(path).rpartition(":")[2].lower() for path in parameters.excluded_attributes or ()}
    return attribute not in whole
