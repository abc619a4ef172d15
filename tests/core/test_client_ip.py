"""Addresses that a database takes for one another are no way into somebody's account."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail

from consumers.models import Invitation
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

PEOPLE = "/consumers/acme/people/"
# PostgreSQL takes each for “alice@” or “alice@acme” where it ignores case.
TWINS = ["al\u0131ce@acme.example", "al\u0130ce@acme.example", "alice@acme.\u0435xample"]


@pytest.mark.parametrize("path", ["/account/login/code/", "/account/password/reset/"])
@pytest.mark.parametrize("twin", TWINS)
def test_a_twin_of_an_address_gets_no_code(client, alice, twin, path):
    client.post(path, {"email": twin})
    assert [message for message in mail.outbox if "code:" in message.body] == []


def test_a_twin_of_an_address_cannot_be_added(client, alice, mallory):
    client.force_login(mallory, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.post("/account/login/", {"login": mallory.email, "password": PASSWORD})
    client.post("/account/email/", {"action_add": "", "email": TWINS[0]})
    assert not EmailAddress.objects.exclude(email__in=[alice.email, mallory.email]).exists()
    assert mail.outbox == []


@pytest.mark.parametrize("twin", ["mar\u0131o@acme.example", "mario@acme.exampl\u00e9", "\u017fam@acme.example"])
def test_addresses_are_invited_in_plain_letters(browser_of, alice, acme, twin):
    page = browser_of(alice).post(f"{PEOPLE}invite/", {"emails": twin, "role": "viewer"})
    assert page.status_code == 422
    assert twin in page.content.decode()
    assert not Invitation.objects.exists()
