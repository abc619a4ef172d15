"""SECRET_PEPPERS: the first digests, each still verifies, and none goes while a credential that works needs it."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.utils import timezone

from authority import client_directory
from authority.authorization import device_requests
from authority.telemetry import writer
from clients.actions import registration
from clients.metadata import TEMPLATES
from clients.models import ClientSecret, InitialAccessToken, RegistrationAccessToken
from consumers.actions import personal_tokens
from consumers.models import PersonalToken
from core import credentials
from portal import peppers
from tests.authority.conftest import Program
from tests.factories import actor_for, give_secret

pytestmark = pytest.mark.django_db

NEW = {"2": "a pepper that has at least 32 characters"}


def listed():
    output = StringIO()
    call_command("keys", "peppers", stdout=output)
    return output.getvalue().splitlines()


def test_every_model_that_needs_a_pepper_is_counted():
    needing = {model for model in apps.get_models() if any(f.name == "pepper_version" for f in model._meta.fields)}
    assert {live.model for live in peppers.live_credentials().values()} == needing


def test_a_secret_moves_to_the_first_pepper_when_it_is_used(service, settings):
    row, secret = give_secret(service)
    former = row.digest
    settings.SECRET_PEPPERS = settings.SECRET_PEPPERS | NEW
    assert Program(service, secret).token().status_code == 200
    writer.flush()
    assert ClientSecret.objects.get(pk=row.pk).digest == former, "the second verifies, and digests nothing"
    settings.SECRET_PEPPERS = NEW | settings.SECRET_PEPPERS
    assert Program(service, f"{secret[:-1]}~").token().status_code == 401
    writer.flush()
    assert ClientSecret.objects.get(pk=row.pk).pepper_version == "1"
    assert Program(service, secret).token().status_code == 200
    writer.flush()
    moved = ClientSecret.objects.get(pk=row.pk)
    assert (moved.pepper_version, moved.matches(secret)) == ("2", True)
    settings.SECRET_PEPPERS = NEW
    assert Program(service, secret).token().status_code == 200


def test_tokens_move_to_the_first_pepper_when_they_are_used(acme, alice, service, settings):
    tomorrow = timezone.now() + timedelta(days=1)
    actor = actor_for(alice)
    _, personal = personal_tokens.create_token(
        user=alice, name="Deployment", scopes=["clients:read"], expires_at=tomorrow, actor=actor
    )
    _, initial = registration.create_initial_access_token(
        consumer=acme, name="Partner", expires_at=tomorrow, actor=actor, max_uses=None
    )
    allowance = registration.use_initial_access_token(initial)
    client, _, own = registration.register_itself(allowance=allowance, metadata=metadata(), actor=actor)
    settings.SECRET_PEPPERS = NEW | settings.SECRET_PEPPERS
    for _ in range(2):
        assert personal_tokens.find_token(personal) is not None
        assert registration.use_initial_access_token(initial)
        assert registration.find_registration_access_token(own, client.client_id) is not None
        settings.SECRET_PEPPERS = NEW
    for model in (PersonalToken, InitialAccessToken, RegistrationAccessToken):
        assert model.objects.get().pepper_version == "2"


def metadata():
    return TEMPLATES["public"].replace(client_name="Partner app", redirect_uris=("https://app.example.com/back",))


def test_a_user_code_is_found_whichever_process_has_made_it(service, settings):
    settings.SECRET_PEPPERS = NEW | settings.SECRET_PEPPERS
    _, user_code = device_requests.create(
        client_directory.load(service.client_id), ["shipments:read"], ip=None, user_agent=""
    )
    settings.SECRET_PEPPERS = dict(reversed(settings.SECRET_PEPPERS.items()))
    assert credentials.current_pepper() == "1"
    assert device_requests.find_waiting(user_code) is not None
    assert device_requests.find_waiting("BBBB-BBBB") is None


def test_no_pepper_goes_while_a_credential_that_works_needs_it(service, settings):
    row, _ = give_secret(service)
    assert run_checks(databases=["default"]) == []
    settings.SECRET_PEPPERS = NEW
    [error] = run_checks(databases=["default"])
    assert error.id == "portal.E002"
    assert error.msg == (
        "SECRET_PEPPERS lacks what stored credentials need (version 1 for client secrets). "
        "Put it back, behind the others."
    )
    with pytest.raises(SystemExit, match=r"^Clientdesk cannot start: SECRET_PEPPERS lacks"):
        peppers.exit_unless_complete()
    row.revoked_at = timezone.now()
    row.save()
    assert run_checks(databases=["default"]) == []
    peppers.exit_unless_complete()


def test_the_command_says_how_many_need_each_and_which_can_go(service, alice, settings):
    row, _ = give_secret(service)
    settings.SECRET_PEPPERS = NEW | settings.SECRET_PEPPERS | {"3": "another pepper that has 32 characters"}
    give_secret(service)
    give_secret(service)
    assert listed() == [
        "1: 1 client secrets",
        "2: 2 client secrets. New credentials are stored under it",
        "3: in no use. It can be removed once all processes store new credentials under another",
    ]
    ClientSecret.objects.filter(pk=row.pk).update(pepper_version="9")
    assert listed()[-1] == "9: 1 client secrets. It is missing from SECRET_PEPPERS, so these do not work"
    output = StringIO()
    call_command("keys", "peppers", "--json", stdout=output)
    assert json.loads(output.getvalue())["2"]["client secrets"] == 2
