"""Routes of the management API below /admin/: connections, their domains, who joins by them, and directories."""

from connections.api import connections, directories, domains, joining_rules
from consumers.rest.routes import route

CONNECTION = "/admin/connections/{connection}"
DOMAIN = f"{CONNECTION}/domains/{{domain}}"
RULES = "/admin/consumers/{consumer}/joining-rules"
DIRECTORY = "/admin/consumers/{consumer}/directory"

urlpatterns = [
    route("/admin/connection-presets", "connection-presets", GET=connections.list_presets),
    route("/admin/connections", "connections", GET=connections.list_connections, POST=connections.create_connection),
    route(
        CONNECTION,
        "connection",
        GET=connections.get_connection,
        PUT=connections.set_connection,
        PATCH=connections.patch_connection,
        DELETE=connections.delete_connection,
    ),
    route(f"{CONNECTION}/domains", "connection-domains", GET=domains.list_domains, POST=domains.add_domain),
    route(f"{DOMAIN}/check", "check-domain", POST=domains.check_domain),
    route(f"{DOMAIN}/verify", "verify-domain", POST=domains.verify_domain),
    route(DOMAIN, "connection-domain", GET=domains.get_domain, DELETE=domains.remove_domain),
    route(RULES, "joining-rules", GET=joining_rules.list_rules, POST=joining_rules.create_rule),
    route(f"{RULES}/{{rule_id}}", "joining-rule", GET=joining_rules.get_rule, DELETE=joining_rules.delete_rule),
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
