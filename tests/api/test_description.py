"""The description of the management API."""

import pytest
from django.urls import reverse

from core.rest.schemas import validate
from portal.api.openapi import TAGS, description, operations


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
