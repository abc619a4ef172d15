"""Who may sign in to apps that use an API: members of its document (/admin/apis)."""

from collections.abc import Iterable
from typing import Any

from clients.actions.sign_in_rules import FIELDS, set_sign_in
from clients.models import Api, SignInBy
from clients.policy.sign_ins import ADDRESSES, LONGEST, MAX_CONNECTIONS, SHORTEST
from connections.models import Connection
from consumers.audit import Actor
from consumers.rest.lookups import find_by_uuid
from core.limits import length_schema
from core.rest.errors import InvalidRequest, NotFound

CONNECTIONS = "sign_in_connections"
_ADDRESS = {
    "login_url": "Where people are sent with login_challenge, for own_login.",
    "consent_url": "Where they are sent with consent_challenge; empty keeps the portal's page.",
    "logout_url": "Where they are sent with logout_challenge; empty keeps the portal's page.",
}
MEMBERS: dict[str, Any] = {
    "sign_in": {
        "type": "string",
        "enum": list(SignInBy.values),
        "description": "Who may sign in to apps that ask for its scopes: members of the client's consumer, people of "
        "chosen connections too, or whom your own login names.",
    },
    CONNECTIONS: {
        "type": "array",
        "items": {"type": "string"},
        "maxItems": MAX_CONNECTIONS,
        "description": "Short names of connections, or their IDs, whose people sign in.",
    },
    "reauthenticate_after": {
        "type": ["integer", "null"],
        "minimum": SHORTEST,
        "maximum": LONGEST,
        "description": "Seconds after which people sign in again before an app gets tokens; null never asks.",
    },
    "requires_two_factors": {"type": "boolean", "description": "Whether people need two factors."},
    "asks_consent_each_time": {"type": "boolean", "description": "Whether consent is asked for each time."},
    **{name: length_schema(Api, name) | {"type": "string", "description": _ADDRESS[name]} for name in ADDRESSES},
}


def sign_in_document(api: Api) -> dict[str, Any]:
    shown = {name: getattr(api, name) for name in FIELDS}
    return shown | {CONNECTIONS: sorted(each.slug for each in api.sign_in_connections.all())}


def apply_sign_in(api: Api, sent: dict[str, Any], actor: Actor) -> Api:
    """Set what the document says of who may sign in; what it leaves out stays as it is."""
    values = {name: sent[name] for name in FIELDS if name in sent}
    chosen = connections_named(sent[CONNECTIONS]) if CONNECTIONS in sent else None
    return set_sign_in(api=api, values=values, connections=chosen, actor=actor)


def connections_named(names: Iterable[str], field: str = CONNECTIONS) -> list[Connection]:
    """Return the connections of these short names or IDs. Raises InvalidRequest for one that there is not."""
    names = set(names)
    by_slug = {each.slug: each for each in Connection.objects.filter(slug__in=names)}
    found = []
    for name in sorted(names):
        try:
            found.append(by_slug.get(name) or find_by_uuid(Connection.objects.all(), name))
        except NotFound:
            raise InvalidRequest(f"There is no connection {name[:100]!a}.", field=field) from None
    return found
