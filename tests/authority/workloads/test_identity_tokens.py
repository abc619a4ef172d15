"""Identity tokens of workloads: what they say, who gets one, and that they are no access tokens of ours."""

import threading

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from authority.keys import signing_keys, workload_issuer
from authority.models import RevokedToken, SigningKey, WorkloadIssuer
from authority.telemetry import last_used
from authority.workloads import identity_tokens
from clients.actions import clients as client_actions
from clients.models import Workload
from tests.authority.workload import BACKEND, WorkloadProgram, own_token, parts
from tests.factories import actor_for

pytestmark = pytest.mark.django_db


# -- What a token says ------------------------------------------------------------------------------------------------


def test_token_says_which_deployment_of_which_account_it_is(deployed):
    answer = deployed.identity().json()
    header, claims = parts(answer["id_token"])
    assert header == {"typ": "JWT", "alg": "RS256", "kid": SigningKey.objects.get(purpose="workloads").kid}
    assert header["kid"].startswith("atky_")
    assert claims == {
        "account": "acme",
        "project": "billing",
        "deployment": "billing-production",
        "environment_type": "production",
        "iss": f"{settings.PUBLIC_URL}/v1/client-auth/{WorkloadIssuer.objects.get().name}",
        "sub": deployed.client.workload.subject,
        "aud": BACKEND,
        "iat": claims["iat"],
        "exp": claims["iat"] + 36000,
        "jti": claims["jti"],
    }
    assert claims["sub"].startswith("atcl_")
    assert answer["expires_in"] == 36000
    assert parts(deployed.identity().json()["id_token"])[1]["jti"] != claims["jti"]


def test_token_is_for_the_audience_that_was_asked_for(deployed):
    _, claims = parts(deployed.identity(audience="sts.amazonaws.com").json()["id_token"])
    assert claims["aud"] == "sts.amazonaws.com"


def test_no_access_token_is_for_an_audience_of_identity_tokens(deployed):
    """Whoever accepts our access tokens by name alone, without being registered here, is not open to every tenant."""
    assert deployed.identity(audience=BACKEND).status_code == 200
    answer = deployed.token(resource=BACKEND)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


def test_audience_that_is_not_on_the_list_is_refused(deployed):
    for audience in ("https://elsewhere.example", BACKEND + "/", BACKEND.upper(), "sts.amazonaws.com*"):
        answer = deployed.identity(audience=audience)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


def test_without_a_list_the_token_is_for_the_client_itself(deployed):
    deployed.client.identity_token_audience = []
    deployed.client.save()
    assert parts(deployed.identity().json()["id_token"])[1]["aud"] == deployed.client.client_id
    assert deployed.identity(audience=BACKEND).status_code == 400


def test_lifetime_can_be_set_down(deployed):
    deployed.client.lifespans = {"identity_token_lifespan": 900}
    deployed.client.save()
    answer = deployed.identity().json()
    _, claims = parts(answer["id_token"])
    assert claims["exp"] - claims["iat"] == answer["expires_in"] == 900


# -- Who gets one -----------------------------------------------------------------------------------------------------


def test_secret_in_the_body_works_for_who_registered_that(deployed):
    deployed.client.token_endpoint_auth_method = "client_secret_post"
    deployed.client.save()
    form = {"client_id": deployed.client.client_id, "client_secret": deployed.secret}
    deployed.secret = None
    assert deployed.identity(**form).status_code == 200


def test_client_that_is_no_workload_gets_none(program):
    deployed = WorkloadProgram(program.client, program.secret)
    for answer in (deployed.identity(), deployed.ask()):
        assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


def test_wrong_secret_gets_none(deployed):
    deployed.secret = "cdsk_wrong"
    for answer in (deployed.identity(), deployed.ask()):
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer["WWW-Authenticate"].startswith("Basic")


def test_disabled_client_gets_none(deployed, alice):
    bearer = f"Bearer {own_token(deployed)}"
    client_actions.disable_client(client=deployed.client, actor=actor_for(alice))
    for answer in (deployed.identity(), deployed.ask(), deployed.ask(Authorization=bearer)):
        assert answer.status_code == 401
    client_actions.enable_client(client=deployed.client, actor=actor_for(alice))
    assert deployed.identity().status_code == 200


def test_client_of_a_suspended_consumer_gets_none(deployed, acme):
    acme.suspended_at = timezone.now()
    acme.save()
    assert deployed.identity().status_code == 401
    assert deployed.ask().status_code == 401


def test_use_of_the_secret_is_recorded(deployed):
    deployed.identity()
    last_used.flush()
    assert deployed.client.secrets.get().last_used_at is not None


def test_credentials_in_the_address_are_refused(deployed):
    deployed_query = {"client_id": deployed.client.client_id, "client_secret": deployed.secret}
    answer = deployed.http.get(deployed.at("identity-token"), deployed_query)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert deployed.secret not in answer.text
    answer = deployed.post(deployed.at("token") + "?audience=x", {})
    assert answer.status_code == 400


# -- The shape that URL-sourced credentials read ----------------------------------------------------------------------


def test_identity_token_is_text_unless_json_is_asked_for(deployed):
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "text/plain"}):
        answer = deployed.ask({"audience": BACKEND}, **headers)
        assert answer["Content-Type"] == "text/plain"
        assert identity_tokens.read_identity_token(answer.text)["aud"] == BACKEND
        assert answer["Cache-Control"] == "no-store"
    for query, headers in (({"format": "json"}, {}), ({}, {"Accept": "application/json"})):
        answer = deployed.ask(query, **headers).json()
        assert identity_tokens.read_identity_token(answer["id_token"])["aud"] == BACKEND


@pytest.mark.parametrize(
    "query", ["audience=a&audience=b", "audience=%00", "format=xml", "scope=x", "audience=" + "x" * 5000]
)
def test_bad_questions_are_refused_in_json(deployed, query):
    answer = deployed.http.get(f"{deployed.at('identity-token')}?{query}", headers=deployed.authorization)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_request", "invalid_target")


# -- Two issuers ------------------------------------------------------------------------------------------------------


def test_workload_issuer_publishes_its_own_documents(deployed):
    issuer = workload_issuer.issuer()
    answer = deployed.http.get(deployed.at("discovery"))
    document = answer.json()
    assert document["issuer"] == issuer
    assert document["jwks_uri"] == f"{issuer}/.well-known/jwks.json"
    assert document["token_endpoint"] == f"{issuer}/token"
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]
    jwks = deployed.http.get(deployed.at("jwks"))
    usual = deployed.http.get("/.well-known/jwks.json")["Cache-Control"]
    for each in (answer, jwks):
        assert each["Access-Control-Allow-Origin"] == "*"
        assert each["Cache-Control"] == usual
        assert each["ETag"]
    assert [key["alg"] for key in jwks.json()["keys"]] == ["RS256"]


def test_no_key_is_published_by_both_issuers(deployed):
    deployed.identity()
    theirs = {key["kid"] for key in deployed.http.get(deployed.at("jwks")).json()["keys"]}
    ours = {key["kid"] for key in deployed.http.get("/.well-known/jwks.json").json()["keys"]}
    assert theirs
    assert ours
    assert not theirs & ours


def test_identity_token_is_no_access_token_at_any_endpoint_of_ours(deployed):
    identity = deployed.identity().json()["id_token"]
    http, bearer = deployed.http, {"Authorization": f"Bearer {identity}"}
    assert http.get("/oauth2/userinfo", headers=bearer).status_code == 401
    assert deployed.introspect(identity) == {"active": False}
    assert deployed.revoke(identity).status_code == 200
    assert not RevokedToken.objects.exists()
    assert deployed.ask(Authorization=f"Bearer {identity}").status_code == 401
    assert http.get("/oauth2/logout", {"id_token_hint": identity}).status_code == 400
    assertion = {
        "client_assertion": identity,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "grant_type": "client_credentials",
        "client_id": deployed.client.client_id,
    }
    anonymous = WorkloadProgram(deployed.client)
    assert anonymous.token(**assertion).json()["error"] in ("invalid_request", "invalid_client")
    del assertion["client_id"]
    assert anonymous.token(**assertion).json()["error"] == "invalid_client"
    assert anonymous.identity(**assertion).json()["error"] == "invalid_client"
    refresh = {"grant_type": "refresh_token", "refresh_token": identity}
    assert deployed.post("/oauth2/token", refresh).status_code == 400


def test_access_and_id_tokens_are_no_identity_tokens(deployed, flow):
    issued = flow.tokens()
    for token in (own_token(deployed), issued["access_token"], issued["id_token"]):
        assert identity_tokens.read_identity_token(token) is None
    assert identity_tokens.read_identity_token(deployed.identity().json()["id_token"])


def test_key_of_one_issuer_signs_nothing_for_the_other(deployed):
    kid = parts(deployed.identity().json()["id_token"])[0]["kid"]
    assert signing_keys.verification_key(kid) is None
    assert signing_keys.verification_key(kid, "workloads")
    own = parts(own_token(deployed))[0]["kid"]
    assert signing_keys.verification_key(own, "workloads") is None


def test_unknown_issuers_are_not_found(deployed):
    for name in ("discovery", "jwks", "token", "identity-token"):
        address = reverse(f"workload-{name}", args=["auth_somebodyelse"])
        assert deployed.http.get(address).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_many_workers_make_one_issuer():
    names = set()

    def ask():
        names.add(workload_issuer.issuer_name())
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == {WorkloadIssuer.objects.get().name}


# -- Subjects ---------------------------------------------------------------------------------------------------------


def test_subject_outlives_its_client_and_is_never_given_again(deployed, alice):
    subject = deployed.client.workload.subject
    client_actions.delete_client(client=deployed.client, actor=actor_for(alice))
    assert Workload.objects.get(subject=subject).client is None
    assert deployed.identity().status_code == 401
