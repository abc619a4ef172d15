"""Nobody finds out who has an account: the same answer, as many mails, and the same work (ASVS 5.0, 6.3.8).

Work is counted instead of timed: statements, and digests of passwords. A clock would tell the same in many tries, or
tell of the machine.
"""

import re

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from consumers.models import Invitation

pytestmark = pytest.mark.django_db

UNKNOWN = "nobody@globex.example"
DOORS = {
    "sign-in code": ("/account/login/code/", lambda email: {"email": email}),
    "password reset": ("/account/password/reset/", lambda email: {"email": email}),
    "password": ("/account/login/", lambda email: {"login": email, "password": "not the right one"}),
    "invitation": ("/consumers/acme/people/invite/", lambda email: {"emails": email, "role": "viewer"}),
}
OWN = re.compile(r'req_\w+|datetime="[^"]+"|value="\w{64}"|invitations/\d+')  # of each answer
# Where no address has been confirmed, allauth looks for the person's own too: by its unique index.
ALSO_ASKED = re.compile(r'^DECLARE .* FROM "consumers_user" WHERE "consumers_user"."email" = \?$')


@pytest.fixture
def asked(alice, browser_of, monkeypatch):
    """Ask at a door about an address; return the answer, what the next page says, and what it took."""
    hashed = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *given: hashed.append(1) or encode(*given))

    def ask(door, email):
        path, form = DOORS[door]
        browser = browser_of(alice) if door == "invitation" else Browser()
        browser.get(path)
        hashed.clear()
        mail.outbox.clear()
        with CaptureQueriesContext(connection) as statements:
            answer = browser.post(path, form(email))
        took = [re.sub(r"'[^']*'|\b\d+\b|\"(s\d+_x\d+|_django_curs\w+)\"", "?", each["sql"]) for each in statements]
        mails = sorted("new" if message.to == [email] else message.to[0] for message in mail.outbox)
        after = browser.get(answer["Location"]).text if answer.status_code == 302 else ""
        Invitation.objects.all().delete()  # the next page lists them
        said = [
            re.sub(r'req_\w+|datetime="[^"]+"|value="\w{64}"|invitations/\d+', "", text)
            for text in (answer.text, after)
        ]
        return answer.status_code, [text.replace(email, "EMAIL") for text in said], mails, took, len(hashed)

    return ask


@pytest.mark.parametrize("door", DOORS)
def test_a_known_and_an_unknown_address_get_the_same_after_the_same_work(asked, mallory, door):
    asked(door, "first@globex.example")  # which fills caches
    known, unknown = asked(door, mallory.email), asked(door, UNKNOWN)
    assert known[:3] == unknown[:3]
    assert known[4] == unknown[4] == (1 if door == "password" else 0)
    more = [statement for statement in unknown[3] if ALSO_ASKED.match(statement)]
    assert known[3] == [statement for statement in unknown[3] if statement not in more]
    assert len(more) <= 1
    assert len(known[3]) > 5
