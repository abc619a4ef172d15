"""A content type that cannot be read is a mistake of the caller's, at every door."""

import io

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from portal.fast_path import FastPath

pytestmark = pytest.mark.django_db

UNREADABLE = {
    "a very long one": "text/" + "x" * 20_000,
    "half an encoding": "text/plain; charset*=utf-8''%ff",
    "an encoding that is none": "text/plain; charset*=nothing''x",
    "an encoding of two parts": "text/plain; charset*=a'b",
    "letters in Latin-1": "text/\xff; charset=\xff",
}


CHARSETS = ["rot13", "hex", "zip", "idna", "undefined", "mbcs", "utf-16", "raw_unicode_escape", "punycode"]
UNREADABLE |= {f"charset {name}": f"application/x-www-form-urlencoded; charset={name}" for name in CHARSETS}
DOORS = [
    "/oauth2/token",
    "/oauth2/authorize",
    "/oauth2/register",
    "/account/login/",
    "/admin/clients",
    "/",
    "/.well-known/jwks.json",
    "/no/such",
]


@pytest.fixture
def application():
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)  # it would end the test's transaction
    yield FastPath(WSGIHandler())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_content_type_that_cannot_be_read_is_refused(application, case):
    for path in DOORS:
        for method, query in (("GET", ""), ("GET", "x=%ff&y=\xe9"), ("POST", "")):
            assert ask(application, method, path, query, UNREADABLE[case]) < 500, (method, path)


def ask(application, method, path, query, content_type):
    """Return the status of the answer."""
    body = b"a=b&c=%ff\xe9"
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_HOST": "127.0.0.1:8000",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
    }
    started = []
    response = application(environ, lambda status, headers: started.append(int(status[:3])))
    getattr(response, "close", lambda: None)()
    return started[0]
