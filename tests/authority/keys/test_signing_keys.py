"""Signing keys: encrypted at rest, one active for each algorithm, never replaced because of a wrong key of ours."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from authority.keys import checks, signing_keys
from authority.models import SigningKey
from consumers.models import Event
from core.encryption import fernet


@pytest.fixture(autouse=True)
def nothing_opened():
    signing_keys.reset_for_tests()
    yield
    signing_keys.reset_for_tests()


def test_the_check_is_registered_when_django_starts():
    program = (
        "import django; django.setup(); from django.core.checks.registry import registry; "
        "print(*(check.__name__ for check in registry.get_checks(include_deployment_checks=True)))"
    )
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environ)
    assert "keys_are_decryptable" in found.stdout


@pytest.mark.django_db
def test_a_key_is_made_once_and_written_down():
    first, second = signing_keys.signer("ES256", seconds=3600), signing_keys.signer("ES256", seconds=3600)
    assert first is second
    event = Event.objects.get(name="key.created")
    assert (event.actor_kind, event.target_label) == ("system", first.kid)


@pytest.mark.django_db
def test_private_half_rests_encrypted_with_its_name_inside():
    kid = signing_keys.signer("ES256", seconds=3600).kid
    row = SigningKey.objects.get(kid=kid)
    assert b"pkcs8" not in bytes(row.encrypted_private_key)
    assert json.loads(fernet().decrypt(bytes(row.encrypted_private_key)))["kid"] == kid
    assert "private" not in repr(signing_keys.signer("ES256", seconds=3600))


@pytest.mark.django_db
def test_swapped_rows_are_noticed():
    signing_keys.signer("ES256", seconds=3600)
    row = SigningKey.objects.get(algorithm="ES256")
    row.encrypted_private_key = signing_keys.encrypt_private_key("another", signing_keys.jws.generate("ES256"))
    row.save()
    signing_keys.reset_for_tests()
    with pytest.raises(signing_keys.KeysNotDecryptable):
        signing_keys.signer("ES256", seconds=3600)


@pytest.mark.django_db
def test_wrong_encryption_key_refuses_loudly_and_makes_no_new_key(settings, capsys):
    signing_keys.signer("ES256", seconds=3600)
    signing_keys.reset_for_tests()
    settings.KEY_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    for algorithm in ("ES256", "RS256"):
        with pytest.raises(signing_keys.KeysNotDecryptable):
            signing_keys.signer(algorithm, seconds=3600)
    assert SigningKey.objects.count() == 1
    with pytest.raises(SystemExit) as refused:
        checks.exit_unless_decryptable()
    assert str(refused.value).startswith("Clientdesk cannot start: KEY_ENCRYPTION_KEYS does not open")
    assert "\n" not in str(refused.value)
    with pytest.raises(SystemExit, match="KEY_ENCRYPTION_KEYS does not open"):
        call_command("work")
    with pytest.raises(CommandError, match="KEY_ENCRYPTION_KEYS does not open"):
        call_command("check", databases=["default"])


@pytest.mark.django_db
def test_encryption_keys_rotate_without_downtime(settings):
    kid = signing_keys.signer("ES256", seconds=3600).kid
    signing_keys.reset_for_tests()
    settings.KEY_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.KEY_ENCRYPTION_KEYS]
    assert signing_keys.signer("ES256", seconds=3600).kid == kid
    checks.exit_unless_decryptable()


@pytest.mark.django_db
def test_the_database_allows_one_active_key_for_each_algorithm():
    signing_keys.signer("ES256", seconds=3600)
    with pytest.raises(IntegrityError), transaction.atomic():
        SigningKey.objects.create(kid="x", algorithm="ES256", state="active", public_jwk={}, encrypted_private_key=b"")


@pytest.mark.django_db(transaction=True)
def test_many_workers_that_need_the_first_key_make_one():
    def ask(_):
        try:
            return signing_keys.ensure_active_key("EdDSA").kid
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        kids = set(pool.map(ask, range(24)))
    assert len(kids) == 1
    assert SigningKey.objects.filter(algorithm="EdDSA").count() == 1
