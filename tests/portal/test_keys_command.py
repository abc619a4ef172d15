"""`manage.py keys`: what operators do at a terminal, and the re-encryption of everything stored."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from cryptography.fernet import Fernet
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.utils import timezone

from authority.authorization import pushed_requests
from authority.keys import rotation, signing_keys
from authority.models import PushedRequest, SigningKey
from connections.actions.connections import create_connection
from connections.models import Connection
from consumers.accounts.sessions import SessionStore
from consumers.audit import SYSTEM
from consumers.models import Event
from core.encryption import fernet
from core.mail import DecryptedMail, encrypt_message
from core.models import Message
from tests.test_architecture import CODE, named

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_opened():
    signing_keys.reset_for_tests()
    yield
    signing_keys.reset_for_tests()


def run(*words):
    output = StringIO()
    call_command("keys", *words, stdout=output)
    return output.getvalue()


def age():
    SigningKey.objects.update(created_at=timezone.now() - timedelta(hours=2))


def test_list_shows_what_is_published_and_nothing_that_is_encrypted():
    rotation.maintain()
    key = SigningKey.objects.get(algorithm="ES256", state="active")
    rotation.revoke(SigningKey.objects.get(algorithm="RS256", state="next"), actor=rotation.audit.SYSTEM)
    assert key.kid in run("list")
    assert bytes(key.encrypted_private_key).decode() not in run("list", "--all")
    listed = json.loads(run("list", "--json"))
    assert {(row["algorithm"], row["state"]) for row in listed} == {
        (algorithm, state) for algorithm in ("ES256", "RS256") for state in ("active", "next")
    }
    assert "revoked" in run("list", "--all")


def test_rotate_says_what_signs_now_and_what_stays_published():
    rotation.maintain()
    age()
    former = SigningKey.objects.get(algorithm="ES256", state="active")
    said = run("rotate", "--algorithm", "ES256")
    promoted = SigningKey.objects.get(algorithm="ES256", state="active")
    assert f"ES256: {promoted.kid} signs now. {former.kid} is published until " in said
    assert Event.objects.get(name="key.rotated").actor_label == "manage.py keys"
    with pytest.raises(CommandError, match="caches may not know it yet"):
        run("rotate", "--algorithm", "ES256")


def test_rotate_does_what_can_be_done_and_names_the_rest():
    rotation.maintain()
    SigningKey.objects.filter(algorithm="ES256").update(created_at=timezone.now() - timedelta(hours=2))
    with pytest.raises(CommandError, match=r"^RS256: The next key was published a short while ago"):
        run("rotate")
    assert SigningKey.objects.filter(algorithm="ES256", state="retired").count() == 1


def test_revoke_asks_first_and_takes_active_and_next_together():
    rotation.maintain()
    kids = list(SigningKey.objects.filter(algorithm="ES256").values_list("kid", flat=True))
    with pytest.raises(CommandError, match="Nothing was revoked"):
        run("revoke", *kids)
    run("revoke", "--yes", *kids)
    assert set(SigningKey.objects.filter(state="revoked").values_list("kid", flat=True)) == set(kids)
    assert SigningKey.objects.filter(algorithm="ES256", state="active").count() == 1
    with pytest.raises(CommandError, match="There is no key nonsense"):
        run("revoke", "--yes", "nonsense")
    with pytest.raises(CommandError, match="already been revoked"):
        run("revoke", "--yes", kids[0])


# -- Re-encryption ----------------------------------------------------------------------------------------------------


def test_reencrypt_moves_everything_so_that_the_former_key_can_go(settings, alice, service):
    rotation.maintain()
    kid = SigningKey.objects.get(algorithm="ES256", state="active").kid
    letter = Message.objects.create(
        recipients="a@acme.example", subject="Hi", encrypted_message=encrypt_message(mail())
    )
    session = SessionStore()
    session["code"] = "123456"
    session.save()
    totp = Authenticator.objects.create(
        user=alice, type=Authenticator.Type.TOTP, data={"secret": get_adapter().encrypt("JBSWY3DP")}
    )
    codes = RecoveryCodes.activate(alice)
    unused = codes.get_unused_codes()

    pushed_requests.push(service, {"scope": "openid"}, None)
    connection = Connection(name="Okta", slug="okta", issuer="https://acme.okta.com", client_id="us")
    create_connection(connection=connection, client_secret="theirs", actor=SYSTEM)

    new = Fernet.generate_key().decode()
    settings.KEY_ENCRYPTION_KEYS = [new, *settings.KEY_ENCRYPTION_KEYS]
    said = run("reencrypt")
    assert "signing keys: 4 seen, 4 moved" in said
    assert "pushed requests: 1 seen, 1 moved" in said
    assert "client secrets of connections: 1 seen, 1 moved" in said
    assert "second factors: 2 seen, 2 moved" in said
    assert "The others can be removed." in said
    assert "4 seen, 0 moved" in run("reencrypt")

    settings.KEY_ENCRYPTION_KEYS = [new]
    signing_keys.require_decryptable()
    assert signing_keys.signer("ES256", seconds=60).kid == kid
    letter.refresh_from_db()
    assert DecryptedMail(bytes(letter.encrypted_message)).subject == "Hi"
    assert SessionStore(session.session_key)["code"] == "123456"
    assert pushed_requests.parameters_of(PushedRequest.objects.get()) == {"scope": "openid"}
    assert Connection.objects.get().client_secret == "theirs"
    totp.refresh_from_db()
    assert get_adapter().decrypt(totp.data["secret"]) == "JBSWY3DP"
    assert RecoveryCodes(Authenticator.objects.get(pk=codes.instance.pk)).get_unused_codes() == unused
    assert Event.objects.filter(name="key.reencrypted").count() == 2


def mail():
    return EmailMessage(subject="Hi", body="There", from_email="x@acme.example", to=["a@acme.example"])


def test_reencrypt_counts_what_no_key_opens_and_goes_on():
    SessionStore().save()
    Session.objects.create(session_key="old", session_data="not ours", expire_date=timezone.now())
    said = run("reencrypt")
    assert "sessions: 2 seen, 0 moved, 1 cannot be opened by any key" in said
    assert "can be removed" not in said


def test_everything_that_is_encrypted_is_reencrypted():
    """Whoever encrypts something new adds it to portal/reencryption.py, and its file here."""
    encrypting = {named(path) for path in CODE if "fernet()" in path.read_text()}
    assert encrypting == {
        "authority/keys/signing_keys.py",
        "authority/authorization/challenges.py",
        "authority/authorization/pushed_requests.py",
        "connections/models/connections.py",
        "connections/actions/connections.py",
        "consumers/accounts/adapter.py",
        "core/mail.py",
        "consumers/accounts/sessions.py",
        "core/encryption.py",
    }
    assert fernet().decrypt(fernet().encrypt(b"x")) == b"x"
