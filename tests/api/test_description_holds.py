"""Requests that are generated from the description, over HTTP: every answer is a described one, and none is a fault."""

import uuid
from datetime import timedelta

import pytest
import schemathesis
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from clients.actions.apis import set_access
from clients.actions.clients import register_client
from clients.metadata import TEMPLATES
from clients.models import Scope
from clients.policy import portal_policy
from consumers.actions.consumers import create_consumer
from consumers.actions.personal_tokens import create_token
from consumers.audit import SYSTEM
from consumers.models import Membership
from consumers.scopes import MANAGEMENT_SCOPES
from portal.api.openapi import operations
from tests.factories import UserFactory
from tests.generated import examples

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 4  # of each operation


@pytest.fixture(scope="session")
def description(server):
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json", timeout=120)


@pytest.fixture
def place(server):
    """A workspace that no other test touches, with a client, its secret, and a token of its manager's."""
    name = uuid.uuid4().hex[:12]
    with server.database():
        consumer = create_consumer(actor=SYSTEM, name=f"Generated {name}", slug=name)
        set_access(consumer=consumer, scopes=Scope.objects.filter(value="shipments:read"), actor=SYSTEM)
        manager = UserFactory(name="Generator", email=f"{name}@generated.example")
        Membership.objects.create(consumer=consumer, user=manager)
        client, _ = register_client(
            consumer=consumer,
            metadata=TEMPLATES["service"].replace(client_name=name, scope=("shipments:read",)),
            policy=portal_policy,
            actor=SYSTEM,
        )
        _, token = create_token(
            user=manager,
            name="Generator",
            scopes=MANAGEMENT_SCOPES,
            expires_at=timezone.now() + timedelta(days=1),
            actor=SYSTEM,
        )
        ids = {"consumer": name, "client_id": client.client_id, "secret_id": str(client.secrets.get().pk)}
    return token, ids


@pytest.mark.parametrize(
    ("template", "method", "operation"), [pytest.param(*each, id=each[2].id) for each in operations()]
)
def test_every_answer_is_a_described_one(template, method, operation, description, place):
    token, ids = place
    described = description[template][method]
    cases = described.as_strategy()
    if operation.body is not None:
        cases |= described.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @settings(max_examples=examples(EXAMPLES), phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def ask(case):
        case.path_parameters = {name: ids.get(name, value) for name, value in (case.path_parameters or {}).items()}
        case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"}, timeout=120)

    ask()
