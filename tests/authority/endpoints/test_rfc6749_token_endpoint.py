"""RFC 6749 sections 2.3, 3.2, 4.4 and 5.2: how a client proves itself, and how it is refused."""

import base64
import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients import secrets
from clients.models import Access, ClientSecret
from tests.authority.conftest import FORM, Program, basic
from tests.factories import ClientFactory, give_secret

pytestmark = pytest.mark.django_db
GRANT = "grant_type=client_credentials"


def assert_refused(answer, status, error):
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.content
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Pragma"] == "no-cache"
    description = answer.json()["error_description"]
    assert description
    assert all(" " <= character <= "~" and character not in '"\\' for character in description)
    assert ("WWW-Authenticate" in answer) == (status == 401)
    if status == 401:
        assert answer["WWW-Authenticate"].startswith("Basic ")


# -- What works -------------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 6749", "2.3.1")
def test_secret_comes_in_the_header(program):
    answer = program.token()
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer["Pragma"] == "no-cache"
    assert answer.json().keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert answer.json()["token_type"] == "Bearer"


@pytest.mark.compliance("RFC 6749", "2.3.1")
def test_secret_comes_in_the_body(service):
    service.token_endpoint_auth_method = "client_secret_post"
    service.save()
    _, text = give_secret(service)
    anonymous = Program(service)
    assert anonymous.token(client_id=service.client_id, client_secret=text).status_code == 200


@pytest.mark.compliance("RFC 6749", "3.3")
def test_without_a_scope_the_client_gets_all_it_may_have(program):
    assert program.token().json()["scope"] == "shipments:read shipments:write"
    assert program.token(scope="").json()["scope"] == "shipments:read shipments:write"


@pytest.mark.compliance("RFC 6749", "3.3")
def test_scope_narrows_and_counts_once(program):
    assert program.token(scope="shipments:write shipments:write").json()["scope"] == "shipments:write"


@pytest.mark.compliance("RFC 6749", "3.1")
def test_unknown_parameters_are_ignored(program):
    assert program.token(audience="x", foo="bar").status_code == 200


def test_every_live_secret_works_and_no_other(program, service):
    row, second = give_secret(service, name="second")
    assert Program(service, second).token().status_code == 200
    row.expires_at = timezone.now() - timedelta(seconds=1)
    row.save()
    assert_refused(Program(service, second).token(), 401, "invalid_client")
    assert program.token().status_code == 200
    service.secrets.exclude(pk=row.pk).update(revoked_at=timezone.now())
    assert_refused(program.token(), 401, "invalid_client")


def test_secret_under_an_older_pepper_still_works(program, service, settings):
    settings.SECRET_PEPPERS = {"2": "a pepper that has at least 32 characters"} | settings.SECRET_PEPPERS
    _, newer = give_secret(service)
    assert secrets.current_pepper() == "2"
    assert program.token().status_code == 200
    assert Program(service, newer).token().status_code == 200
    del settings.SECRET_PEPPERS["1"]
    assert_refused(program.token(), 401, "invalid_client")


def test_one_request_takes_one_statement(program):
    program.token()  # makes and opens the key, once a process
    with CaptureQueriesContext(
        connection,
    ) as statements:
        assert program.token().status_code == 200
    assert len(statements) == 1, [query["sql"] for query in statements.captured_queries]
    assert statements.captured_queries[0]["sql"].startswith("SELECT")


def test_a_token_of_its_own_leaves_no_row(program):
    from authority.models import OpaqueToken, TokenFamily

    program.token()
    assert not OpaqueToken.objects.exists()
    assert not TokenFamily.objects.exists()


# -- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.compliance("RFC 6749", "3.2")
@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head", "options"])
def test_only_post_is_served(program, method):
    answer = getattr(program.http, method)("/oauth2/token")
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    if method != "head":
        assert answer.json()["error"] == "invalid_request"


WRONG_BODIES = {
    "no grant_type": ("scope=shipments:read", 400, "invalid_request"),
    "empty grant_type": ("grant_type=", 400, "invalid_request"),
    "unknown grant": ("grant_type=magic", 400, "unsupported_grant_type"),
    "a name that oauthlib knows": ("grant_type=openid", 400, "unsupported_grant_type"),
    "password": ("grant_type=password&username=a&password=b", 400, "unsupported_grant_type"),
    "implicit": ("grant_type=implicit", 400, "unsupported_grant_type"),
    "grant not registered: device code": (
        "grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=x",
        400,
        "unauthorized_client",
    ),
    "token exchange": ("grant_type=urn:ietf:params:oauth:grant-type:token-exchange", 400, "unsupported_grant_type"),
    "grant not registered: code": ("grant_type=authorization_code&code=x&code_verifier=y", 400, "unauthorized_client"),
    "grant not registered: refresh": ("grant_type=refresh_token&refresh_token=x", 400, "unauthorized_client"),
    "code missing": ("grant_type=authorization_code", 400, "invalid_request"),
    "refresh token missing": ("grant_type=refresh_token", 400, "invalid_request"),
    "scope not granted": (GRANT + "&scope=invoices:read", 400, "invalid_scope"),
    "one scope of two not granted": (GRANT + "&scope=shipments:read+invoices:read", 400, "invalid_scope"),
    "scope in other letters": (GRANT + "&scope=Shipments:Read", 400, "invalid_scope"),
    "openid without a person": (GRANT + "&scope=openid", 400, "invalid_scope"),
    "two spaces in scope": (GRANT + "&scope=shipments:read++shipments:write", 400, "invalid_scope"),
    "grant_type twice": (GRANT + "&" + GRANT, 400, "invalid_request"),
    "scope twice": (GRANT + "&scope=shipments:read&scope=shipments:read", 400, "invalid_request"),
    "unknown parameter twice": (GRANT + "&a=1&a=2", 400, "invalid_request"),
    "NUL in scope": (GRANT + "&scope=%00", 400, "invalid_request"),
    "NUL in a name": (GRANT + "&a%00b=1", 400, "invalid_request"),
    "surrogate in scope": (GRANT + "&scope=%ED%A0%80", 400, "invalid_request"),
    "bad UTF-8 in scope": (GRANT + "&scope=%FF%FE", 400, "invalid_request"),
    "broken percent-encoding": (GRANT + "&scope=%zz", 400, "invalid_scope"),
    "quotes in scope": (GRANT + "&scope=%22%5C", 400, "invalid_scope"),
    "secret in the body too": (GRANT + "&client_id=x&client_secret=y", 400, "invalid_request"),
    "empty body": ("", 400, "invalid_request"),
    "assertion too": (GRANT + "&client_assertion=x&client_assertion_type=y", 400, "invalid_request"),
    "other client_id in the body": (GRANT + "&client_id=cl_other", 400, "invalid_request"),
    "a thousand parameters": (GRANT + "".join(f"&p{n}=1" for n in range(1000)), 400, "invalid_request"),
    "a body of 300 kB": (GRANT + "&scope=" + "x" * 300_000, 400, "invalid_request"),
    "a scope of 100 kB": (GRANT + "&scope=" + "x" * 100_000, 400, "invalid_scope"),
}


@pytest.mark.compliance("RFC 6749", "5.2")
@pytest.mark.parametrize("case", WRONG_BODIES)
def test_wrong_body_gets_the_registered_error(program, case):
    body, status, error = WRONG_BODIES[case]
    assert_refused(program.post("/oauth2/token", body), status, error)


def credentials(text):
    return "Basic " + base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


WRONG_HEADERS = {
    "unknown client": lambda id, secret: basic("cl_nobody", secret),
    "wrong secret": lambda id, secret: basic(id, secrets.generate()),
    "no secret": lambda id, secret: basic(id, ""),
    "no colon": lambda id, secret: credentials(id),
    "swapped": lambda id, secret: basic(secret, id),
    "not base64": lambda id, secret: "Basic ???",
    "nothing": lambda id, secret: "Basic",
    "empty": lambda id, secret: "",
    "not UTF-8": lambda id, secret: credentials(b"\xff\xfe:x"),
    "NUL in client_id": lambda id, secret: credentials(f"{id}\0:{secret}"),
    "encoded NUL in client_id": lambda id, secret: credentials(f"{id}%00:{secret}"),
    "NUL in secret": lambda id, secret: credentials(f"{id}:{secret}\0"),
    "encoded surrogate": lambda id, secret: credentials(f"{id}%ED%A0%80:{secret}"),
    "newline": lambda id, secret: credentials(f"{id}\n:{secret}"),
    "a client_id of 20 kB": lambda id, secret: credentials("x" * 20_000 + ":" + secret),
    "a secret of 20 kB": lambda id, secret: credentials(f"{id}:" + "x" * 20_000),
    "secret in other letters": lambda id, secret: basic(id, secret.swapcase()),
    "client_id in other letters": lambda id, secret: basic(id.upper(), secret),
    "trailing space": lambda id, secret: credentials(f"{id}:{secret} "),
    "Bearer": lambda id, secret: f"Bearer {secret}",
    "Digest": lambda id, secret: f'Digest username="{id}"',
    "only the digest of the secret": lambda id, secret: basic(id, secrets.keyed_digest(secret, "1")),
}


@pytest.mark.compliance("RFC 6749", "5.2")
@pytest.mark.parametrize("case", WRONG_HEADERS)
def test_wrong_credentials_are_an_invalid_client(program, case):
    header = WRONG_HEADERS[case](program.client.client_id, program.secret)
    answer = program.http.post("/oauth2/token", GRANT, content_type=FORM, headers={"Authorization": header})
    assert_refused(answer, 401, "invalid_client")


@pytest.mark.parametrize("form", [{}, {"client_id": "cl_nobody"}, {"client_id": "cl_nobody", "client_secret": "x"}])
def test_without_proof_there_is_no_token(service, form):
    assert_refused(Program(service).token(**form), 401, "invalid_client")


def test_client_id_alone_does_not_authenticate_a_client_that_has_a_secret(program):
    assert_refused(Program(program.client).token(client_id=program.client.client_id), 401, "invalid_client")


@pytest.mark.compliance("RFC 6749", "2.3")
@pytest.mark.parametrize("registered", ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"])
@pytest.mark.parametrize("used", ["client_secret_basic", "client_secret_post"])
def test_exactly_the_registered_method_is_accepted(acme, acme_access, registered, used):
    grants = ["authorization_code"] if registered == "none" else ["client_credentials"]
    client = ClientFactory(consumer=acme, token_endpoint_auth_method=registered, grant_types=grants)
    _, text = give_secret(client)
    if used == "client_secret_basic":
        answer = Program(client, text).token()
    else:
        answer = Program(client).token(client_id=client.client_id, client_secret=text)
    if used == registered:
        assert answer.status_code == 200
    else:
        assert_refused(answer, 401, "invalid_client")


@pytest.mark.compliance("RFC 6749", "2.3.1")
@pytest.mark.parametrize("query", ["client_id=a&client_secret=b", "grant_type=client_credentials", "a"])
def test_nothing_is_taken_from_the_url(program, query):
    assert_refused(program.post(f"/oauth2/token?{query}", GRANT), 400, "invalid_request")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "multipart/form-data; boundary=x", "text/plain", "", "application/x-www-form-urlencoded2"],
)
def test_only_forms_are_read(program, content_type):
    answer = program.http.post("/oauth2/token", GRANT, content_type=content_type, headers=program.authorization)
    assert_refused(answer, 400, "invalid_request")


def test_form_in_another_encoding_is_refused(program):
    answer = program.http.post(
        "/oauth2/token", GRANT, content_type=FORM + "; charset=utf-16", headers=program.authorization
    )
    assert_refused(answer, 400, "invalid_request")


def test_disabled_client_and_suspended_consumer_get_nothing(program, acme):
    program.client.disabled_at = timezone.now()
    program.client.save()
    assert_refused(program.token(), 401, "invalid_client")
    program.client.disabled_at = None
    program.client.save()
    assert program.token().status_code == 200
    acme.suspended_at = timezone.now()
    acme.save()
    assert_refused(program.token(), 401, "invalid_client")


def test_deleted_client_gets_nothing(program):
    program.client.delete()
    assert_refused(program.token(), 401, "invalid_client")


def test_client_without_any_permission_is_told_so(stranger):
    assert_refused(stranger.token(), 400, "invalid_scope")


def test_permission_that_is_no_longer_allowed_is_gone_at_once(program, acme):
    Access.objects.filter(consumer=acme, scope__value="shipments:write").delete()
    assert program.token().json()["scope"] == "shipments:read"
    assert_refused(program.token(scope="shipments:write"), 400, "invalid_scope")


def test_unknown_client_and_wrong_secret_get_the_same_answer_after_the_same_work(program, monkeypatch):
    """Else anybody could find out client IDs: by the answer, or by how long it takes."""
    hashed = []
    digest = secrets.keyed_digest
    monkeypatch.setattr(secrets, "keyed_digest", lambda *given: hashed.append(given) or digest(*given))

    def work(client_id):
        """Return the answer, the statements that it took, and how many digests."""
        hashed.clear()
        header = basic(client_id, secrets.generate())
        with CaptureQueriesContext(connection) as statements:
            answer = program.http.post("/oauth2/token", GRANT, content_type=FORM, headers={"Authorization": header})
        return answer, [re.sub(r"cl_\w+", "", each["sql"]) for each in statements], len(hashed)

    unknown, wrong = work("cl_nobody0000000000000"), work(program.client.client_id)
    assert (unknown[0].content, unknown[0].headers.keys()) == (wrong[0].content, wrong[0].headers.keys())
    assert (unknown[1:], len(unknown[1])) == (wrong[1:], 1)


def test_an_answer_never_repeats_what_was_sent(program):
    canary = "cdsk_canary"
    body = f"{GRANT}&scope={canary}&foo={canary}"
    assert canary not in program.post("/oauth2/token", body).content.decode()


@pytest.mark.parametrize("header", ["Bearer eyJ.old.token", "bearer", "", "DPoP x"])
@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"])
def test_a_header_of_another_scheme_is_no_second_authentication(acme, acme_access, header, path):
    client = ClientFactory(consumer=acme, token_endpoint_auth_method="client_secret_post")
    form = {"client_id": client.client_id, "client_secret": give_secret(client)[1]}
    answer = Program(client).post(path, form | {"grant_type": "client_credentials", "token": "x"}, Authorization=header)
    assert answer.status_code == 200


@pytest.mark.compliance("RFC 6749", "2.3.1")
def test_neither_an_empty_secret_nor_its_digest_nor_its_hint_authenticates(program):
    """Also where a row, by somebody's mistake, holds no digest and names a pepper that is gone."""
    (row,) = program.client.secrets.all()
    ClientSecret.objects.create(client=program.client, digest="", pepper_version="9", hint="")
    for text in ("", row.digest, row.hint, f"cdsk_{row.digest}", " "):
        assert_refused(Program(program.client, text).token(), 401, "invalid_client")
    assert program.token().status_code == 200


@pytest.mark.compliance("RFC 6749", "4.4")
def test_no_public_client_has_client_credentials(acme, acme_access):
    with pytest.raises(IntegrityError, match="client_public_no_credentials_grant"), transaction.atomic():
        ClientFactory(consumer=acme, template="public", grant_types=["client_credentials"])
    client = ClientFactory(consumer=acme, template="public")
    refused = Program(client).token(client_id=client.client_id)
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
