"""Clients that register themselves (RFC 7591)."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from clients.actions import registration as registration_actions
from clients.actions.apis import set_access
from clients.models import Client, InitialAccessToken, RegistrationAccessToken, Scope, SelfRegistration
from consumers.audit import SYSTEM
from consumers.models import Event
from tests.authority.conftest import Program, management_token

WANTED = {
    "client_name": "Tracker",
    "redirect_uris": ["https://app.example.com/signed-in"],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid shipments:read",
}


NAMED = ["openid", "profile", "shipments:read", "shipments:write"]


def initial_access_token(consumer, **limits):
    made = {"name": "CI", "expires_at": timezone.now() + timedelta(days=1), "max_uses": 2, "scopes": NAMED} | limits
    return registration_actions.create_initial_access_token(consumer=consumer, actor=SYSTEM, **made)[1]


@pytest.fixture
def token(acme, acme_access):
    return initial_access_token(acme)


def ask(client, document, token=None, method="post", path="/oauth2/register"):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = document if isinstance(document, str | bytes) else json.dumps(document)
    return client.generic(method.upper(), path, body, "application/json", headers=headers)


def assert_refused(answer, status, error):
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.json()["error_description"]
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.compliance("RFC 7591", "3.2.1")
def test_registered_client_is_told_when_its_secret_ends(client, token, acme):
    acme.secret_days = 30
    acme.save()
    told = ask(client, WANTED, token).json()
    (secret,) = Client.objects.get(client_id=told["client_id"]).secrets.all()
    assert told["client_secret_expires_at"] == int(secret.expires_at.timestamp())


@pytest.mark.compliance("OpenID Connect Registration", "2")
def test_userinfo_is_told_to_be_signed_where_it_is_alone(client, token):
    """Left out it is plain JSON; “none” would be a JWT that nobody signed."""
    assert "userinfo_signed_response_alg" not in ask(client, WANTED, token).json()
    signed = ask(client, WANTED | {"client_name": "Signed", "userinfo_signed_response_alg": "RS256"}, token)
    assert signed.json()["userinfo_signed_response_alg"] == "RS256"


@pytest.mark.compliance("RFC 7591", "3.2.1")
def test_registered_client_is_told_everything_once(client, token, acme):
    answer = ask(client, WANTED, token)
    assert answer.status_code == 201
    told = answer.json()
    assert told["client_id"].startswith("cl_")
    assert told["client_secret"].startswith("cdsk_")
    assert told["client_secret_expires_at"] == 0
    assert told["registration_access_token"].startswith("cdr_")
    assert told["registration_client_uri"].endswith(f"/oauth2/register/{told['client_id']}")
    assert {name: told[name] for name in WANTED} == WANTED
    row = Client.objects.get(client_id=told["client_id"])
    assert row.consumer == acme
    assert row.self_registration.method == "initial_access_token"
    assert Event.objects.filter(name="client.registered", target_id=str(row.pk)).exists()


@pytest.mark.compliance("RFC 7591", "3")
def test_registered_client_gets_tokens(client, token):
    told = ask(client, {"client_name": "Job", "grant_types": ["client_credentials"]}, token).json()
    assert told["scope"] == "shipments:read shipments:write"
    answer = Program(Client.objects.get(client_id=told["client_id"]), told["client_secret"]).token()
    assert answer.status_code == 200


@pytest.mark.compliance("RFC 7591", "2")
def test_members_that_nobody_knows_are_ignored(client, token):
    told = ask(client, WANTED | {"x_favourite_colour": "green"}, token)
    assert told.status_code == 201
    assert "x_favourite_colour" not in told.json()


@pytest.mark.parametrize("given", [None, "cdi_wrong", "cdp_wrong", "cdr_wrong", "eyJ.a.b", "x" * 5000, "ü"])
def test_without_a_good_token_nothing_is_registered(client, db, given):
    answer = ask(client, WANTED, given)
    assert answer.status_code in (401, 403)
    assert not Client.objects.exists()


@pytest.mark.compliance("RFC 7591", "3")
def test_token_is_spent_revoked_or_ended(client, acme, acme_access):
    once = initial_access_token(acme, max_uses=1)
    assert ask(client, WANTED, once).status_code == 201
    assert_refused(ask(client, WANTED, once), 401, "invalid_token")
    revoked = initial_access_token(acme)
    registration_actions.revoke_initial_access_token(
        token=InitialAccessToken.objects.order_by("-created_at").first(), actor=SYSTEM
    )
    assert_refused(ask(client, WANTED, revoked), 401, "invalid_token")
    ended = initial_access_token(acme)
    InitialAccessToken.objects.update(expires_at=timezone.now())
    assert_refused(ask(client, WANTED, ended), 401, "invalid_token")


def test_suspended_consumers_tokens_let_nobody_register(client, token, acme):
    acme.suspended_at = timezone.now()
    acme.save()
    assert_refused(ask(client, WANTED, token), 401, "invalid_token")


def test_refused_registration_spends_no_use(client, acme, acme_access):
    once = initial_access_token(acme, max_uses=1)
    assert_refused(ask(client, WANTED | {"redirect_uris": ["javascript:alert(1)"]}, once), 400, "invalid_redirect_uri")
    assert ask(client, WANTED, once).status_code == 201


def test_token_narrows_grants_and_scopes(client, acme, acme_access):
    narrow = initial_access_token(
        acme, grant_types=["authorization_code"], scopes=["openid", "shipments:read"], max_uses=None
    )
    code = WANTED | {"grant_types": ["authorization_code"]}
    assert_refused(ask(client, WANTED, narrow), 400, "invalid_client_metadata")
    assert_refused(ask(client, code | {"scope": "shipments:write"}, narrow), 400, "invalid_client_metadata")
    assert ask(client, code | {"scope": ""}, narrow).json()["scope"] == "openid shipments:read"


def test_token_gives_no_more_than_its_consumer_has(client, token):
    assert_refused(ask(client, WANTED | {"scope": "billing:write"}, token), 400, "invalid_client_metadata")


def test_clients_of_a_token_end_when_it_says(client, acme, acme_access):
    told = ask(client, WANTED, initial_access_token(acme, client_lifetime_days=7)).json()
    row = Client.objects.get(client_id=told["client_id"])
    assert timedelta(days=6) < row.expires_at - timezone.now() <= timedelta(days=7)


NOT_THEIRS = {
    "a secret": {"client_secret": "chosen-by-me"},
    "consent": {"skip_consent": True},
    "consent to sign out": {"skip_logout_consent": True},
    "our own data": {"metadata": {"trusted": True}},
    "the form of its tokens": {"access_token_strategy": "opaque"},
    "implicit": {"grant_types": ["implicit"], "response_types": ["token"]},
    "an audience": {"audience": ["https://billing.example"]},
}


@pytest.mark.parametrize("what", NOT_THEIRS)
def test_client_cannot_decide_what_is_not_its_to_decide(client, token, what):
    answer = ask(client, WANTED | NOT_THEIRS[what], token)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_client_metadata", "invalid_request")
    assert not Client.objects.exists()


BAD = {
    "no JSON": "{",
    "a list": "[]",
    "NUL": '{"client_name": "a\\u0000b"}',
    "half a surrogate pair": '{"client_name": "\\ud800"}',
    "a name twice": '{"client_name": "a", "client_name": "b"}',
    "NaN": '{"default_max_age": NaN}',
    "a number for a name": '{"client_name": 5}',
    "text for a list": '{"redirect_uris": "https://app.example.com/"}',
    "a hundred levels": '{"a":' * 100 + "1" + "}" * 100,
    "five thousand digits": '{"default_max_age": ' + "9" * 5000 + "}",
    "bytes that are no UTF-8": b'{"client_name": "\xff"}',
    "a space in a redirect URI": '{"redirect_uris": ["https://a.example/ https://b.example/"]}',
}


@pytest.mark.parametrize("what", BAD)
def test_bad_documents_are_refused_and_nothing_is_kept(client, token, what):
    answer = ask(client, BAD[what], token)
    assert answer.status_code == 400, answer.text
    assert not Client.objects.exists()
    assert InitialAccessToken.objects.get().use_count == 0


def test_only_json_is_read(client, token):
    answer = client.post("/oauth2/register", WANTED, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 415


WORKLOAD = {"environment_type": "production", "project": "billing", "deployment": "billing-production"}


def test_token_that_names_no_scopes_gives_none_of_any_api(client, acme, acme_access):
    bare = initial_access_token(acme, scopes=[])
    job = {"client_name": "Job", "grant_types": ["client_credentials"]}
    assert "scope" not in ask(client, job, bare).json()
    assert_refused(ask(client, job | {"scope": "shipments:read"}, bare), 400, "invalid_client_metadata")


def test_token_gives_the_management_api_s_scopes_only_where_they_are_named(client, acme, acme_access):
    set_access(consumer=acme, scopes={*Scope.objects.filter(value__startswith="clientdesk:")}, actor=SYSTEM)
    told = ask(
        client, {"client_name": "Job", "grant_types": ["client_credentials"]}, initial_access_token(acme, scopes=[])
    )
    assert "clientdesk:" not in told.json().get("scope", "")


def test_no_token_registers_a_workload(client, token):
    document = {"client_name": "Job", "grant_types": ["client_credentials"]} | WORKLOAD
    answer = ask(client, document, token)
    assert_refused(answer, 400, "invalid_client_metadata")
    assert "environment_type" in answer.json()["error_description"]


# -- Openly -----------------------------------------------------------------------------------------------------------


def test_registration_is_closed_until_an_operator_opens_it(client, acme, acme_access):
    assert_refused(ask(client, WANTED), 403, "access_denied")
    registration_actions.enable_open_registration(consumer=acme, actor=SYSTEM, scopes=NAMED, client_lifetime_days=30)
    told = ask(client, WANTED)
    assert told.status_code == 201
    assert SelfRegistration.objects.get().method == "open"
    registration_actions.disable_open_registration(actor=SYSTEM)
    assert_refused(ask(client, WANTED), 403, "access_denied")


def test_one_consumer_is_open_at_a_time(acme, globex, acme_access):
    registration_actions.enable_open_registration(consumer=acme, actor=SYSTEM)
    registration_actions.enable_open_registration(consumer=globex, actor=SYSTEM)
    assert not hasattr(type(acme).objects.get(pk=acme.pk), "open_registration")


def test_open_registration_is_rate_limited(client, acme, acme_access):
    registration_actions.enable_open_registration(consumer=acme, actor=SYSTEM, scopes=NAMED)
    for _ in range(20):
        assert ask(client, WANTED).status_code == 201
    answer = ask(client, WANTED)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0


def test_strangers_get_no_grant_and_no_scope_that_nobody_named(client, acme, acme_access):
    registration_actions.enable_open_registration(consumer=acme, actor=SYSTEM)
    for grant in ("client_credentials", "urn:ietf:params:oauth:grant-type:device_code"):
        answer = ask(client, {"client_name": "anon", "grant_types": [grant]})
        assert_refused(answer, 400, "invalid_client_metadata")
        assert "Use authorization_code, refresh_token." in answer.json()["error_description"]
    assert_refused(ask(client, WANTED), 400, "invalid_client_metadata")
    told = ask(client, WANTED | {"scope": ""}).json()
    assert told["scope"] == "openid profile email offline_access"
    own = f"/oauth2/register/{told['client_id']}"
    wider = {"redirect_uris": WANTED["redirect_uris"], "grant_types": ["authorization_code", "client_credentials"]}
    assert_refused(ask(client, wider, told["registration_access_token"], "put", own), 400, "invalid_client_metadata")


def test_strangers_get_the_grants_and_scopes_that_an_operator_named_but_no_workload(client, acme, acme_access):
    registration_actions.enable_open_registration(
        consumer=acme, actor=SYSTEM, grant_types=["client_credentials"], scopes=["shipments:read"]
    )
    job = {"client_name": "Job", "grant_types": ["client_credentials"]}
    assert ask(client, job).json()["scope"] == "shipments:read"
    assert_refused(ask(client, job | WORKLOAD), 400, "invalid_client_metadata")


def test_pages_of_any_origin_may_register(client, acme, acme_access):
    registration_actions.enable_open_registration(consumer=acme, actor=SYSTEM)
    preflight = client.options("/oauth2/register", headers={"Origin": "https://inspector.example"})
    assert preflight["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in preflight


# -- With a manager's token -------------------------------------------------------------------------------------------


def test_managers_token_registers_in_their_own_workspace_alone(client, manager_token, acme, globex, acme_access):
    assert ask(client, WANTED, manager_token).status_code == 201
    assert Client.objects.get().consumer == acme
    assert_refused(ask(client, WANTED | {"consumer": "globex"}, manager_token), 400, "invalid_request")


@pytest.mark.compliance("RFC 6750", "3.1")
def test_management_token_without_the_scope_or_the_right_is_forbidden(client, alice, bob, acme, acme_access):
    narrowed = management_token(alice, scopes=["clients:read"])
    answer = ask(client, WANTED, narrowed)
    assert_refused(answer, 403, "insufficient_scope")
    assert 'error="insufficient_scope"' in answer["WWW-Authenticate"]
    assert_refused(ask(client, WANTED, management_token(bob)), 403, "access_denied")


# -- At rest ----------------------------------------------------------------------------------------------------------


def test_tokens_rest_as_digests(client, token):
    told = ask(client, WANTED, token).json()
    for row in (InitialAccessToken.objects.get(), RegistrationAccessToken.objects.get()):
        kept = json.dumps([str(value) for value in vars(row).values()])
        assert token not in kept
        assert told["registration_access_token"] not in kept
