"""What is bad, repeated, oversized, out of place or meant to confuse gets the registered error, and never a fault.

The tables are multiplied: each way to spoil a form is tried at each endpoint that reads one.
"""

import base64
from collections.abc import Callable
from itertools import product
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from authority.keys import workload_issuer
from clients.actions.clients import assign_subject
from clients.vocabulary import GrantType
from tests.authority.conftest import FORM, Program, basic
from tests.authority.endpoints import test_bad_authorization_requests as elsewhere
from tests.authority.flows import BACK
from tests.authority.workload import BACKEND
from tests.factories import ClientFactory, give_secret

# Endpoint, by the name of its address: a form that it accepts from a client with a secret.
FORMS: dict[str, dict[str, str]] = {
    "token": {"grant_type": "client_credentials", "scope": "shipments:read"},
    "introspect": {"token": "nothing"},
    "revoke": {"token": "nothing"},
    "par": {
        "response_type": "code",
        "redirect_uri": BACK,
        "scope": "openid shipments:read",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    },
    "device-authorization": {"scope": "openid shipments:read"},
    "workload-token": {"audience": BACKEND},
}


def at(endpoint: str) -> str:
    return reverse(endpoint, args=[workload_issuer.issuer_name()] if endpoint.startswith("workload") else [])


@pytest.fixture
def caller(acme, acme_access):
    """A client with one secret that may use every endpoint."""
    client = ClientFactory(
        consumer=acme,
        template="web",
        grant_types=GrantType.values,
        scopes=["openid", "shipments:read"],
        identity_token_audience=[BACKEND],
        project="dispatch",
        deployment="dispatch-production",
        environment_type="production",
    )
    assign_subject(client)
    return Program(client, give_secret(client)[1])


@pytest.mark.parametrize("endpoint", FORMS)
def test_unspoilt_the_form_is_served(caller, endpoint):
    assert caller.post(at(endpoint), FORMS[endpoint]).status_code in (200, 201)


def pair(text: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text).decode()}


# -- The form itself --------------------------------------------------------------------------------------------------

SPOIL_BODY: dict[str, Callable[[str], str | bytes]] = {
    "a parameter twice": lambda form: f"{form}&{form}",
    "an unknown parameter twice": lambda form: f"{form}&made_up=1&made_up=2",
    "an empty parameter twice": lambda form: f"{form}&state=&state=",
    "NUL in a value": lambda form: f"{form}&state=%00",
    "NUL in a name": lambda form: f"{form}&st%00ate=1",
    "bytes that are no UTF-8": lambda form: f"{form}&state=%ff%fe",
    "half a surrogate pair": lambda form: f"{form}&state=%ed%a0%80",
    "a thousand parameters": lambda form: form + "".join(f"&p{number}=1" for number in range(1200)),
    "three million bytes": lambda form: form + "&state=" + "x" * 3_000_000,
    "UTF-16": lambda form: form.encode("utf-16"),
}


@pytest.mark.compliance("RFC 6749", "3.2")
@pytest.mark.parametrize(("endpoint", "how"), [*product(FORMS, SPOIL_BODY)])
def test_a_spoilt_form_is_an_invalid_request(caller, endpoint, how):
    answer = caller.post(at(endpoint), SPOIL_BODY[how](urlencode(FORMS[endpoint])))
    assert_refused(answer, 400, "invalid_request")


CONTENT_TYPES = [
    "application/json",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/html",
    "application/x-www-form-urlencoded2",
    "application/xml",
    "",
    "x" * 3000,
]


@pytest.mark.parametrize(("endpoint", "content_type"), [*product(FORMS, CONTENT_TYPES)])
def test_another_content_type_is_an_invalid_request(caller, endpoint, content_type):
    body = urlencode(FORMS[endpoint])
    answer = caller.http.post(at(endpoint), body, content_type=content_type, headers=caller.authorization)
    assert_refused(answer, 400, "invalid_request")


@pytest.mark.parametrize(("endpoint", "method"), [*product(FORMS, ["GET", "PUT", "PATCH", "DELETE", "TRACE"])])
def test_another_method_is_not_allowed(caller, endpoint, method):
    answer = caller.http.generic(method, at(endpoint), urlencode(FORMS[endpoint]), FORM, headers=caller.authorization)
    assert_refused(answer, 405, "invalid_request")
    assert "POST" in answer["Allow"]


@pytest.mark.compliance("RFC 6749", "2.3.1")
@pytest.mark.parametrize(
    ("endpoint", "query"), [*product(FORMS, ["client_id=a&client_secret=b", "token=x", "%00", "grant_type="])]
)
def test_nothing_is_read_from_the_address(caller, endpoint, query):
    assert_refused(caller.post(f"{at(endpoint)}?{query}", FORMS[endpoint]), 400, "invalid_request")


# -- Who asks ---------------------------------------------------------------------------------------------------------

HEADERS: dict[str, Callable[[Program], dict[str, str]]] = {
    "another secret": lambda program: {"Authorization": basic(program.client.client_id, "cdsk_wrong")},
    "no secret": lambda program: {"Authorization": basic(program.client.client_id, "")},
    "another client": lambda program: {"Authorization": basic("cl_nobody", program.secret)},
    "no client": lambda program: {"Authorization": basic("", program.secret)},
    "NUL in the client ID": lambda program: {"Authorization": basic("cl_\0", program.secret)},
    "a client ID of ten thousand letters": lambda program: {"Authorization": basic("c" * 10_000, program.secret)},
    "a secret of ten thousand letters": lambda program: {
        "Authorization": basic(program.client.client_id, "s" * 10_000)
    },
    "a client ID beyond ASCII": lambda program: {"Authorization": basic("cl_ü", program.secret)},
    "no colon": lambda program: pair(program.client.client_id.encode()),
    "bytes that are no UTF-8": lambda program: pair(b"\xff\xfe:\xff"),
    "no base64": lambda program: {"Authorization": "Basic %%%"},
    "nothing after Basic": lambda program: {"Authorization": "Basic"},
    "nobody": lambda program: {},
    "a bearer token": lambda program: {"Authorization": "Bearer abc"},
    "another scheme": lambda program: {"Authorization": "Digest username=a"},
}


@pytest.mark.compliance("RFC 6749", "5.2")
@pytest.mark.parametrize(("endpoint", "how"), [*product(FORMS, HEADERS)])
def test_whoever_proves_nothing_is_an_invalid_client(caller, endpoint, how):
    answer = caller.http.post(at(endpoint), urlencode(FORMS[endpoint]), content_type=FORM, headers=HEADERS[how](caller))
    assert_refused(answer, 401, "invalid_client")
    assert answer["WWW-Authenticate"].startswith("Basic ")


CONFUSED: dict[str, tuple[Callable[[Program], dict[str, str]], int, str]] = {
    "secret in header and body": (
        lambda it: {"client_secret": it.secret, "client_id": it.client.client_id},
        400,
        "invalid_request",
    ),
    "another client in the body": (lambda it: {"client_id": "cl_another"}, 400, "invalid_request"),
    "header and assertion": (
        lambda it: {"client_assertion": "a.b.c", "client_assertion_type": "x"},
        400,
        "invalid_request",
    ),
}


@pytest.mark.compliance("RFC 6749", "2.3")
@pytest.mark.parametrize(("endpoint", "how"), [*product(FORMS, CONFUSED)])
def test_two_authentication_methods_are_an_invalid_request(caller, endpoint, how):
    more, status, error = CONFUSED[how]
    assert_refused(caller.post(at(endpoint), FORMS[endpoint] | more(caller)), status, error)


# -- What is asked of the token endpoint ------------------------------------------------------------------------------

GRANTS = {
    "none": ({}, "invalid_request"),
    "empty": ({"grant_type": ""}, "invalid_request"),
    "in capitals": ({"grant_type": "CLIENT_CREDENTIALS"}, "unsupported_grant_type"),
    "with a space": ({"grant_type": "client_credentials "}, "unsupported_grant_type"),
    "implicit": ({"grant_type": "implicit"}, "unsupported_grant_type"),
    "password": ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
    "openid": ({"grant_type": "openid"}, "unsupported_grant_type"),
    "token exchange": ({"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"}, "unsupported_grant_type"),
    "saml": ({"grant_type": "urn:ietf:params:oauth:grant-type:saml2-bearer"}, "unsupported_grant_type"),
    "jwt bearer": (
        {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c"},
        "unsupported_grant_type",
    ),
    "ten thousand letters": ({"grant_type": "g" * 10_000}, "unsupported_grant_type"),
    "markup": ({"grant_type": "<script>alert(1)</script>"}, "unsupported_grant_type"),
    "a code, which it is not registered for": (
        {"grant_type": "authorization_code", "code": "x", "redirect_uri": BACK, "code_verifier": "v" * 43},
        "unauthorized_client",
    ),
    "a refresh token, which it is not registered for": (
        {"grant_type": "refresh_token", "refresh_token": "x"},
        "unauthorized_client",
    ),
    "an unknown permission": ({"grant_type": "client_credentials", "scope": "everything"}, "invalid_scope"),
    "a permission in capitals": ({"grant_type": "client_credentials", "scope": "SHIPMENTS:READ"}, "invalid_scope"),
    "a person's scope": ({"grant_type": "client_credentials", "scope": "openid"}, "invalid_scope"),
    "a permission with a quote": ({"grant_type": "client_credentials", "scope": 'a"b'}, "invalid_scope"),
    "a permission beyond ASCII": ({"grant_type": "client_credentials", "scope": "lesen:ü"}, "invalid_scope"),
    "one good permission, one bad": (
        {"grant_type": "client_credentials", "scope": "shipments:read everything"},
        "invalid_scope",
    ),
    "three thousand permissions": (
        {"grant_type": "client_credentials", "scope": " ".join(f"s{number}" for number in range(3000))},
        "invalid_scope",
    ),
}


@pytest.mark.compliance("RFC 6749", "5.2")
@pytest.mark.parametrize("how", GRANTS)
def test_what_is_not_offered_has_its_registered_error(program, how):
    form, error = GRANTS[how]
    assert_refused(program.post("/oauth2/token", form), 400, error)


EXCHANGES = {
    "no code": ({"code": None}, "invalid_request"),
    "another code": ({"code": "x" * 43}, "invalid_grant"),
    "a code of ten thousand letters": ({"code": "x" * 10_000}, "invalid_grant"),
    "a code beyond ASCII": ({"code": "kød"}, "invalid_grant"),
    "no verifier": ({"code_verifier": None}, "invalid_grant"),
    "another verifier": ({"code_verifier": "w" * 43}, "invalid_grant"),
    "a verifier that is too short": ({"code_verifier": "w" * 42}, "invalid_grant"),
    "a verifier that is too long": ({"code_verifier": "w" * 129}, "invalid_grant"),
    "a verifier with strange letters": ({"code_verifier": "w" * 42 + "ü"}, "invalid_grant"),
    "another redirect URI": ({"redirect_uri": BACK + "/"}, "invalid_grant"),
    "a redirect URI in capitals": ({"redirect_uri": BACK.upper()}, "invalid_grant"),
}


@pytest.mark.compliance("RFC 6749", "4.1.3")
@pytest.mark.parametrize("how", EXCHANGES)
def test_a_code_is_not_exchanged_on_other_terms(flow, how):
    changes, error = EXCHANGES[how]
    code = flow.code()
    assert_refused(flow.exchange(**({"code": code} | changes)), 400, error)


def test_there_are_enough_of_them():
    everywhere = len(SPOIL_BODY) + len(CONTENT_TYPES) + 5 + 4 + len(HEADERS) + len(CONFUSED)
    authorize = len(elsewhere.PAGES) + len(elsewhere.DUPLICATES) + len(elsewhere.RETURNS)
    once = len(GRANTS) + len(EXCHANGES) + 2 * len(elsewhere.BEARERS) + authorize
    assert len(FORMS) * everywhere + once >= 250


def assert_refused(answer, status, error):
    """Require the registered code at its status, a sentence that repeats nothing, and nothing cached."""
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.json()["error_description"]
    assert answer["Content-Type"].startswith("application/json")
    assert answer["Cache-Control"] == "no-store"
    assert "cdsk_" not in answer.text
