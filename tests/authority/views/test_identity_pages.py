"""The page of a workload's identity: its values, a token to try, and guides with the values filled in."""

import re
from html import unescape

import pytest
from django.urls import reverse

from authority.keys import workload_issuer
from authority.workloads import guides, identity_tokens
from clients.actions import clients as client_actions
from consumers.models import Event
from tests.factories import ClientFactory, actor_for

pytestmark = pytest.mark.django_db
BACKEND = "https://backend.example.com"
PROVIDER = "projects/12/locations/global/workloadIdentityPools/billing-production/providers/clientdesk"


@pytest.fixture
def deployed(acme):
    client = ClientFactory(
        consumer=acme,
        client_name="Billing in production",
        template="workload",
        project="billing",
        deployment="billing-production",
        environment_type="production",
        identity_token_audience=[BACKEND],
        scopes=[],
    )
    client_actions.assign_subject(client)
    return client


@pytest.fixture
def address(deployed):
    return reverse("tokens:identity", args=["acme", deployed.client_id])


def test_page_shows_what_others_need(address, deployed, bob, browser_of):
    page = browser_of(bob).get(address)
    assert page.status_code == 200
    for value in (workload_issuer.issuer(), deployed.workload.subject, "billing-production", BACKEND):
        assert value in page.text
    assert '<button class="button">Get an identity token</button>' not in page.text


def test_manager_gets_a_token_that_only_this_answer_holds(address, deployed, alice, browser_of):
    answer = browser_of(alice).post(address, {"audience": BACKEND})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    token = re.search(r'id="identity-token">([^<]+)<', answer.text)[1]
    claims = identity_tokens.read_identity_token(token)
    assert (claims["aud"], claims["sub"]) == (BACKEND, deployed.workload.subject)
    assert claims["jti"] in answer.text
    assert "eyJ" not in browser_of(alice).get(address).text
    event = Event.objects.get(name="client.identity_token.issued")
    assert event.detail == {"audience": BACKEND, "environment_type": "production", "jti": claims["jti"]}
    assert token not in str(vars(event))
    activity = browser_of(alice).get(reverse("consumers:activity", args=["acme"]))
    assert f"for {BACKEND}" in activity.text


def test_viewer_gets_none(address, bob, browser_of):
    assert browser_of(bob).post(address, {"audience": BACKEND}).status_code == 403


@pytest.mark.parametrize("audience", ["", "https://elsewhere.example", "\0", "é", "a" * 5000])
def test_other_audiences_are_refused_at_the_field(audience, address, alice, browser_of):
    answer = browser_of(alice).post(address, {"audience": audience})
    assert answer.status_code == 422
    assert "eyJ" not in answer.text
    assert not Event.objects.filter(name="client.identity_token.issued").exists()


def test_disabled_workload_gets_none_here_either(address, deployed, alice, browser_of):
    client_actions.disable_client(client=deployed, actor=actor_for(alice))
    answer = browser_of(alice).post(address, {"audience": BACKEND})
    assert answer.status_code == 422
    assert "is disabled" in answer.text
    assert "eyJ" not in answer.text


def test_other_clients_have_no_such_page(service, alice, browser_of):
    for name, more in (("identity", []), ("guide", ["aws"])):
        path = reverse(f"tokens:{name}", args=["acme", service.client_id, *more])
        assert browser_of(alice).get(path).status_code == 404


@pytest.mark.parametrize("name", guides.GUIDES)
def test_guide_has_the_client_s_values(name, deployed, bob, browser_of):
    page = browser_of(bob).get(reverse("tokens:guide", args=["acme", deployed.client_id, name]))
    assert page.status_code == 200
    blocks = [unescape(each) for each in re.findall(r'<code id="code-[a-z]+">(.*?)</code>', page.text, re.DOTALL)]
    code = "\n".join(blocks)
    assert workload_issuer.issuer().partition("://")[2] in code
    assert deployed.workload.subject in code or "billing" in code
    assert " None\n" not in code.replace("from None", "")


def test_unknown_guide_is_not_found(deployed, bob, browser_of):
    assert browser_of(bob).get(reverse("tokens:guide", args=["acme", deployed.client_id, "oracle"])).status_code == 404


def test_values_are_quoted_for_the_shell(address, deployed, bob, browser_of):
    deployed.identity_token_audience = ["it's$(whoami)"]
    deployed.save()
    page = unescape(browser_of(bob).get(address).text)
    assert """audience='it'"'"'s$(whoami)'""" in page
    for name in ("fastapi", "express"):
        guide = unescape(browser_of(bob).get(reverse("tokens:guide", args=["acme", deployed.client_id, name])).text)
        assert '"it\'s$(whoami)"' in guide


def test_guide_asks_for_an_audience_that_is_not_listed(deployed, alice, browser_of):
    page = browser_of(alice).get(reverse("tokens:guide", args=["acme", deployed.client_id, "aws"]))
    assert "First allow the audience" in page.text
    deployed.identity_token_audience = [BACKEND, "sts.amazonaws.com"]
    deployed.save()
    page = browser_of(alice).get(reverse("tokens:guide", args=["acme", deployed.client_id, "aws"]))
    assert "First allow the audience" not in page.text


def test_google_s_guide_takes_the_provider_from_the_list(deployed, bob, browser_of):
    deployed.identity_token_audience = [f"https://iam.googleapis.com/{PROVIDER}"]
    deployed.save()
    page = unescape(
        browser_of(bob).get(reverse("tokens:guide", args=["acme", deployed.client_id, "gcp"])).content.decode()
    )
    assert f"PROVIDER={PROVIDER}\n" in page
    assert "PROVIDER=projects/$" not in page
