"""A moment that cannot be meant, or stored, is a fault at every door that takes one (RFC 3339 section 5.6)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.api.test_registration import TOKENS
from tests.factories import give_secret

pytestmark = pytest.mark.django_db
FAULTS = ["", "2127-01-01T00:00:00+17:00", "2127-01-01T00:00:00-16:00", "9999-12-31T23:59:59-01:00", "2127-01-01"]


def refused(answer, field):
    document = answer.json()
    assert answer.status_code == 400, answer.text
    assert field in document["error_description"]
    assert "write a moment" in document["error_description"] or "use a" in document["error_description"]
    return True


@pytest.mark.parametrize("text", FAULTS)
@pytest.mark.parametrize("path", ["/admin/activity", "/admin/activity/export"])
@pytest.mark.parametrize("name", ["since", "until"])
def test_activity_is_not_asked_for_by_such(path, name, text, alice, program_of):
    assert refused(program_of(alice).get(f"{path}?{name}={text.replace('+', '%2B')}"), name)


@pytest.mark.parametrize("text", FAULTS)
def test_no_secret_ends_then(text, service, alice, program_of):
    secret, _ = give_secret(service)
    program, path = program_of(alice), f"/admin/clients/{service.client_id}/secrets"
    ends = timezone.now() + timedelta(days=10)
    assert program.put(f"{path}/{secret.pk}", {"expires_at": ends.isoformat()}).status_code == 200
    assert refused(program.put(f"{path}/{secret.pk}", {"expires_at": text}), "expires_at")
    assert refused(program.post(path, {"expires_at": text}), "expires_at")
    assert refused(program.post(f"{path}/{secret.pk}/rotate", {"expires_at": text}), "expires_at")
    secret.refresh_from_db()
    assert secret.expires_at == ends
    assert service.secrets.count() == 1


@pytest.mark.parametrize("text", FAULTS)
def test_no_initial_access_token_ends_then(text, acme_access, alice, program_of):
    assert refused(program_of(alice).post(TOKENS, {"name": "x", "max_uses": 1, "expires_at": text}), "expires_at")


def test_other_parameters_may_be_left_empty(alice, program_of):
    assert program_of(alice).get("/admin/activity?name=&consumer=").status_code == 200
