"""What a client's document holds: every field of the row has one place, and GET then PUT changes nothing."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.metadata import MODEL_NAMES, ClientMetadata, field_names
from clients.models import Client
from clients.policy import api_policy
from clients.schemas import MEMBERS, READ_ONLY, UNSUPPORTED, WRITABLE
from clients.vocabulary import LIFESPANS
from consumers.models import Event
from core.errors import Refusal
from tests.factories import ClientFactory
from tests.generated import examples

pytestmark = pytest.mark.django_db

# The 51 properties of Ory's client.
ORY = [
    "access_token_strategy",
    "backchannel_logout_uri",
    "client_id",
    "client_name",
    "client_secret",
    "client_uri",
    "created_at",
    "updated_at",
    "frontchannel_logout_uri",
    "jwks_uri",
    "logo_uri",
    "owner",
    "policy_uri",
    "registration_access_token",
    "registration_client_uri",
    "request_object_signing_alg",
    "scope",
    "sector_identifier_uri",
    "subject_type",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "tos_uri",
    "userinfo_signed_response_alg",
    "allowed_cors_origins",
    "audience",
    "contacts",
    "grant_types",
    "post_logout_redirect_uris",
    "redirect_uris",
    "request_uris",
    "response_types",
    "backchannel_logout_session_required",
    "frontchannel_logout_session_required",
    "skip_consent",
    "skip_logout_consent",
    "client_secret_expires_at",
    "jwks",
    "metadata",
    "authorization_code_grant_access_token_lifespan",
    "authorization_code_grant_id_token_lifespan",
    "authorization_code_grant_refresh_token_lifespan",
    "client_credentials_grant_access_token_lifespan",
    "implicit_grant_access_token_lifespan",
    "implicit_grant_id_token_lifespan",
    "jwt_bearer_grant_access_token_lifespan",
    "refresh_token_grant_access_token_lifespan",
    "refresh_token_grant_id_token_lifespan",
    "refresh_token_grant_refresh_token_lifespan",
    "device_authorization_grant_access_token_lifespan",
    "device_authorization_grant_id_token_lifespan",
    "device_authorization_grant_refresh_token_lifespan",
]

# -- The table: each field of the row is in exactly one of these ------------------------------------------------------

WRITTEN = {MODEL_NAMES.get(name, name) for name in field_names()}
SHOWN = {"client_id", "consumer", "created", "updated", "disabled_at", "last_used_at", "expires_at", "claims"}


def test_each_field_of_a_client_is_writable_shown_or_hidden():
    fields = {field.name for field in Client._meta.concrete_fields}
    hidden = fields - WRITTEN - SHOWN
    assert fields >= WRITTEN
    assert fields >= SHOWN
    assert hidden == HIDDEN, (
        "a new field: say in the API's schema and here whether programs write it, see it or neither"
    )
    assert not hidden & MEMBERS.keys()


HIDDEN = {
    "id",
    "user",  # who registered it stands in the activity
    "tokens_valid_after",
    "people_signed_out_at",
    "registration_source",  # of the toolkit
    "cimd_expires_at",  # of the toolkit
}


def test_each_property_of_orys_is_read_kept_and_given_back_or_refused():
    assert len(set(ORY)) == 51
    assert set(ORY) <= MEMBERS.keys()
    places = {"client_secret", *READ_ONLY, *WRITABLE, *UNSUPPORTED}
    assert set(ORY) <= places
    assert not set(UNSUPPORTED) & set(WRITABLE)
    assert not set(READ_ONLY) & set(WRITABLE)
    assert MEMBERS.keys() == places


# -- GET, then PUT ----------------------------------------------------------------------------------------------------

WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F, categories=["L", "N", "P"]), max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
URI = st.sampled_from(["", "https://www.example.com/a", "https://www.example.org/b?c=d"])
DRAWN = {
    "client_name": WORDS,
    "description": WORDS,
    "owner": WORDS,
    "contacts": st.lists(WORDS.filter(bool), max_size=3, unique=True).map(tuple),
    "client_uri": URI,
    "policy_uri": URI,
    "backchannel_logout_uri": URI,
    "metadata": st.dictionaries(WORDS, JSON, max_size=3),
    "software_id": WORDS,
    "default_max_age": st.none() | st.integers(0, 10**6),
    "refresh_token_grace": st.integers(0, 30),
    "require_auth_time": st.booleans(),
    "require_resource": st.booleans(),
    "dpop_bound_access_tokens": st.booleans(),
    "access_token_strategy": st.sampled_from(["jwt", "opaque"]),
    "userinfo_signed_response_alg": st.sampled_from(["", "RS256", "ES256"]),
    "lifespans": st.dictionaries(st.sampled_from(LIFESPANS[:-1]), st.integers(1, 10**7), max_size=4),
    "localized": st.dictionaries(st.sampled_from(["client_name#de", "client_name#fr-CA"]), WORDS.filter(bool)),
    "redirect_uris": st.just(("https://app.example.com/a",)),
    "scope": st.sampled_from([(), ("openid",), ("openid", "shipments:read"), ("offline_access", "profile", "openid")]),
}


@pytest.fixture
def program(alice, program_of):
    """Make one token for all examples of a test: a person holds only so many."""
    return program_of(alice)


@settings(max_examples=examples(40))
@given(drawn=st.fixed_dictionaries(DRAWN))
def test_put_of_what_get_returned_changes_nothing(drawn, acme, acme_access, program, monkeypatch):
    monkeypatch.setattr("consumers.rest.callers.PER_TOKEN", 100_000)
    client = ClientFactory.build(consumer=acme, template="web")
    wanted = ClientMetadata.of(client).replace(**drawn)
    try:
        api_policy(wanted, acme)
    except Refusal:
        return
    wanted.write_to(client)
    client.save()
    path = f"/admin/clients/{client.client_id}"
    before = program.get(path)
    changes = Event.objects.filter(name="client.updated").count()
    after = program.put(path, before.json())
    assert after.status_code == 200, after.text
    assert after.content == before.content
    client.refresh_from_db()
    assert ClientMetadata.of(client) == wanted
    assert Event.objects.filter(name="client.updated").count() == changes


def test_a_client_that_older_rules_let_in_can_still_be_put(service, alice, program_of):
    Client.objects.filter(pk=service.pk).update(redirect_uris=["http://old.example/x"], scopes=["gone:scope"])
    program, path = program_of(alice), f"/admin/clients/{service.client_id}"
    got = program.get(path).json()
    assert program.put(path, got).json() == got


@pytest.mark.parametrize("value", [None, "", [], {}], ids=str)
def test_empty_members_are_defaults(value, service, alice, program_of):
    program, path = program_of(alice), f"/admin/clients/{service.client_id}"
    got = program.get(path).json()
    kinds = {str: "string", list: "array", dict: "object"}
    for name, schema in MEMBERS.items():
        if name in ("grant_types", "scope", "client_id", "consumer", "client_name"):
            continue
        if value is None or kinds[type(value)] in schema["type"]:
            answer = program.put(path, got | {name: value})
            assert answer.status_code in (200, 429), f"{name}: {answer.text}"


@pytest.mark.parametrize(("name", "value"), [
    ("frontchannel_logout_uri", "https://app.example.com/out"),
    ("frontchannel_logout_session_required", True),
    ("request_uris", ["https://app.example.com/request"]),
    ("request_object_signing_alg", "ES256"),
    ("sector_identifier_uri", "https://app.example.com/sector"),
    ("subject_type", "pairwise"),
    ("implicit_grant_access_token_lifespan", "1h"),
    ("implicit_grant_id_token_lifespan", "1h"),
    ("jwt_bearer_grant_access_token_lifespan", "1h"),
    ("client_secret", "a secret of my own"),
    ("disabled", True),
    ("claims", {"admin": True}),
    ("expires_at", "2099-01-01T00:00:00Z"),
    ("client_secret_expires_at", 4070908800),
    ("skip_consent", True),
    ("skip_logout_consent", True),
    ("grant_types", ["implicit"]),
    ("grant_types", ["password"]),
    ("response_types", ["id_token"]),
    ("token_endpoint_auth_method", "client_secret_jwt"),
    ("client_credentials_grant_access_token_lifespan", "1.5s"),
    ("client_credentials_grant_access_token_lifespan", "soon"),
    ("client_credentials_grant_access_token_lifespan", "99999h"),
    ("jwks", {"keys": [{"kty": "oct", "k": "AAAA"}]}),
    ("jwks", {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}),
    ("jwks_uri", "https://10.0.0.1/jwks"),
    ("backchannel_logout_uri", "https://localhost.localdomain.internal/x"),
    ("logo_uri", "javascript:alert(1)"),
    ("tos_uri", "data:text/html,x"),
    ("audience", ["https://not.mine.example"]),
    ("refresh_token_grace", 31),
    ("scope", "everything"),
    ("client_nmae", "a slip"),
    ("owner", "x" * 201),
    ("contacts", ["a\u202eb"]),
    ("contacts", [" "]),
    ("client_name", " "),
    ("client_name#deu tsch", "Name"),
    ("owner#de", "Name"),
])  # fmt: skip
def test_what_means_nothing_here_is_refused_and_said(name, value, service, alice, program_of):
    program, path = program_of(alice), f"/admin/clients/{service.client_id}"
    got = program.get(path).json()
    answer = program.put(path, got | {name: value})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "invalid_client_metadata"
    assert json.loads(program.get(path).content) == got


@pytest.mark.parametrize("member", [{"disabled": True}, {"claims": {"a": 1}}, {"client_secret_expires_at": 5}])
def test_what_has_a_door_of_its_own_is_not_swallowed_when_a_client_is_made(member, alice, program_of):
    wanted = {"client_name": "New", "grant_types": ["client_credentials"]}
    answer = program_of(alice).post("/admin/clients", wanted | member)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert next(iter(member)) in answer.json()["error_description"]


def test_a_disabled_client_with_claims_and_an_end_round_trips(service, olga, program_of):
    program, path = program_of(olga), f"/admin/clients/{service.client_id}"
    program.put(f"{path}/claims", {"tier": "gold"})
    program.post(f"{path}/disable")
    Client.objects.filter(pk=service.pk).update(expires_at="2099-01-01T00:00:00.123456Z")
    got = program.get(path)
    assert (got.json()["disabled"], got.json()["claims"]) == (True, {"tier": "gold"})
    assert program.put(path, got.json()).content == got.content


def test_a_refusal_names_the_member_that_it_is_about(alice, program_of):
    wanted = {"client_name": "New", "grant_types": ["client_credentials"], "metadata": {"a": "x" * 20_000}}
    said = program_of(alice).post("/admin/clients", wanted).json()["error_description"]
    assert said.startswith("metadata: ")


def test_an_operator_trusts_a_client_and_its_manager_may_keep_that(service, olga, alice, program_of):
    operator, manager, path = program_of(olga), program_of(alice), f"/admin/clients/{service.client_id}"
    got = operator.get(path).json()
    assert operator.put(path, got | {"skip_consent": True}).json()["skip_consent"] is True
    assert manager.put(path, got | {"skip_consent": True, "owner": "Us"}).json()["owner"] == "Us"
    assert manager.put(path, got | {"skip_consent": False}).json()["skip_consent"] is False
    assert manager.put(path, got | {"skip_consent": True}).status_code == 400
