"""A content type that cannot be read is a mistake of the caller's, at every door."""

import pytest
from django.core.handlers.wsgi import WSGIHandler

from portal.fast_path import FastPath
from tests.portal.test_fast_path import ask, kept_connections

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
    with kept_connections():
        yield FastPath(WSGIHandler())


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_content_type_that_cannot_be_read_is_refused(application, case):
    for path in DOORS:
        for method, query in (("GET", ""), ("GET", "x=%ff&y=\xe9"), ("POST", "")):
            body = b"a=b&c=%ff\xe9"
            status, _, _ = ask(application, body, path=path, method=method, query=query, content_type=UNREADABLE[case])
            assert status < 500, (method, path)
