"""No parser of what strangers send takes more than time in proportion."""

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.core.validators import validate_email
from django.test import RequestFactory
from django.urls import Resolver404, resolve

from authority.authorization import request as authorization_request
from authority.client_authentication import assertions, dpop, methods
from authority.diagnostics.inspector import error_responses, jwt, parsing
from authority.endpoints import fast_path
from authority.endpoints.decorators import single_values
from authority.protocol import redirect_uris as registered_uris
from authority.protocol.errors import OAuth2Error
from authority.telemetry import request_trace
from authority.tokens import bearer
from clients import documents
from clients.converters import ClientId
from clients.federation import matching
from clients.federation.platforms import PLATFORMS
from clients.uris import origins, redirect_uris
from consumers import policy
from consumers.actions.invitations import parse_emails
from core import client_ip, durations, foreign_json, spreadsheets, text, timefmt, uris, user_agents
from core.errors import Refusal
from core.http_fetch import target
from core.jose import jwk, jws
from core.rest import etags, patch, schemas
from portal.logs import RedactingFilter
from tests.authority.conftest import FORM
from tests.linear_time.timing import BUDGET, HEADS, SIZE, UNITS, worst


def jwt_of(claim: str) -> str:
    return (
        f"{jws.pack({'alg': 'ES256', 'kid': claim})}.{jws.pack({'iss': claim, 'aud': [claim], 'a': {claim: 1}})}.c2ln"
    )


def header_of(name: str, given: str) -> object:
    return RequestFactory().get("/", headers={name: given})


def filtered(given: str) -> None:
    record = logging.makeLogRecord({"name": "test", "msg": "%s", "args": (given,)})
    RedactingFilter().filter(record)


def patched(given: str) -> None:
    steps = [{"op": "add", "path": given, "value": given}, {"op": "remove", "path": f"/a/{given}"}]
    patch.apply_patch({"a": {}, "b": []}, steps, ("c",))


def judged_claims(given: str) -> None:
    matching.mismatches(given, {given: given, f"/{given}": given}, {"aud": [given], "a": {given: given}, given: given})


PARSERS: dict[str, Callable[[str], object]] = {
    "JWT": lambda given: jws.parse(given, max_length=2 * SIZE),
    "claims of a JWT": lambda given: jws.parse(jwt_of(given), max_length=20 * SIZE),
    "token of ours": lambda given: jws.decode(given, lambda kid: None, typ="at+jwt"),
    "assertion": assertions.read,
    "DPoP proof": lambda given: dpop.read(header_of("DPoP", given)),
    "address of a proof": lambda given: dpop.is_place(given, "https://a.example/oauth2/token"),
    "key": lambda given: jwk.public_key({"kty": "RSA", "n": given, "e": "AQAB"}),
    "key set": lambda given: jwk.check({"keys": [{"kty": "EC", "crv": "P-256", "x": given, "y": given, "kid": given}]}),
    "JSON": lambda given: foreign_json.loads(given, max_bytes=4 * SIZE),
    "text in JSON": lambda given: foreign_json.loads(json.dumps({given: [given]}), max_bytes=40 * SIZE),
    "form": lambda given: fast_path.parse_form(given.encode(), {"a"}),
    "form of Django": lambda given: RequestFactory().post("/", given.encode(), content_type=FORM).POST,
    "parameters": lambda given: single_values([(given, [given]), ("resource", [given])]),
    "Authorization header of a client": lambda given: methods.read_credentials({}, given),
    "client assertion": lambda given: methods.read_credentials(
        {"client_assertion": given, "client_assertion_type": assertions.TYPE}, None
    ),
    "Authorization header of a token": lambda given: bearer.read_authorization(header_of("Authorization", given)),
    "X-Forwarded-For": lambda given: client_ip.caller_ip(header_of("X-Forwarded-For", given)),
    "If-Match": lambda given: etags.is_unchanged(given, "x"),
    "If-None-Match": lambda given: etags.is_known(given, "x"),
    "user agent": user_agents.browser_name,
    "prompt": lambda given: authorization_request.read_prompts({"prompt": given}),
    "redirect URI": redirect_uris.problem_of,
    "redirect URI of a request": lambda given: registered_uris.is_registered(given, ["http://127.0.0.1/", given + "x"]),
    "redirect URI of a problem": lambda given: registered_uris.nearest_difference(
        given[: request_trace.MAX_DETAIL_LENGTH], [given[: uris.MAX_LENGTH]] * 20
    ),
    "redirect URI that is shown": registered_uris.display_host,
    "local redirect URI": registered_uris.is_local,
    "origin": origins.check_origin,
    "resource": uris.is_absolute,
    "address that is fetched": target.target,
    "document of a client": lambda given: documents.from_document(
        {
            "client_name": given,
            "scope": given,
            "redirect_uris": [given],
            "jwks": {"keys": [{"kid": given}]},
            "contacts": [given],
        }
    ),
    "members of a document": lambda given: documents.from_document(dict.fromkeys(given.split(), given[:100])),
    "schema": lambda given: schemas.validate([{"op": given, "path": given}], patch.PATCH),
    "JSON Patch": patched,
    "duration": durations.parse_duration,
    "moment": timefmt.parse_moment,
    "claims and a rule": judged_claims,
    "claims that are shown": lambda given: matching.display_claim([given, [given]]),
    "claims that people set": lambda given: policy.claims({given: given}),
    "names of claims": lambda given: policy.allowed_test_claims([given]),
    "platform": lambda given: [each.mentioned_in(given) or each.hosts(given) for each in PLATFORMS.values()],
    "client ID in a path": lambda given: ClientId().to_python(f"~{given}"),
    "path": resolve,
    "path of operators": lambda given: resolve(f"/operators/{given}"),
    "path of the API": lambda given: resolve(f"/admin/clients/{given}"),
    "email addresses": parse_emails,
    "email address": validate_email,
    "name of a person": policy.person_name,
    "text": lambda given: text.replace_unsafe(given, ascii),
    "invisible characters": text.first_unsafe,
    "spreadsheet": lambda given: list(spreadsheets.csv_lines([given], [[given]])),
    "log": filtered,
    "pasted text": parsing.parse,
    "pasted JWT": jwt.read,
    "pasted message": error_responses.recognize_error,
}
# What says that a text is not to a parser's liking.
REFUSALS = (
    *(Refusal, OAuth2Error, ValidationError, Resolver404, ValueError, SuspiciousOperation),
    *(target.FetchError, jwt.Malformed, jwk.UnfitKey),
)


def attempt(parse: Callable[[str], object], given: str) -> None:
    with suppress(*REFUSALS):
        parse(given)


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_takes_time_in_proportion(name):
    texts = [(head, unit, "") for head in HEADS for unit in UNITS]
    took, parts = worst(partial(attempt, PARSERS[name]), texts)
    assert took <= BUDGET, f"{took:.2f} s for {parts}"
