import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from connections.actions.directories import create_directory
from connections.models import Connection, Directory, Domain
from consumers.audit import SYSTEM
from tests.authority.conftest import web  # noqa: F401  # a fixture

MEDIA_TYPE = "application/scim+json"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


@dataclass
class Provisioner:
    """An identity provider that provisions people: it sends SCIM with the token of a directory."""

    directory: Directory
    token: str

    def send(self, method: str, path: str, body: Any = None, slug: str | None = None, **headers: str) -> Any:
        answer = Client().generic(
            method,
            f"/scim/v2/{slug or self.directory.consumer.slug}{path}",
            body if isinstance(body, (str, bytes)) else json.dumps(body) if body is not None else "",
            content_type=MEDIA_TYPE,
            headers={"Authorization": f"Bearer {self.token}"}
            | {name.replace("_", "-"): headers[name] for name in headers},
        )
        assert answer.status_code < 500 or answer.status_code == 501, answer.content
        return answer

    def get(self, path: str, **query: Any) -> Any:
        from urllib.parse import urlencode

        return self.send("GET", f"{path}?{urlencode(query)}" if query else path)

    def create(self, email: str = "dora@acme.example", **more: Any) -> dict[str, Any]:
        body = {"schemas": [USER], "userName": email, "active": True} | more
        answer = self.send("POST", "/Users", body)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def create_group(self, name: str, *members: dict[str, Any]) -> dict[str, Any]:
        body = {"schemas": [GROUP], "displayName": name, "members": [{"value": each["id"]} for each in members]}
        answer = self.send("POST", "/Groups", body)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> Any:
        return self.send("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)

    def switch(self, user: dict[str, Any], active: bool) -> Any:
        return self.patch(f"/Users/{user['id']}", {"op": "replace", "value": {"active": active}})


def trust(consumer, *domains):
    """Let a connection that names the consumer be trusted for the domains."""
    made = Connection.objects.create(
        name=f"{consumer} Okta", slug=f"{consumer.slug}-okta", issuer=f"https://{consumer.slug}.example", client_id="c"
    )
    made.consumers.add(consumer)
    for name in domains:
        Domain.objects.create(connection=made, name=name, challenge="c", verified_at=timezone.now())
    return made


def direct(consumer, **fields) -> Provisioner:
    row = Directory(consumer=consumer, name=f"{consumer.name} directory", **fields)
    return Provisioner(*create_directory(directory=row, actor=SYSTEM))


@pytest.fixture
def scim(acme):
    """The directory of Acme, which speaks for acme.example."""
    trust(acme, "acme.example")
    return direct(acme)
