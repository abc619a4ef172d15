"""The fast path and the slow path give the same answers; unusual requests take the slow path."""

import base64
import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from authority.endpoints import fast_path
from authority.telemetry import last_used
from clients.models import Api, Client
from portal.fast_path import FastPath
from portal.server import gateway
from tests.authority.conftest import FORM, basic
from tests.factories import ClientFactory, give_secret
from tests.generated import examples

pytestmark = pytest.mark.django_db
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def slow():
    with kept_connections():
        yield WSGIHandler()


@contextmanager
def kept_connections():
    """Keep Django from closing the connection with a request, which would end the test's transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def fast():
    """The fast path without Django: what takes the slow path gives None."""
    return FastPath(raise_slow_path)


class TakesSlowPath(Exception):
    """Raised where Django would be called."""


def raise_slow_path(environ, start):
    raise TakesSlowPath


def ask(handler, body, *, path="/oauth2/token", method="POST", query="", content_type=FORM, **headers):
    """Call the fast path or a WSGI application; return status, headers and body, or None when it does not answer."""
    body = body if isinstance(body, bytes) else urlencode(body).encode()
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_HOST": "127.0.0.1:8000",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
    } | {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    try:
        if isinstance(handler, FastPath):
            response = handler.respond_at_once(environ, body) or handler.respond(environ, body)
        else:
            response = gateway.call(handler, environ, body)
    except TakesSlowPath:
        assert environ["wsgi.input"].read() == body, "the slow path must find the request as it came"
        return None
    status, *lines = response.head.decode().splitlines()
    given = dict(line.split(": ", 1) for line in lines)
    assert given.get("Content-Length") == (str(len(response.body)) if status[:3] != "304" else None)
    return int(status[:3]), given, response.body


def comparable(answer):
    """Return the answer without what differs between two requests that are alike."""
    status, headers, text = answer
    headers = {name: value for name, value in headers.items() if name not in ("X-Request-Id", "Content-Length")}
    body = json.loads(text)
    for name in {"access_token", "id_token", "refresh_token"} & body.keys():
        body[name] = alike(body[name])
    return status, headers, body


def alike(token):
    """Return what two tokens have in common that were issued for the same."""
    if "." not in token:
        return token[:5]  # by which they are known: the rest is random
    header, claims, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert signature
    return header, claims.pop("exp") - claims["iat"], claims | dict.fromkeys(("iat", "jti", "at_hash") & claims.keys())


@pytest.fixture
def secret_of(service):
    return give_secret(service)[1]


def test_both_paths_answer_alike(service, secret_of, slow, fast):
    authorization = basic(service.client_id, secret_of)
    one, other = (ask(handler, GRANT, authorization=authorization) for handler in (fast, slow))
    assert comparable(one) == comparable(other)
    assert one[0] == 200
    assert one[1]["X-Request-Id"] != other[1]["X-Request-Id"]
    assert one[1]["Content-Security-Policy"]
    assert one[1]["Cache-Control"] == "no-store"


def test_the_fast_path_records_the_use_of_the_secret(service, secret_of, fast):
    last_used.reset()
    ask(fast, GRANT, authorization=basic(service.client_id, secret_of))
    (use,) = last_used.pending()
    assert (use.client, use.ip) == (service.pk, "192.0.2.7")
    last_used.reset()


UNUSUAL = {
    "another path": {"path": "/oauth2/revoke"},
    "another method": {"method": "PUT"},
    "parameters in the URL": {"query": "a=b"},
    "JSON": {"content_type": "application/json"},
    "a charset": {"content_type": f"{FORM}; charset=utf-8"},
    "an unknown host": {"host": "evil.example"},
    "a broken host": {"host": "127.0.0.1:8000\r\nX: y"},
    "another origin": {"origin": "https://app.example"},
    "a proof": {"dpop": "x"},
    "a cookie": {"cookie": "session=x"},
    "chunks": {"transfer_encoding": "chunked"},
    "an encoded body": {"content_encoding": "gzip"},
    "an unknown parameter": {"body": GRANT | {"resource": "https://api.example"}},
    "a repeated parameter": {"body": b"grant_type=client_credentials&grant_type=client_credentials"},
    "another grant": {"body": {"grant_type": "refresh_token", "refresh_token": "x"}},
    "many parameters": {"body": b"&".join([b"a"] * 1000)},
    "a long body": {"body": GRANT | {"scope": "x" * 5000}},
    "an empty body": {"body": b""},
    "a byte that is no ASCII": {"body": b"grant_type=client_credentials&scope=\xc3\xa9"},
    "broken UTF-8": {"body": b"grant_type=client_credentials&scope=%FF"},
    "NUL": {"body": b"grant_type=client_credentials&scope=%00"},
    "a wrong secret": {"authorization": basic("cl_nobody", "x")},
    "no credentials": {"authorization": ""},
}


@pytest.mark.parametrize("case", UNUSUAL)
def test_unusual_requests_take_the_slow_path(service, secret_of, fast, case, caplog):
    request = {"body": GRANT, "authorization": basic(service.client_id, secret_of)} | UNUSUAL[case]
    assert ask(fast, request.pop("body"), **request) is None
    assert "the fast path failed" not in caplog.text  # a stranger must not fill the log


def test_plain_http_is_redirected_by_the_slow_path(service, secret_of, fast, settings):
    settings.SECURE_SSL_REDIRECT = True
    authorization = basic(service.client_id, secret_of)
    assert ask(fast, GRANT, authorization=authorization) is None
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert ask(fast, GRANT, authorization=authorization) is None
    assert ask(fast, GRANT, authorization=authorization, x_forwarded_proto="http") is None
    assert ask(fast, GRANT, authorization=authorization, x_forwarded_proto="https")[0] == 200


def test_a_fault_of_the_fast_path_falls_back_to_the_slow_path(service, secret_of, fast, monkeypatch, caplog):
    monkeypatch.setattr(fast_path, "parse_form", lambda body, known: 1 / 0)
    assert ask(fast, GRANT, authorization=basic(service.client_id, secret_of)) is None
    assert "the fast path failed" in caplog.text


# -- Thousands of requests on both paths ------------------------------------------------------------------------------

NOW = datetime.now(UTC)
moments = st.sampled_from([None, NOW - timedelta(days=1), NOW + timedelta(days=1)])
VARIED = {
    "token_endpoint_auth_method": st.sampled_from(
        ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
    ),
    "grant_types": st.sampled_from(
        [["client_credentials"], ["authorization_code"], ["authorization_code", "client_credentials"], []]
    ),
    "scopes": st.sampled_from([["shipments:read"], [], ["openid", "shipments:read"], ["unknown"]]),
    "access_token_strategy": st.sampled_from(["jwt", "opaque"]),
    "dpop_bound_access_tokens": st.booleans(),
    "require_resource": st.booleans(),
    "audience": st.sampled_from([[], ["https://other.example"]]),
    "lifespans": st.sampled_from([{}, {"client_credentials_grant_access_token_lifespan": 60}]),
    "claims": st.sampled_from([{}, {"tier": "gold"}, {"iss": "reserved"}, {"deep": {"er": [1, "é"]}}]),
    "allowed_cors_origins": st.sampled_from([[], ["https://app.example"]]),
    "disabled_at": moments,
    "expires_at": moments,
    "tokens_valid_after": moments,
}
clients = st.fixed_dictionaries({}, optional=VARIED)
words = st.text(max_size=12) | st.sampled_from(["\0", "é", " ", "+", "%", "&", "=", ";", "x" * 3000])
values = {
    "grant_type": st.sampled_from(["client_credentials", "authorization_code", "password", "", "Client_Credentials"]),
    "scope": st.sampled_from(
        [
            "",
            "shipments:read",
            "shipments:read shipments:write",
            "shipments:read shipments:read",
            " shipments:read",
            "x",
        ]
    ),
    "resource": st.sampled_from(["https://api.example.com/shipments", "https://other.example", "x"]),
    "client_id": st.sampled_from(["mine", "cl_other"]),
    "client_secret": st.sampled_from(["mine", "wrong"]),
    "client_assertion": words,
    "audience": words,
}
parameters = st.lists(
    st.one_of([st.tuples(st.just(name), known | words) for name, known in values.items()] + [st.tuples(words, words)]),
    max_size=3,
)
separators = st.sampled_from(["&", "&", "&", ";", "&&"])
headers = st.fixed_dictionaries(
    {},
    optional={
        "origin": st.sampled_from(["https://app.example", "null", "https://evil.example"]),
        "dpop": st.sampled_from(["", "x"]),
        "host": st.sampled_from(["127.0.0.1:8000", "localhost", "evil.example", "", "127.0.0.1:8000:1"]),
        "x_forwarded_for": st.sampled_from(["192.0.2.1", "192.0.2.1, 198.51.100.1", "nonsense"]),
        "x_forwarded_proto": st.sampled_from(["https", "http"]),
        "content_encoding": st.just("gzip"),
        "accept": st.just("text/html"),
    },
)
ways_in = st.sampled_from(["basic", "basic", "basic", "post", "both", "wrong", "bearer", "none"])


def encoded(pairs, separator, safe):
    return separator.join(f"{quote(name, safe=safe)}={quote(value, safe=safe)}" for name, value in pairs).encode()


@pytest.fixture
def compared(acme, acme_access, slow, fast):
    """Send a request both application, for a client as described; return whether the fast path took it."""
    Api.objects.update(signing_algorithm="ES256")
    row = ClientFactory(consumer=acme)
    _, text = give_secret(row)

    def compare(fields, pairs, separator, safe, sent, way, query, content_type):
        fields = {
            **{name: Client._meta.get_field(name).get_default() for name in VARIED},
            "scopes": ["shipments:read", "shipments:write"],
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "client_secret_post" if way == "post" else "client_secret_basic",
            **fields,
        }
        if fields["token_endpoint_auth_method"] == "none":
            fields["grant_types"] = ["authorization_code"]
        Client.objects.filter(pk=row.pk).update(**fields)
        mine = {"client_id": row.client_id, "client_secret": text}
        pairs = [(name, mine.get(name, value) if value == "mine" else value) for name, value in pairs]
        if way in ("post", "both"):
            pairs += mine.items()
        if way in ("basic", "both"):
            sent = sent | {"authorization": basic(row.client_id, text)}
        elif way == "wrong":
            sent = sent | {"authorization": basic(row.client_id, "wrong")}
        elif way == "bearer":
            sent = sent | {"authorization": "Bearer x"}
        body = encoded(pairs, separator, safe)
        one = ask(fast, body, query=query, content_type=content_type, **sent)
        if one is not None:
            other = ask(slow, body, query=query, content_type=content_type, **sent)
            assert comparable(one) == comparable(other), (fields, pairs, sent)
            assert one[0] == 200
        return one is not None

    return compare


def test_thousands_of_requests_get_the_same_answer_on_both_paths(compared, caplog):
    taken = []

    @hypothesis_settings(max_examples=examples(2000), suppress_health_check=list(HealthCheck))
    @given(
        fields=clients,
        pairs=st.lists(st.just(("grant_type", "client_credentials")), min_size=1, max_size=1).flatmap(
            lambda grant: parameters.map(lambda more: grant + more)
        )
        | parameters,
        separator=separators,
        safe=st.sampled_from(["", ":", ":/"]),
        sent=st.just({}) | headers,
        way=ways_in,
        query=st.sampled_from(["", "", "", "a=b"]),
        content_type=st.sampled_from([FORM, FORM, FORM, f"{FORM};charset=UTF-8", "text/plain"]),
    )
    def run(**request):
        taken.append(compared(**request))

    run()
    assert "the fast path failed" not in caplog.text
    assert 100 < sum(taken) < len(taken)
