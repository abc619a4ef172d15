"""Software statements (RFC 7591 section 2.3): what somebody trusted has signed stands before what is sent."""

import time

import pytest
from django.conf import settings
from django.utils import timezone

from clients.actions import clients as client_actions
from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.models import Client, SoftwareIssuer
from clients.policy import portal_policy
from consumers.audit import SYSTEM
from tests.authority.endpoints.test_rfc7591_registration import WANTED, ask, assert_refused, initial_access_token
from tests.signing import KeyPair

KEY = KeyPair("ES256")
ISSUER = "https://statements.example"


@pytest.fixture
def trusted(db):
    return SoftwareIssuer.objects.create(issuer=ISSUER, jwks=KEY.jwks)


@pytest.fixture
def token(acme, acme_access):
    return initial_access_token(acme, max_uses=None)


def statement(key=KEY, headers=None, **claims):
    now = int(time.time())
    lasting = {"iss": ISSUER, "iat": now, "exp": now + 3600, "aud": settings.ISSUER} | claims
    return key.sign({name: value for name, value in lasting.items() if value is not None}, **(headers or {}))


@pytest.mark.compliance("RFC 7591", "2.3")
def test_signed_values_stand_before_those_that_are_sent(client, trusted, token):
    signed = statement(client_name="Signed name", software_id="4a7f", redirect_uris=["https://signed.example/back"])
    told = ask(client, WANTED | {"software_statement": signed}, token)
    assert told.status_code == 201, told.text
    assert told.json()["client_name"] == "Signed name"
    assert told.json()["redirect_uris"] == ["https://signed.example/back"]
    row = Client.objects.get()
    assert row.software_id == "4a7f"
    assert row.self_registration.software_issuer == ISSUER


def test_keys_may_be_published(client, token, publisher, settings):
    settings.FETCH_LOCAL_HOSTS = ["127.0.0.1"]
    SoftwareIssuer.objects.create(issuer=ISSUER, jwks_uri=publisher.publish("/keys", KEY.jwks))
    assert ask(client, WANTED | {"software_statement": statement()}, token).status_code == 201


@pytest.mark.compliance("RFC 7591", "3.2.2")
def test_statement_of_a_stranger_is_not_approved(client, token):
    answer = ask(client, WANTED | {"software_statement": statement()}, token)
    assert_refused(answer, 400, "unapproved_software_statement")


def test_disabled_issuer_is_a_stranger(client, trusted, token):
    SoftwareIssuer.objects.update(disabled_at=timezone.now())
    answer = ask(client, WANTED | {"software_statement": statement()}, token)
    assert_refused(answer, 400, "unapproved_software_statement")


FORGED = {
    "another key": lambda: statement(KeyPair("ES256")),
    "no algorithm": lambda: "eyJhbGciOiJub25lIn0." + statement().split(".")[1] + ".",
    "a cut signature": lambda: statement()[:-4],
    "changed claims": lambda: statement().replace(".", ".e30", 1),
    "ended": lambda: statement(exp=int(time.time()) - 600),
    "no JWT": lambda: "abc",
    "a number": lambda: 5,
    "no issuer": lambda: KEY.sign({"sub": "x"}),
    "twenty thousand letters": lambda: "a" * 20_000,
    "for ever": lambda: statement(exp=None),
    "for nobody": lambda: statement(aud=None),
    "for another server": lambda: statement(aud=["https://elsewhere.example"]),
}


@pytest.mark.compliance("RFC 7591", "3.2.2")
@pytest.mark.parametrize("what", FORGED)
def test_forged_statement_registers_nothing(client, trusted, token, what):
    answer = ask(client, WANTED | {"software_statement": FORGED[what]()}, token)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] in ("invalid_software_statement", "unapproved_software_statement")
    assert not Client.objects.exists()


def test_operator_can_require_a_statement(client, token):
    SoftwareIssuer.objects.create(issuer=ISSUER, jwks=KEY.jwks, required=True)
    assert_refused(ask(client, WANTED, token), 400, "unapproved_software_statement")
    assert ask(client, WANTED | {"software_statement": statement()}, token).status_code == 201


def test_statement_gives_no_more_than_the_rules_allow(client, trusted, token):
    signed = statement(skip_consent=True)
    assert_refused(ask(client, WANTED | {"software_statement": signed}, token), 400, "invalid_client_metadata")


@pytest.mark.compliance("RFC 7519", "4.1.3")
@pytest.mark.parametrize(
    ("claims", "told"), [({"exp": None}, "one with “exp”"), ({"aud": None}, f"“aud” is {settings.ISSUER}")]
)
def test_statement_for_ever_or_for_anybody_is_refused_with_what_to_do(client, trusted, token, claims, told):
    answer = ask(client, WANTED | {"software_statement": statement(**claims)}, token)
    assert_refused(answer, 400, "invalid_software_statement")
    assert told in answer.json()["error_description"]


# -- Later ------------------------------------------------------------------------------------------------------------

GOOD, EVIL = ["https://good.example/back"], ["https://evil.example/back"]


def put(client, told, document):
    path = f"/oauth2/register/{told['client_id']}"
    return ask(client, document, told["registration_access_token"], "put", path)


@pytest.fixture
def vouched(client, trusted, token):
    """What a client was told whose statement signs its name and redirect URIs."""
    signed = statement(client_name="Signed name", redirect_uris=GOOD)
    return ask(client, WANTED | {"software_statement": signed}, token).json()


@pytest.mark.compliance("RFC 7591", "3.2.1")
def test_statement_is_returned_as_it_came(client, vouched):
    assert vouched["software_statement"].count(".") == 2
    path = f"/oauth2/register/{vouched['client_id']}"
    read = ask(client, {}, vouched["registration_access_token"], "get", path).json()
    assert read["software_statement"] == vouched["software_statement"]
    assert put(client, vouched, read).status_code == 200


@pytest.mark.compliance("RFC 7591", "2.3")
@pytest.mark.parametrize("more", [{}, {"client_name#de": "Andere"}])
def test_what_is_signed_stands_when_the_client_replaces_itself(client, vouched, more):
    told = put(client, vouched, WANTED | {"client_name": "Other", "redirect_uris": EVIL, "tos_uri": ""} | more)
    assert told.status_code == 200, told.text
    assert (told.json()["client_name"], told.json()["redirect_uris"]) == ("Signed name", GOOD)
    assert "client_name#de" not in told.json()


def test_another_statement_takes_the_place_of_the_former(client, vouched):
    two = statement(client_name="Signed twice")
    told = put(client, vouched, WANTED | {"software_statement": two})
    assert told.status_code == 200, told.text
    assert told.json()["client_name"] == "Signed twice"
    assert told.json()["redirect_uris"] == WANTED["redirect_uris"]
    row = Client.objects.get()
    assert (row.self_registration.signed_members, row.self_registration.software_statement) == (["client_name"], two)


@pytest.mark.parametrize("change", [{"redirect_uris": tuple(EVIL)}, {"localized": {"client_name#de": "Andere"}}])
def test_people_cannot_change_what_is_signed_and_are_told_so(vouched, change):
    row = Client.objects.get()
    with pytest.raises(InvalidClientMetadata, match=r"signs (redirect_uris|client_name)"):
        client_actions.update_client(
            client=row, change=lambda registered: registered.replace(**change), policy=portal_policy, actor=SYSTEM
        )
    free = ClientMetadata.of(row).replace(description="Ours")
    assert client_actions.update_client(client=row, change=lambda _: free, policy=portal_policy, actor=SYSTEM)


def test_programs_cannot_change_what_is_signed(client, vouched, manager_token):
    path = f"/admin/clients/{vouched['client_id']}"
    patch = [{"op": "replace", "path": "/redirect_uris", "value": EVIL}]
    answer = client.patch(
        path, patch, content_type="application/json", headers={"Authorization": f"Bearer {manager_token}"}
    )
    assert answer.status_code == 400
    assert "redirect_uris" in answer.json()["error_description"]
    assert Client.objects.get().redirect_uris == GOOD


def test_required_statement_is_required_when_the_client_replaces_itself(client, trusted, token):
    told = ask(client, WANTED, token).json()
    SoftwareIssuer.objects.update(required=True)
    assert_refused(put(client, told, WANTED), 400, "unapproved_software_statement")
    assert put(client, told, WANTED | {"software_statement": statement()}).status_code == 200


def test_kept_statement_is_enough_while_its_issuer_is_trusted_and_it_has_not_expired(client, vouched):
    SoftwareIssuer.objects.update(required=True)
    vouched = put(client, vouched, WANTED).json()
    SoftwareIssuer.objects.update(issuer="https://another.example")
    assert_refused(put(client, vouched, WANTED), 400, "unapproved_software_statement")
    SoftwareIssuer.objects.update(issuer=ISSUER)
    expired = statement(exp=int(time.time()) - 600)
    row = Client.objects.get().self_registration
    row.software_statement = expired
    row.save()
    assert_refused(put(client, vouched, WANTED), 400, "invalid_software_statement")
