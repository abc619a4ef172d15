"""Access tokens that get a workload its identity token, and what its people learn of refusals."""

import pytest
from django.urls import reverse
from django.utils import timezone

from authority import client_directory
from authority.keys import workload_issuer
from authority.models import RevokedToken
from authority.people.subject import Person
from authority.telemetry import writer
from authority.tokens import access_tokens, families
from authority.workloads import identity_tokens
from tests.authority.workload import own_token, parts

pytestmark = pytest.mark.django_db


def test_access_token_of_the_client_for_us_works_as_a_bearer(deployed):
    deployed_token = own_token(deployed)
    answer = deployed.ask(Authorization=f"Bearer {deployed_token}")
    assert identity_tokens.read_identity_token(answer.text)["sub"] == deployed.client.workload.subject


@pytest.mark.compliance("RFC 8707", "2")
@pytest.mark.parametrize("scopes", [[], ["shipments:read"]])
@pytest.mark.parametrize("strategy", ["jwt", "opaque"])
def test_workload_gets_an_access_token_for_the_issuer_by_naming_it(deployed, scopes, strategy):
    deployed.client.scopes, deployed.client.access_token_strategy = scopes, strategy
    deployed.client.save()
    answer = deployed.token(resource=workload_issuer.issuer())
    assert answer.status_code == 200, answer.text
    bearer = answer.json()["access_token"]
    assert deployed.ask(Authorization=f"Bearer {bearer}").status_code == 200
    if strategy == "jwt":
        assert parts(bearer)[1]["aud"] == workload_issuer.issuer()
        assert parts(bearer)[1]["scope"] == ""


def test_others_get_no_access_token_for_the_issuer(program):
    answer = program.token(resource=workload_issuer.issuer())
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


def test_workload_without_permissions_gets_no_access_token_for_anything_else(deployed):
    deployed.client.scopes = []
    deployed.client.save()
    assert deployed.token().json()["error"] == "invalid_scope"
    assert deployed.token(resource="https://api.example.com/shipments").status_code == 400


@pytest.mark.compliance("RFC 9068", "4")
def test_an_api_cannot_show_the_access_token_that_it_received(deployed):
    received = own_token(deployed, ["shipments:read"])
    answer = deployed.ask(Authorization=f"Bearer {received}")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert answer["WWW-Authenticate"] == 'Bearer realm="workloads", error="invalid_token"'
    assert workload_issuer.issuer() in answer.json()["error_description"]


def test_revoked_expired_foreign_and_broken_bearers_are_refused(deployed, alice, program):
    revoked = own_token(deployed)
    RevokedToken.objects.create(jti=parts(revoked)[1]["jti"], expires_at=timezone.now())
    entry = client_directory.find(deployed.client.client_id)
    family = families.new_family(
        entry, Person(alice, True), grant_type="authorization_code", code="0", scopes=["openid"]
    )
    families.create(entry, family, access_token=60, refresh_token=None)
    personal = access_tokens.token_template(entry, scopes=["openid"], seconds=60, family=family).issue()
    for bearer in (revoked, own_token(deployed, seconds=-1), personal, "x", "a.b.c", ""):
        answer = deployed.ask(Authorization=f"Bearer {bearer}")
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token"), bearer
    answer = deployed.ask(Authorization=f"Bearer {own_token(program)}")
    assert answer.json()["error"] == "unauthorized_client"


# -- Problems and counts ----------------------------------------------------------------------------------------------


def test_refusals_are_told_to_the_client_s_people(deployed, alice, browser_of):
    deployed.identity(audience="https://elsewhere.example")
    deployed.ask(Authorization=f"Bearer {own_token(deployed, ['shipments:read'])}")
    writer.flush()
    page = browser_of(alice).get(reverse("tokens:problems", args=["acme", deployed.client.client_id])).text
    assert "audience that is not on the client’s list" in page
    assert "https://elsewhere.example" in page
    assert "access token that is for an API" in page


def test_identity_tokens_are_counted(deployed):
    deployed.identity()
    deployed.ask()
    deployed.ask({"audience": "https://elsewhere.example"})
    writer.flush()
    counts = deployed.client.daily_counts.get()
    assert (counts.issued, counts.refused) == (2, 1)
