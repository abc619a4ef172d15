"""Routes of directories below /admin/."""

from connections.api import directories
from consumers.rest.routes import route

DIRECTORY = "/admin/consumers/{consumer}/directory"

urlpatterns = [
    route(
        DIRECTORY,
        "directory",
        GET=directories.get_directory,
        POST=directories.create_directory,
        PUT=directories.set_directory,
        DELETE=directories.delete_directory,
    ),
    route(f"{DIRECTORY}/rotate", "rotate-directory-token", POST=directories.rotate_token),
    route(f"{DIRECTORY}/users", "directory-users", GET=directories.list_users),
    route(f"{DIRECTORY}/groups", "directory-groups", GET=directories.list_groups),
    route(f"{DIRECTORY}/groups/{{group_id}}", "directory-group", GET=directories.get_group, PUT=directories.set_group),
]
