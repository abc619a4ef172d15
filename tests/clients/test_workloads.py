"""Workloads: rules for their claims and audiences, and their subjects."""

import pytest
from django.urls import reverse

from clients.actions import clients as client_actions
from clients.actions.clients import register_client
from clients.metadata import TEMPLATES, ClientMetadata
from clients.models import Client, Workload
from clients.policy import portal_policy
from clients.workloads import LIFESPAN
from consumers.actions.consumers import update_consumer
from core.errors import Refusal
from tests.factories import actor_for

pytestmark = pytest.mark.django_db

GOOD = TEMPLATES["workload"].replace(
    client_name="Billing",
    project="billing",
    deployment="billing-main-53c4947",
    identity_token_audience=("sts.amazonaws.com",),
)


def refusals(acme, metadata) -> set[str | None]:
    with pytest.raises(Refusal) as caught:
        portal_policy(metadata, acme)
    return {caught.value.field, *(other.field for other in caught.value.others)}


def test_workload_needs_no_permission(acme):
    portal_policy(GOOD, acme)


@pytest.mark.parametrize("name", ["", " ", "a b", "a*", "-a", "ä", "a" * 64, "a\0", "a\n", "a/b", "a:b"])
def test_names_need_no_quoting_in_cloud_policies(acme, name):
    assert refusals(acme, GOOD.replace(project=name, deployment=name)) == {"project"}


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("environment_type", {"environment_type": "staging"}),
        ("project", {"environment_type": ""}),
        ("identity_token_audience", {"identity_token_audience": ("a b",)}),
        ("identity_token_audience", {"identity_token_audience": ("a", "a")}),
        ("identity_token_audience", {"identity_token_audience": ("é",)}),
        ("identity_token_audience", {"identity_token_audience": tuple(map(str, range(51)))}),
        ("lifespans", {"lifespans": {LIFESPAN: 36001}}),
        ("lifespans", {"lifespans": {LIFESPAN: 59}}),
        ("lifespans", {"lifespans": {LIFESPAN: True}}),
        ("lifespans", {"lifespans": {LIFESPAN: "900"}}),
    ],
)
def test_what_a_workload_cannot_be(acme, field, changes):
    assert field in refusals(acme, GOOD.replace(**changes))


def test_audiences_of_identity_tokens_are_for_workloads_and_no_others(acme):
    service = GOOD.replace(environment_type="", project="", deployment="", scope=())
    assert "identity_token_audience" in refusals(acme, service)
    assert "audience" in refusals(acme, GOOD.replace(audience=("https://core-banking.example/api",)))


def test_subject_is_given_once_and_kept(acme, alice):
    actor, policy = actor_for(alice), portal_policy
    client, _ = client_actions.register_client(consumer=acme, metadata=GOOD, policy=policy, actor=actor)
    subject = client.workload.subject
    changed = ClientMetadata.of(client).replace(environment_type="preview", deployment="billing-preview")
    client_actions.update_client(client=client, change=lambda _: changed, policy=portal_policy, actor=actor)
    assert Workload.objects.get().subject == subject
    client_actions.delete_client(client=client, actor=actor)
    client_actions.register_client(consumer=acme, metadata=GOOD, policy=policy, actor=actor)
    assert Workload.objects.get(client=None).subject == subject
    assert Workload.objects.exclude(client=None).get().subject != subject


def test_account_is_kept_and_never_given_to_another(acme, globex, olga):
    def make(consumer, name):
        metadata, policy = GOOD.replace(client_name=name), portal_policy
        return register_client(consumer=consumer, metadata=metadata, policy=policy, actor=actor_for(olga))[0]

    first = make(acme, "First")
    acme = update_consumer(consumer=acme, change=lambda _: {"slug": "acme-logistics"}, actor=actor_for(olga))
    globex = update_consumer(consumer=globex, change=lambda _: {"slug": "acme"}, actor=actor_for(olga))
    with pytest.raises(Refusal, match="Workloads of another workspace were called acme"):
        make(globex, "Mine")
    assert (first.workload.account, make(acme, "Second").workload.account) == ("acme", "acme-logistics")
    assert not globex.clients.exists()


def test_service_has_no_subject(service):
    assert not Workload.objects.exists()


def test_manager_registers_a_workload(acme, alice, browser_of):
    form = {
        "template": "workload",
        "client_name": "Billing in production",
        "project": "billing",
        "environment_type": "preview",
        "identity_token_audience": "https://backend.example.com\r\nsts.amazonaws.com\r\n",
        "identity_token_lifespan": "900",
    }
    page = browser_of(alice).post(reverse("clients:create", args=["acme"]), form)
    assert page.status_code == 200
    assert "Save its secret now" in page.text
    client = Client.objects.get()
    assert client.kind == "workload"
    assert client.deployment == "billing-preview"
    assert client.identity_token_audience == ["https://backend.example.com", "sts.amazonaws.com"]
    assert client.lifespans == {LIFESPAN: 900}


def test_what_a_manager_forgot_stands_at_its_field(acme, alice, browser_of):
    form = {"template": "workload", "client_name": "Billing", "identity_token_audience": "a b", "project": "ä"}
    page = browser_of(alice).post(reverse("clients:create", args=["acme"]), form)
    assert page.status_code == 422
    assert set(page.context["form"].errors) == {"project", "identity_token_audience"}
    assert 'value="ä"' in page.text


def test_other_templates_take_nothing_of_a_workload(acme, acme_access, alice, browser_of):
    form = {
        "template": "service",
        "client_name": "Sync",
        "scope": "shipments:read",
        "project": "billing",
        "identity_token_audience": "sts.amazonaws.com",
        "environment_type": "production",
    }
    assert browser_of(alice).post(reverse("clients:create", args=["acme"]), form).status_code == 200
    client = Client.objects.get()
    assert (client.kind, client.project, client.identity_token_audience) == ("service", "", [])


def test_settings_show_and_change_where_it_runs(acme, alice, browser_of):
    actor = actor_for(alice)
    client, _ = client_actions.register_client(consumer=acme, metadata=GOOD, policy=portal_policy, actor=actor)
    address = reverse("clients:settings", args=["acme", client.client_id])
    page = browser_of(alice).get(address)
    assert "billing-main-53c4947" in page.text
    form = {
        "client_name": "Billing",
        "project": "billing",
        "deployment": "billing-main-53c4947",
        "environment_type": "production",
        "identity_token_audience": "sts.amazonaws.com\nvault",
        "identity_token_lifespan": "36000",
        "version": client.updated.isoformat(),
    }
    assert browser_of(alice).post(address, form).status_code == 302
    client.refresh_from_db()
    assert client.identity_token_audience == ["sts.amazonaws.com", "vault"]
    assert client.lifespans == {}
    answer = browser_of(alice).post(address, form | {"identity_token_audience": ""})  # of a page that was opened before
    assert answer.status_code == 409
    assert "sts.amazonaws.com, vault" in answer.text


def test_operator_reads_where_it_runs(acme, alice, olga, browser_of):
    client, _ = client_actions.register_client(
        consumer=acme, metadata=GOOD, policy=portal_policy, actor=actor_for(alice)
    )
    page = browser_of(olga).get(reverse("admin:clients_client_change", args=[client.pk])).text
    for value in (client.workload.subject, "billing-main-53c4947", "sts.amazonaws.com"):
        assert value in page
