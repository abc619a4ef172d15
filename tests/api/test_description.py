"""The API's description, and that everything in the house stands behind the doors that it should have."""

import importlib
import inspect
import pkgutil
import re

import pytest
from django.conf import settings
from django.urls import reverse

from core.rest.schemas import check
from portal.api.openapi import TAGS, description, operations

# Why a deed has no door for programs that manage.
NO_DOOR = {
    "consumers.audit.record": "no deed: it writes one down",
    **dict.fromkeys(
        (
            *("consumers.actions.invitations.decline_invitation", "consumers.actions.invitations.accept_invitation"),
            *("consumers.actions.invitations.join_as_new_person", "consumers.actions.people.rename_person"),
            *(
                "authority.authorization.consents.note",
                "authority.authorization.consents.remember",
                "authority.authorization.consents.revoke",
            ),
            "authority.authorization.device_requests.decide",
        ),
        "a person's own, in the browser",
    ),
    **dict.fromkeys(
        ("consumers.actions.personal_tokens.create_token", "consumers.actions.personal_tokens.revoke_token"),
        "a program could outlive its token",
    ),
    **dict.fromkeys(
        (
            *("consumers.actions.people.create_operator", "consumers.actions.people.update_person"),
            *("consumers.actions.people.save_group", "consumers.actions.people.delete_group"),
        ),
        "a program could give itself rights",
    ),
    **dict.fromkeys(
        ("authority.keys.rotation.rotate", "authority.keys.rotation.revoke"),
        "the portal's own keys are rotated on the operators' pages, and by manage.py keys",
    ),
    **dict.fromkeys(
        (
            *("clients.actions.registration.register", "clients.actions.registration.update"),
            "authority.workloads.identity_tokens.take",
        ),
        "a client's own, at the endpoints of its specification",
    ),
}
BEHIND = {
    "clients.actions.clients.register_client": "createOAuth2Client",
    "clients.actions.clients.update_client": "setOAuth2Client",
    "clients.actions.clients.set_claims": "setClientClaims",
    "clients.actions.clients.disable_client": "disableOAuth2Client",
    "clients.actions.clients.enable_client": "enableOAuth2Client",
    "clients.actions.clients.delete_client": "deleteOAuth2Client",
    "clients.actions.clients.revoke_tokens": "deleteOAuth2Token",
    "clients.actions.secrets.add_secret": "addSecret",
    "clients.actions.secrets.rotate_secret": "rotateSecret",
    "clients.actions.secrets.rotate_client": "rotateOAuth2ClientSecret",
    "clients.actions.secrets.revoke_rotated": "deleteRotatedOAuth2ClientSecrets",
    "clients.actions.secrets.expire_secret": "expireSecret",
    "clients.actions.secrets.revoke_secret": "revokeSecret",
    "clients.actions.secret_policy.set_secret_rules": "setSecretRules",
    "clients.actions.trust.allow_issuer": "allowTrustedIssuer",
    "clients.actions.trust.update_issuer": "setTrustedIssuer",
    "clients.actions.trust.disable_issuer": "disableTrustedIssuer",
    "clients.actions.trust.enable_issuer": "enableTrustedIssuer",
    "clients.actions.trust.remove_issuer": "removeTrustedIssuer",
    "clients.actions.registration.save_source": "addSoftwareIssuer",
    "clients.actions.registration.delete_source": "removeDocumentHost",
    "clients.actions.trust.add_rule": "addTrustRule",
    "clients.actions.trust.remove_rule": "removeTrustRule",
    "clients.actions.registration.create_initial_token": "createInitialAccessToken",
    "clients.actions.registration.revoke_initial_token": "revokeInitialAccessToken",
    "clients.actions.registration.open_registration": "enableOpenRegistration",
    "clients.actions.registration.close_registration": "disableOpenRegistration",
    "clients.actions.apis.create_api": "createAPI",
    "clients.actions.apis.update_api": "setAPI",
    "clients.actions.apis.delete_api": "deleteAPI",
    "clients.actions.apis.set_access": "setAccess",
    "clients.actions.apis.set_resource_servers": "setResourceServers",
    "consumers.actions.consumers.create_consumer": "createConsumer",
    "consumers.actions.consumers.update_consumer": "setConsumer",
    "consumers.actions.consumers.revoke_tokens": "revokeConsumerTokens",
    "consumers.actions.consumers.suspend_consumer": "suspendConsumer",
    "consumers.actions.consumers.resume_consumer": "resumeConsumer",
    "consumers.actions.consumers.delete_consumer": "deleteConsumer",
    "consumers.actions.invitations.invite_manager": "inviteManager",
    "consumers.actions.invitations.resend_invitation": "resendInvitation",
    "consumers.actions.invitations.withdraw_invitation": "withdrawInvitation",
    "consumers.actions.members.change_role": "setMember",
    "consumers.actions.members.remove_member": "removeMember",
    "authority.tokens.test_tokens.make": "makeTestToken",
    "authority.tokens.test_tokens.revoke": "revokeTestToken",
}


def deeds() -> set[str]:
    """Return the names of every function that changes something in somebody's name."""
    found = set()
    for room in ("consumers", "clients", "authority"):
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if ".migrations" in module.name:
                continue
            for name, function in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction):
                actor = inspect.signature(function).parameters.get("actor")
                own = function.__module__ == module.name and not name.startswith("_")
                if own and actor is not None and actor.kind is actor.KEYWORD_ONLY:
                    found.add(f"{module.name}.{name}")
    return found


def calls(function) -> str:
    """Return the source of an operation and of the helpers beside it."""
    return inspect.getsource(inspect.getmodule(function))


def test_every_action_has_its_door_or_a_reason_for_none():
    assert deeds() == BEHIND.keys() | NO_DOOR.keys(), "a new action: give it a door, or say here why it has none"
    known = {operation.id: operation for _, _, operation in operations()}
    for deed, door in BEHIND.items():
        assert f"{deed.rpartition('.')[2]}(" in calls(known[door].handler), deed


# Deeds that people do on no page: what they do there instead.
NO_PAGE = {
    "clients.actions.secrets.rotate_client": "Ory's rotation; a page rotates one secret",
    "clients.actions.secrets.revoke_rotated": "Ory's rotation; a page revokes one secret",
    "clients.actions.secrets.expire_secret": "a page rotates with an end, or revokes",
}


def test_every_action_has_its_page_or_a_reason_for_none():
    rooms = [settings.BASE_DIR / room for room in ("consumers", "clients", "authority")]
    files = [file for room in rooms for file in room.rglob("*.py") if {"views", "admin"} & {*file.parts, file.stem}]
    source = "\n".join(file.read_text() for file in files)
    for deed in BEHIND:
        name = re.escape(deed.rpartition(".")[2])
        assert bool(re.search(rf"\b{name}\b", source)) is not (deed in NO_PAGE), deed


def test_operations_are_told_apart_and_sorted():
    found = [operation for _, _, operation in operations()]
    assert len({operation.id for operation in found}) == len(found) > 40
    assert {operation.tag for operation in found} == set(TAGS)
    assert all(operation.summary and operation.answers for operation in found)


@pytest.mark.parametrize("operation", [each for _, _, each in operations() if each.body], ids=lambda each: each.id)
def test_every_body_has_an_example_that_its_schema_allows(operation):
    assert operation.example is not None
    check(operation.example, operation.body)


def test_the_description_is_served_to_anybody(client):
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"] == "3.1.0"
    assert "public" in answer["Cache-Control"]
    assert "Set-Cookie" not in answer
    assert len(answer.json()["components"]["schemas"]["Client"]["properties"]) >= 51


def test_every_reference_in_the_description_leads_somewhere():
    document = description()

    def references(value):
        if isinstance(value, dict):
            yield from ([value["$ref"]] if "$ref" in value else [])
            for each in value.values():
                yield from references(each)
        elif isinstance(value, list):
            for each in value:
                yield from references(each)

    for reference in references(document):
        at = document
        for step in reference.removeprefix("#/").split("/"):
            at = at[step]


@pytest.mark.django_db
def test_people_read_it_in_the_portal(alice, browser_of):
    page = browser_of(alice).get(reverse("api:reference"))
    assert page.status_code == 200
    for template, method, operation in operations():
        assert f"{method} {template}" in page.text
        assert operation.summary.replace("’", "&#x27;").split("'")[0] in page.text
