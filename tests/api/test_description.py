"""The API's description, and that everything in the house stands behind the doors that it should have."""

import ast
import importlib
import inspect
import pkgutil

import pytest
from django.urls import reverse

from core.rest.schemas import validate
from portal.api.openapi import TAGS, description, operations

# Why a deed has no door for programs that manage.
NO_DOOR = {
    "consumers.audit.record": "no deed: it writes one down",
    **dict.fromkeys(
        (
            *("consumers.actions.invitations.decline_invitation", "consumers.actions.invitations.accept_invitation"),
            *("consumers.actions.invitations.join_as_new_person", "consumers.actions.people.rename_person"),
            *(
                "authority.authorization.consents.record",
                "authority.authorization.consents.record_for_request",
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
    "clients.actions.clients.register_client_with_key": "a program generates its own key, and registers the public one",
    **dict.fromkeys(
        ("authority.keys.rotation.rotate", "authority.keys.rotation.revoke"),
        "the portal's own keys are rotated on the operators' pages, and by manage.py keys",
    ),
    **dict.fromkeys(
        (
            *("clients.actions.registration.register_itself", "clients.actions.registration.update_itself"),
            "authority.workloads.identity_tokens.issue_to_person",
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
    "clients.actions.secrets.create_secret": "createSecret",
    "clients.actions.secrets.rotate_secret": "rotateSecret",
    "clients.actions.secrets.rotate_client": "rotateOAuth2ClientSecret",
    "clients.actions.secrets.revoke_rotated": "deleteRotatedOAuth2ClientSecrets",
    "clients.actions.secrets.expire_secret": "updateSecret",
    "clients.actions.secrets.revoke_secret": "revokeSecret",
    "clients.actions.secret_policy.set_secret_policy": "setSecretPolicy",
    "clients.actions.trust.create_issuer": "createTrustedIssuer",
    "clients.actions.trust.update_issuer": "setTrustedIssuer",
    "clients.actions.trust.disable_issuer": "disableTrustedIssuer",
    "clients.actions.trust.enable_issuer": "enableTrustedIssuer",
    "clients.actions.trust.delete_issuer": "deleteTrustedIssuer",
    "clients.actions.registration.save_metadata_source": "createSoftwareIssuer",
    "clients.actions.registration.delete_metadata_source": "deleteDocumentHost",
    "clients.actions.trust.create_rule": "createTrustRule",
    "clients.actions.trust.delete_rule": "deleteTrustRule",
    "clients.actions.registration.create_initial_access_token": "createInitialAccessToken",
    "clients.actions.registration.revoke_initial_access_token": "revokeInitialAccessToken",
    "clients.actions.registration.enable_open_registration": "enableOpenRegistration",
    "clients.actions.registration.disable_open_registration": "disableOpenRegistration",
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
    "consumers.actions.invitations.invite_manager": "createInvitation",
    "consumers.actions.invitations.resend_invitation": "resendInvitation",
    "consumers.actions.invitations.revoke_invitation": "revokeInvitation",
    "consumers.actions.members.change_role": "setMember",
    "consumers.actions.members.remove_member": "deleteMember",
    "authority.tokens.test_tokens.create": "createTestToken",
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


def actions_used_by(module, *functions: str) -> set[str]:
    """Return the actions that code of a module refers to, whatever it calls them.

    With names of functions, only what those use, directly or by others of the module.
    """
    known = {id(getattr(importlib.import_module(path), name)): f"{path}.{name}" for path, name in map(split, deeds())}
    tree = ast.parse(inspect.getsource(module))
    own = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    waiting, seen, found = [own[name] for name in functions] or [tree], set(), set()
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Name | ast.Attribute):
                found.add(known.get(id(resolve(node, module))))
            if isinstance(node, ast.Name) and node.id in own and node.id not in seen:
                seen.add(node.id)
                waiting.append(own[node.id])
    return found - {None}


def split(name: str) -> tuple[str, str]:
    path, _, function = name.rpartition(".")
    return path, function


def resolve(node, module):
    """Return what a name, or names joined by dots, stand for in a module; None for what is no global of it."""
    if isinstance(node, ast.Name):
        return vars(module).get(node.id)
    inner = resolve(node.value, module) if isinstance(node, ast.Attribute | ast.Name) else None
    return getattr(inner, node.attr, None) if inspect.ismodule(inner) else None


def test_every_action_has_its_door_or_a_reason_for_none():
    assert deeds() == BEHIND.keys() | NO_DOOR.keys(), "a new action: give it a door, or say here why it has none"
    known = {operation.id: operation for _, _, operation in operations()}
    for deed, door in BEHIND.items():
        handler = inspect.unwrap(known[door].handler)
        assert deed in actions_used_by(inspect.getmodule(handler), handler.__name__), deed


# Deeds that people do on no page: what they do there instead.
NO_PAGE = {
    "clients.actions.secrets.rotate_client": "Ory's rotation; a page rotates one secret",
    "clients.actions.secrets.revoke_rotated": "Ory's rotation; a page revokes one secret",
    "clients.actions.secrets.expire_secret": "a page rotates with an end, or revokes",
}


def test_every_action_has_its_page_or_a_reason_for_none():
    """A page is a view, an action or a form of the operators' console."""
    used = set()
    for room in ("portal", "consumers", "clients", "authority"):
        for info in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
            if {"views", "admin", "operators"} & {*info.name.split(".")}:
                used |= actions_used_by(importlib.import_module(info.name))
    for deed in BEHIND:
        assert (deed in used) is not (deed in NO_PAGE), deed


def test_operations_are_told_apart_and_sorted():
    found = [operation for _, _, operation in operations()]
    assert len({operation.id for operation in found}) == len(found) > 40
    assert {operation.tag for operation in found} == set(TAGS)
    assert all(operation.summary and operation.answers for operation in found)


@pytest.mark.parametrize("operation", [each for _, _, each in operations() if each.body], ids=lambda each: each.id)
def test_every_body_has_an_example_that_its_schema_allows(operation):
    assert operation.example is not None
    validate(operation.example, operation.body)


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
