"""Callers of the management API: `program_of(alice).get("/admin/clients")` speaks as Alice, by a token of hers."""

import json
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients.models import Api
from consumers.actions.personal_tokens import create_token
from consumers.scopes import AUDIENCE, MANAGEMENT_SCOPES
from tests.factories import actor_for


class Program:
    """A program that holds a token, and no cookie."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.browser = Browser()

    def send(self, method, path, body=None, **headers):
        content = {} if body is None else {"data": body if isinstance(body, (str, bytes)) else json.dumps(body)}
        kind = headers.pop("content_type", "application/json")
        return self.browser.generic(
            method, path, **content, content_type=kind, headers={"Authorization": f"Bearer {self.token}"} | headers
        )

    def get(self, path, **headers):
        return self.send("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.send("POST", path, body, **headers)

    def put(self, path, body=None, **headers):
        return self.send("PUT", path, body, **headers)

    def patch(self, path, body=None, **headers):
        return self.send("PATCH", path, body, **headers)

    def delete(self, path, **headers):
        return self.send("DELETE", path, **headers)


@pytest.fixture
def management_api(db):
    return Api.objects.get(identifier=AUDIENCE)


@pytest.fixture
def token_of(db):
    """Make a token of a person's: `token_of(alice, scopes=["clients:read"])`."""

    def make(user, scopes=tuple(MANAGEMENT_SCOPES), consumer=None, days=30):
        return create_token(
            user=user,
            name="Test",
            scopes=scopes,
            consumer=consumer,
            expires_at=timezone.now() + timedelta(days=days),
            actor=actor_for(user),
        )[1]

    return make


@pytest.fixture
def program_of(token_of):
    def program(user, **options):
        return Program(token_of(user, **options))

    return program
