"""RFC 9112 section 7.1: a body may come in chunks, without its length, as programs send what they write bit by bit."""

import json
import socket
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from tests import patient
from tests.authority.conftest import FORM


def in_chunks(server, path, parts, content_type=FORM, **headers):
    """Post the parts as chunks; return the status and the body of the answer."""
    answer = patient.post(server.url + path, content=iter(parts), headers={"Content-Type": content_type} | headers)
    assert answer.request.headers["Transfer-Encoding"] == "chunked"
    return answer.status_code, answer.json()


@pytest.mark.compliance("RFC 9112", "7.1")
def test_form_in_chunks_is_read_as_a_whole(server):
    client_id, secret = server.service()
    auth = httpx.BasicAuth(client_id, secret)._auth_header
    parts = [b"grant_type=client_", b"credentials", b"&scope=shipments:read"]
    status, answer = in_chunks(server, "/oauth2/token", parts, Authorization=auth)
    assert (status, answer["scope"]) == (200, "shipments:read")


@pytest.mark.compliance("RFC 9112", "7.1")
def test_json_in_chunks_is_read_as_a_whole(server):
    wanted = {"client_name": "In chunks", "redirect_uris": ["https://chunks.example.com/signed-in"]}
    text = json.dumps(wanted).encode()
    token = server.demo["initial_access_token"]
    status, answer = in_chunks(
        server, "/oauth2/register", [text[:10], text[10:]], "application/json", Authorization=f"Bearer {token}"
    )
    assert (status, answer["client_name"]) == (201, "In chunks")


def test_more_chunks_than_any_door_takes_are_too_long(server):
    status, answer = in_chunks(server, "/oauth2/token", [b"a=" + b"x" * 50_000] * 10)
    assert (status, answer["error"]) == (400, "invalid_request")


@pytest.mark.compliance("RFC 9112", "6.3")
def test_length_beside_chunks_does_not_split_the_request_in_two(server):
    """The chunks count, and whatever the length would leave over is no second request (request smuggling)."""
    client_id, secret = server.register(
        "service", token_endpoint_auth_method="client_secret_post", scope=("shipments:read",)
    )
    body = urlencode({"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}).encode()
    head = [
        "POST /oauth2/token HTTP/1.1",
        f"Host: {urlsplit(server.url).netloc}",
        f"Content-Type: {FORM}",
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        "Connection: close",
    ]
    with socket.create_connection((urlsplit(server.url).hostname, urlsplit(server.url).port), timeout=30) as link:
        link.sendall("\r\n".join([*head, "", ""]).encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        said = b"".join(iter(lambda: link.recv(65536), b""))
    assert said.count(b"HTTP/1.1 ") == 1
    assert said.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400"))
