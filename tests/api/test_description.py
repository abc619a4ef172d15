"""The API's description, and that everything in the house stands behind the doors that it should have."""

import inspect

import pytest
from django.urls import reverse

from authority import trials
from clients import actions, catalogue
from consumers import actions as workspaces
from consumers import people, tokens
from consumers.rest.schemas import check
from portal.openapi import TAGS, description, operations

# What each action's doors are: operations of the API, by id, or why it has none.
PAGES_ALONE = {
    "find_open_invitation": "the person who holds the link",
    "decline_invitation": "the person who holds the link",
    "join_as_new_person": "the person who holds the link",
    "accept_invitation": "the person who holds the link",
    "create_operator": "a program could make itself an operator",
    "update_person": "a program could give itself rights",
    "rename_person": "one's own account",
    "save_group": "a program could give itself rights",
    "delete_group": "a program could give itself rights",
    "create_token": "a program could outlive its token",
    "revoke_token": "one's own account",
}
BEHIND = {
    "register_client": "createOAuth2Client",
    "update_client": "setOAuth2Client",
    "disable_client": "disableOAuth2Client",
    "enable_client": "enableOAuth2Client",
    "delete_client": "deleteOAuth2Client",
    "revoke_tokens": "deleteOAuth2Token",
    "add_secret": "addSecret",
    "rotate_secret": "rotateSecret",
    "rotate_client": "rotateOAuth2ClientSecret",
    "revoke_rotated": "deleteRotatedOAuth2ClientSecrets",
    "expire_secret": "expireSecret",
    "revoke_secret": "revokeSecret",
    "create_api": "createAPI",
    "update_api": "setAPI",
    "delete_api": "deleteAPI",
    "set_access": "setAccess",
    "create_consumer": "createConsumer",
    "update_consumer": "setConsumer",
    "suspend_consumer": "suspendConsumer",
    "resume_consumer": "resumeConsumer",
    "delete_consumer": "deleteConsumer",
    "invite_manager": "inviteManager",
    "resend_invitation": "resendInvitation",
    "withdraw_invitation": "withdrawInvitation",
    "change_role": "setMember",
    "remove_member": "removeMember",
    "trials.make": "makeTestToken",
    "trials.revoke": "revokeTestToken",
}


def deeds() -> set[str]:
    """Return the names of every function that changes something in somebody's name."""
    found = set()
    for module in (actions, catalogue, workspaces, people, tokens, trials):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            own = function.__module__ == module.__name__ and not name.startswith(("_", "check"))
            if own and "actor" in inspect.signature(function).parameters:
                found.add(f"trials.{name}" if module is trials else name)
    return found


def calls(function) -> str:
    """Return the source of an operation and of the helpers beside it."""
    return inspect.getsource(inspect.getmodule(function))


def test_every_action_has_its_door_or_a_reason_for_none():
    needed = deeds() - PAGES_ALONE.keys()
    assert needed <= BEHIND.keys()
    known = {operation.id: operation for _, _, operation in operations()}
    for deed, door in BEHIND.items():
        if deed in needed:
            assert f"{deed.removeprefix('trials.')}(" in calls(known[door].handler), deed


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
