"""Limits of numbers and texts are the same at every door: REST, the operators' forms, and the actions."""

from datetime import timedelta

import pytest
from django.forms import modelform_factory
from django.utils import timezone

from clients.actions import apis as api_actions
from clients.actions import registration as registration_actions
from clients.actions import secret_policy
from clients.actions import trust as trust_actions
from clients.models import Api, DocumentHost, OpenRegistration, Scope, SoftwareIssuer, TrustedIssuer
from connections.actions import connections as connection_actions
from connections.models import Connection
from consumers.actions import consumers as consumer_actions
from consumers.audit import SYSTEM
from consumers.models import Consumer
from core.errors import Refusal
from tests.factories import ClientFactory

pytestmark = pytest.mark.django_db

DAYS = (1, 3650)
SECONDS = (60, 2**31 - 1)
CONNECTION = {"name": "One", "slug": "one", "issuer": "https://one.example", "client_id": "us"}
KEYS = {"jwks_uri": "https://keys.example.com/jwks.json"}


def consumer_action(acme, **values):
    consumer_actions.update_consumer(consumer=acme, actor=SYSTEM, change=lambda _: values)


def rules_action(acme, days):
    secret_policy.set_secret_policy(consumer=acme, allowed=True, days=days, actor=SYSTEM)


def initial_token_action(acme, **values):
    values = {"name": "Builds"} | values
    end = timezone.now() + timedelta(days=1)
    registration_actions.create_initial_access_token(consumer=acme, expires_at=end, actor=SYSTEM, **values)


def open_action(acme, **values):
    registration_actions.enable_open_registration(consumer=acme, actor=SYSTEM, **values)


def api_action(acme, **values):
    api_actions.create_api(api=Api(**{"identifier": "https://one.example", "name": "One"} | values), actor=SYSTEM)


def scope_action(acme, **values):
    scope = Scope(**{"value": "one:read", "name": "Read"} | values)
    api_actions.create_api(api=Api(identifier="https://one.example", name="One"), scopes=[scope], actor=SYSTEM)


def issuer_action(acme, **values):
    fields = {"name": "One", "platform": "oidc", "issuer": "https://one.example"} | values
    trust_actions.create_issuer(issuer=TrustedIssuer(**fields), actor=SYSTEM)


def publisher_action(acme, **values):
    source = SoftwareIssuer(**{"issuer": "https://one.example"} | KEYS | values)
    registration_actions.save_metadata_source(source=source, actor=SYSTEM)


def host_action(acme, **values):
    registration_actions.save_metadata_source(
        source=DocumentHost(**{"host": "one.example", "consumer": acme} | values), actor=SYSTEM
    )


def connection_action(acme, **values):
    connection_actions.create_connection(connection=Connection(**CONNECTION | values), actor=SYSTEM)


def over(prefix, most):
    """Return texts of the longest length and of one character more, which begin so."""
    return prefix + "x" * (most - len(prefix)), prefix + "x" * (most - len(prefix) + 1)


def put(path, body):
    return lambda program, values: program.put(path, body | values)


def post(path, body):
    return lambda program, values: program.post(path, body | values)


ACME = put("/admin/consumers/acme", {"name": "Acme Logistics", "slug": "acme"})
END = (timezone.now() + timedelta(days=1)).isoformat()
TOKEN = post("/admin/consumers/acme/initial-access-tokens", {"name": "Builds", "expires_at": END})
OPEN = put("/admin/registration", {"consumer": "acme"})
API = post("/admin/apis", {"identifier": "https://one.example", "name": "One"})
ISSUER = post("/admin/trusted-issuers", {"name": "One", "platform": "oidc", "issuer": "https://one.example"})
PUBLISHER = post("/admin/registration/software-issuers", {"issuer": "https://one.example"} | KEYS)
HOST = post("/admin/registration/document-hosts", {"host": "one.example", "consumer": "acme"})

CONNECT = post("/admin/connections", CONNECTION)


def scope_request(program, values):
    scope = {"value": "one:read", "name": "Read"} | values
    return program.post("/admin/apis", {"identifier": "https://one.example", "name": "One", "scopes": [scope]})


# Request, action, model, member (and its field where that is called otherwise), what is allowed, what is not.
NUMBERS = [
    (ACME, consumer_action, Consumer, "access_token_lifetime", "", SECONDS),
    (ACME, consumer_action, Consumer, "refresh_token_lifetime", "", SECONDS),
    (ACME, consumer_action, Consumer, "max_clients", "", (1, 1_000_000)),
    (ACME, consumer_action, Consumer, "test_token_lifetime", "", (0, 30 * 24 * 3600)),
    (
        put("/admin/consumers/acme/secret-policy", {"allowed": True}),
        rules_action,
        Consumer,
        "days",
        "secret_days",
        DAYS,
    ),
    (TOKEN, initial_token_action, DocumentHost, "client_lifetime_days", "", DAYS),
    (TOKEN, initial_token_action, None, "max_uses", "", (1, 100_000)),
    (OPEN, open_action, OpenRegistration, "client_lifetime_days", "", DAYS),
    (OPEN, open_action, OpenRegistration, "idle_days", "", DAYS),
    (OPEN, open_action, OpenRegistration, "max_clients", "", (1, 1_000_000)),
    (HOST, host_action, DocumentHost, "client_lifetime_days", "", DAYS),
    (API, api_action, Api, "access_token_lifetime", "", SECONDS),
    (API, api_action, Api, "refresh_token_lifetime", "", SECONDS),
    (CONNECT, connection_action, Connection, "max_age", "", (60, 30 * 24 * 3600)),
]
TEXTS = [
    (ACME, consumer_action, Consumer, "name", "", over("", 100)),
    (ACME, consumer_action, Consumer, "slug", "", over("", 50)),
    (ACME, consumer_action, Consumer, "external_id", "", over("", 200)),
    (TOKEN, initial_token_action, None, "name", "", over("", 60)),
    (API, api_action, Api, "identifier", "", over("https://one.example/", 200)),
    (API, api_action, Api, "name", "", over("", 100)),
    (API, api_action, Api, "description", "", over("", 300)),
    (scope_request, scope_action, Scope, "value", "", over("one:", 100)),
    (scope_request, scope_action, Scope, "name", "", over("", 100)),
    (scope_request, scope_action, Scope, "description", "", over("", 300)),
    (ISSUER, issuer_action, TrustedIssuer, "name", "", over("", 100)),
    (ISSUER, issuer_action, TrustedIssuer, "issuer", "", over("https://one.example/", 300)),
    (ISSUER, issuer_action, TrustedIssuer, "jwks_uri", "", over("https://one.example/", 500)),
    (PUBLISHER, publisher_action, SoftwareIssuer, "issuer", "", over("https://one.example/", 500)),
    (PUBLISHER, publisher_action, SoftwareIssuer, "jwks_uri", "", over("https://one.example/", 500)),
    (HOST, host_action, DocumentHost, "host", "", over("", 253)),
    (CONNECT, connection_action, Connection, "name", "", over("", 60)),
    (CONNECT, connection_action, Connection, "slug", "", over("", 50)),
    (CONNECT, connection_action, Connection, "issuer", "", over("https://one.example/", 200)),
    (CONNECT, connection_action, Connection, "client_id", "", over("", 255)),
    (CONNECT, connection_action, Connection, "groups_claim", "", over("", 100)),
]
BOUNDS = [
    *((*row[:5], (least, most), (least - 1, most + 1)) for *row, (least, most) in NUMBERS),
    *((*row[:5], (good,), (bad,)) for *row, (good, bad) in TEXTS),
]


@pytest.mark.parametrize(
    ("send", "action", "model", "member", "column", "allowed", "refused"),
    BOUNDS,
    ids=[f"{row[1].__name__}-{row[3]}" for row in BOUNDS],
)
def test_a_limit_is_the_same_at_every_door(
    send, action, model, member, column, allowed, refused, acme, olga, program_of
):
    program = program_of(olga)
    for value in refused:
        answer = send(program, {member: value})
        assert answer.status_code == 400, (value, answer.text)
        assert member in answer.json()["error_description"]
        with pytest.raises(Refusal):
            action(Consumer.objects.get(pk=acme.pk), **{member: value})
    acme.refresh_from_db()
    # The operators' form judges by the model's field.
    if model is not None:
        form = modelform_factory(model, fields=[column or member])
        assert [bool(form({column or member: value}).errors) for value in refused] == [True] * len(refused)
        assert [bool(form({column or member: value}).errors) for value in allowed] == [False] * len(allowed)
    for value in allowed:
        Api.objects.filter(identifier__startswith="https://one.example").delete()
        TrustedIssuer.objects.all().delete()
        DocumentHost.objects.all().delete()
        Connection.objects.all().delete()
        answer = send(program, {member: value})
        assert answer.status_code in (200, 201), (value, answer.text)
        assert not member.endswith(("_lifetime", "_days")) or answer.json()[member] == value
    Consumer.objects.filter(pk=acme.pk).update(slug="acme")


def test_a_consumer_that_makes_no_test_tokens_can_be_put_back_and_patched(acme, olga, program_of):
    acme.test_token_lifetime = 0
    acme.save()
    program = program_of(olga)
    before = program.get("/admin/consumers/acme").json()
    assert before["test_token_lifetime"] == 0
    assert program.put("/admin/consumers/acme", before).json() == before
    patched = program.patch("/admin/consumers/acme", [{"op": "add", "path": "/metadata/plan", "value": "gold"}])
    assert (patched.status_code, patched.json()["metadata"]) == (200, {"plan": "gold"})


def test_an_api_has_at_most_two_hundred_scopes(api, olga, program_of):
    made = [Scope(api=api, value=f"many:{number}", name="Many") for number in range(198)]
    Scope.objects.bulk_create(made)
    with pytest.raises(Refusal, match="at most 200"):
        api_actions.update_api(api=api, values={}, scopes=[Scope(value="one:more", name="More")], actor=SYSTEM)
    sent = {"identifier": api.identifier, "name": api.name}
    sent["scopes"] = [{"value": f"many:{number}", "name": "Many"} for number in range(201)]
    assert program_of(olga).put(f"/admin/apis/{api.pk}", sent).status_code == 400


def test_an_api_has_at_most_fifty_resource_servers(api, service, olga, program_of):
    path = f"/admin/apis/{api.pk}/resource-servers"
    assert program_of(olga).put(path, {"clients": ["cl_1"] * 51}).status_code == 400
    many = [ClientFactory(consumer=service.consumer) for _ in range(51)]
    with pytest.raises(Refusal, match="at most 50"):
        api_actions.set_resource_servers(api=api, clients=many, actor=SYSTEM)
