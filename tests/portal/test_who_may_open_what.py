"""Every address of a workspace against every kind of person. An address without a row here fails the first test."""

import re
from datetime import timedelta

import pytest
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from clients.actions.clients import assign_subject
from clients.actions.permission_requests import request_permission
from clients.actions.registration import create_initial_access_token
from clients.models import TrustedIssuer, TrustRule
from consumers.actions.invitations import invite_manager
from tests.factories import ClientFactory, ScopeFactory, actor_for, give_secret

pytestmark = pytest.mark.django_db

# What GET answers to a viewer and to a manager.
ADDRESSES = {
    "dashboard": (200, 200),
    "clients:index": (200, 200),
    "clients:create": (403, 200),
    "clients:secret-review": (200, 200),
    "clients:detail": (200, 200),
    "clients:settings": (200, 200),
    "clients:advanced": (200, 200),
    "clients:activity": (200, 200),
    "clients:disable": (403, 200),
    "clients:revoke-tokens": (403, 200),
    "clients:enable": (403, 405),
    "clients:delete": (403, 200),
    "clients:secrets": (200, 200),
    "clients:create-secret": (403, 200),
    "clients:rotate-secret": (403, 200),
    "clients:revoke-secret": (403, 200),
    "clients:download-credentials": (403, 405),
    "clients:registration": (200, 200),
    "clients:create-initial-access-token": (403, 200),
    "clients:revoke-initial-access-token": (403, 200),
    "clients:revoke-registration-access-token": (403, 200),
    "clients:permissions": (200, 200),
    "clients:request-permission": (403, 200),
    "clients:permission-request": (200, 200),
    "clients:authentication": (200, 200),
    "clients:generate-key": (403, 405),
    "clients:download-key": (403, 405),
    "clients:create-rule": (403, 200),
    "clients:delete-rule": (403, 405),
    "tokens:try-rules": (200, 200),
    "tokens:problems": (200, 200),
    "tokens:people": (200, 200),
    "tokens:revoke-person": (403, 405),
    "tokens:revoke-people": (403, 200),
    "tokens:identity": (200, 200),
    "tokens:guide": (200, 200),
    "tokens:test-tokens": (200, 200),
    "tokens:create-test-token": (403, 200),
    "tokens:try": (403, 405),
    "tokens:revoke-test-token": (403, 405),
    "tokens:inspector": (200, 200),
    "consumers:people": (200, 200),
    "consumers:invite": (403, 200),
    "roles:member": (403, 200),
    "consumers:member": (403, 200),  # of another person; everybody may open their own
    "consumers:resend-invitation": (403, 405),
    "consumers:revoke-invitation": (403, 405),
    "consumers:activity": (200, 200),
    "consumers:activity-csv": (200, 200),
}
OF_THE_WORKSPACE = {
    *("clients:index", "clients:create", "clients:secret-review"),
    *("clients:permissions", "clients:request-permission", "clients:permission-request"),
    *("clients:registration", "clients:create-initial-access-token", "clients:revoke-initial-access-token"),
}
OF_A_CLIENT = [
    *(name for name in ADDRESSES if name.startswith("clients:") and name not in OF_THE_WORKSPACE),
    "tokens:problems",
    *("tokens:people", "tokens:revoke-person", "tokens:revoke-people"),
    "tokens:try-rules",
    "tokens:identity",
    "tokens:guide",
    "tokens:create-test-token",
    "tokens:try",
]
# Reading pages that also take a manager's POST.
WRITES_FOR_MANAGERS = {
    "clients:permission-request",
    "clients:settings",
    "clients:advanced",
    "clients:authentication",
    "tokens:identity",
}
# Pages whose form is posted to keep it out of addresses, and changes nothing.
QUESTIONS = {"tokens:try-rules", "tokens:inspector"}


def workspace_addresses(patterns=None, namespace="", route=""):
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        whole = route + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            if "consumer_slug" in whole:
                yield f"{namespace}{pattern.name}"
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from workspace_addresses(pattern.url_patterns, inner, whole)


@pytest.fixture
def address(acme, alice, service):
    """Return the path of an address, with the things of Acme or of another consumer."""
    service.environment_type = "production"  # so that it has an identity to show
    service.save()
    assign_subject(service)
    app = ClientFactory(consumer=acme, client_name="Board", template="web")  # to which people sign in
    secret, _ = give_secret(service)
    issuer = TrustedIssuer.objects.create(name="CI", platform="oidc", issuer="https://ci.example.com")
    rule = TrustRule.objects.create(client=service, issuer=issuer, audience="us", claims={"sub": "x"})
    invitation = invite_manager(consumer=acme, email="new@acme.example", actor=actor_for(alice))
    member = acme.memberships.get(user=alice)
    token, _ = create_initial_access_token(
        consumer=acme, name="CI", expires_at=timezone.now() + timedelta(days=1), actor=actor_for(alice)
    )

    asked_for = ScopeFactory(value="invoices:write")
    asked = request_permission(consumer=acme, scope=asked_for.value, reason="A try", actor=actor_for(alice))
    other = ScopeFactory(value="invoices:read")

    def path(name: str, consumer=acme, **changes) -> str:
        signs_people_in = name in ("tokens:people", "tokens:revoke-person", "tokens:revoke-people")
        everything = {
            "client_id": (app if signs_people_in else service).client_id,
            "name": "aws",
            "secret_id": secret.pk,
            "member_id": member.pk,
            "invitation_id": invitation.pk,
            "jti": "0" * 32,
            "issuer_id": issuer.pk,
            "rule_id": rule.pk,
            "token_id": token.pk,
            "scope_id": other.pk,
            "request_id": asked.pk,
        } | changes
        view = name.rpartition(":")[2]
        needs = {
            "client_id": name in OF_A_CLIENT,
            "name": view == "guide",
            "secret_id": view in ("rotate-secret", "revoke-secret"),
            "member_id": view == "member",  # and their roles
            "jti": view == "revoke-test-token",
            "issuer_id": view == "create-rule",
            "rule_id": view == "delete-rule",
            "token_id": view == "revoke-initial-access-token",
            "scope_id": view == "request-permission",
            "request_id": view == "permission-request",
            "invitation_id": view in ("resend-invitation", "revoke-invitation"),
        }
        slug = consumer if isinstance(consumer, str) else consumer.slug
        wanted = {key: value for key, value in everything.items() if needs[key]}
        return reverse(name, kwargs={"consumer_slug": slug, **wanted})

    return path


def body(response) -> str:
    """Return the page without what every answer has of its own."""
    return re.sub(r"req_[0-9a-f]+|/consumers/[a-z-]+[^\"]*", "", response.text)


def test_every_address_of_a_workspace_has_a_row_here():
    assert set(workspace_addresses()) == set(ADDRESSES)


@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_get_the_same_404_as_for_what_does_not_exist(subtests, method, address, mallory, browser_of):
    ask = getattr(browser_of(mallory), method)
    for name in ADDRESSES:
        with subtests.test(name):
            real, unreal = ask(address(name)), ask(address(name, consumer="no-such-place"))
            assert (real.status_code, unreal.status_code) == (404, 404)
            assert body(real) == body(unreal)
            assert "Acme" not in real.text


def test_who_is_not_signed_in_is_asked_to_sign_in_wherever_it_may_be(subtests, address, client):
    for name in ADDRESSES:
        for consumer in ("acme", "no-such-place"):
            with subtests.test(name, consumer=consumer):
                response = client.get(address(name, consumer=consumer))
                assert response.status_code == 302
                assert response.url.startswith("/account/login/")


def status(browser, path):
    answer = browser.get(path)
    answer.getvalue()  # a file stays open until it is read
    return answer.status_code


def test_viewers_read_and_managers_do(subtests, address, alice, bob, browser_of):
    browser = browser_of(bob)
    for name, (viewer, _) in ADDRESSES.items():
        with subtests.test(name, person="viewer"):
            assert status(browser, address(name)) == viewer
            if viewer == 403 or name in WRITES_FOR_MANAGERS:
                assert browser.post(address(name)).status_code == 403
    browser = browser_of(alice)
    for name, (_, manager) in ADDRESSES.items():
        with subtests.test(name, person="manager"):
            assert status(browser, address(name)) == manager


def test_a_suspended_consumer_has_no_workspace(subtests, address, acme, alice, browser_of):
    acme.suspended_at = timezone.now()
    acme.save()
    browser = browser_of(alice)
    for name in ADDRESSES:
        with subtests.test(name):
            assert browser.get(address(name)).status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_client_of_another_consumer_is_to_its_neighbour_one_that_does_not_exist(
    subtests, method, address, globex, alice, browser_of
):
    foreign = ClientFactory(consumer=globex, client_name="TENANT-B-client")
    secret, _ = give_secret(foreign)
    ask = getattr(browser_of(alice), method)
    for name in OF_A_CLIENT:
        with subtests.test(name):
            real = ask(address(name, client_id=foreign.client_id, secret_id=secret.pk))
            unreal = ask(address(name, client_id="cl_none"))
            assert real.status_code == unreal.status_code
            assert real.status_code in (404, 405)
            assert body(real) == body(unreal)
            assert "TENANT-B" not in real.text


def test_a_secret_of_another_client_is_not_found(address, acme, globex, alice, browser_of):
    secret, _ = give_secret(ClientFactory(consumer=globex))
    own, _ = give_secret(ClientFactory(consumer=acme, client_name="Another"))
    for foreign in (secret, own):
        for name in ("clients:rotate-secret", "clients:revoke-secret"):
            response = browser_of(alice).post(address(name, secret_id=foreign.pk), {"ends": "now"})
            assert response.status_code == 404
            foreign.refresh_from_db()
            assert foreign.is_live


@pytest.mark.parametrize("client_id", ["%00", "cl_%2e%2e", "a" * 300, "%ff", "new"])
def test_an_odd_client_id_is_not_found(client_id, acme, alice, browser_of):
    assert browser_of(alice).get(f"/consumers/acme/clients/{client_id}/").status_code == 404


READ = [name for name, (viewer, _) in ADDRESSES.items() if viewer == 200 and name != "consumers:activity-csv"]


def test_viewers_see_no_deed_on_any_page(subtests, address, bob, browser_of):
    browser = browser_of(bob)
    forbidden = [address(each) for each, (viewer, _) in ADDRESSES.items() if viewer == 403]
    for name in READ:
        with subtests.test(name):
            page = browser.get(address(name)).text
            main = page[page.index("<main") : page.index("</main>")]
            assert [path for path in forbidden if path in main] == []
            assert 'method="post"' not in main or name in QUESTIONS


@pytest.mark.parametrize("method", ["put", "delete", "options", "trace"])
def test_every_address_names_the_methods_that_it_serves(subtests, method, address, alice, browser_of):
    ask = getattr(browser_of(alice), method)
    for name in ADDRESSES:
        with subtests.test(name):
            assert ask(address(name)).status_code == 405
