"""Other servers are asked with care: never our own network, never for long, never for much."""

import datetime
import gzip
import ipaddress
import json
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.http_fetch import target as target_http_fetch
from core.http_fetch import transport
from core.http_fetch.documents import document
from core.http_fetch.target import target
from core.http_fetch.transport import fetch
from tests.publisher import answer, publishing, reason

# -- Addresses --------------------------------------------------------------------------------------------------------

NEVER_ASKED = [
    "http://keys.example.com/jwks",
    "ftp://keys.example.com/",
    "file:///etc/passwd",
    "gopher://keys.example.com/",
    "keys.example.com",
    "",
    "https://",
    "https:///jwks",
    "https://user:pass@keys.example.com/",
    "https://keys.example.com@127.0.0.1/",
    "https://keys.example.com/#fragment",
    "https://keys.example.com:0/",
    "https://keys.example.com:99999/",
    "https://keys.example.com/a b",
    "https://keys.example.com/\r\nHost: other",
    "https://keys.example.com\\@127.0.0.1/",
    "https://kéys.example.com/",
    "https://localhost/",
    "https://keys.localhost/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://intranet/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://017700000001/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://8.8.8.8/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fe80::1%25eth0]/",
    "https://[::",
]


@pytest.mark.parametrize("url", NEVER_ASKED)
def test_address_is_refused_as_written(url):
    assert reason(target, url) == "address"


PRIVATE = [
    "0.0.0.0",  # noqa: S104  # not bound to
    *("127.0.0.1", "127.255.255.254", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "203.0.113.9", "224.0.0.1"),
    *("240.0.0.1", "255.255.255.255"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::ffff:0:127.0.0.1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "100::1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_domain_that_leads_into_a_private_network_is_not_asked(monkeypatch, address):
    monkeypatch.setattr(transport, "resolve", lambda host, port: [address])
    monkeypatch.setattr("socket.create_connection", lambda *args, **options: pytest.fail("it was asked"))
    assert reason(fetch, "https://keys.example.com/jwks") == "address"


def test_one_private_address_among_public_ones_is_enough(monkeypatch):
    monkeypatch.setattr(transport, "resolve", lambda host, port: ["93.184.215.14", "127.0.0.1"])
    monkeypatch.setattr("socket.create_connection", lambda *args, **options: pytest.fail("it was asked"))
    assert reason(fetch, "https://keys.example.com/jwks") == "address"


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_are_public(address):
    assert target_http_fetch.is_public(address)


def test_dns_cannot_answer_twice(monkeypatch):
    """The address that was judged is the one that is connected to: a second answer would never be looked at."""
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])
    connected = []

    def connect(address, timeout):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(transport, "resolve", lambda host, port: next(answers))
    monkeypatch.setattr("socket.create_connection", connect)
    assert reason(fetch, "https://keys.example.com/jwks") == "connection"
    assert connected == [("93.184.215.14", 443)]


def test_only_named_hosts_of_the_own_network_are_asked(settings):
    settings.FETCH_LOCAL_HOSTS = ["127.0.0.1:9000", "idp.internal"]
    assert target("http://127.0.0.1:9000/jwks").is_local
    assert target("https://idp.internal/jwks").is_local
    assert target("https://idp.internal:8443/jwks").is_local
    for url in ("http://127.0.0.1:9001/", "https://127.0.0.1/", "https://other.internal/", "https://a.idp.internal/"):
        assert reason(target, url) == "address"
    assert not target("https://keys.example.com/").is_local
    assert reason(target, "http://keys.example.com/") == "address"


# -- Answers ----------------------------------------------------------------------------------------------------------


def test_document_arrives(publisher):
    url = publisher.publish("/jwks?a=1", {"keys": []})
    assert document(url) == {"keys": []}
    head = publisher.requests[0].decode()
    assert head.startswith("GET /jwks?a=1 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{publisher.port}\r\n" in head
    assert "Accept-Encoding: identity\r\n" in head


def test_body_is_posted(publisher):
    url = publisher.publish("/logout", answer(b""))
    assert fetch(url, body=b"logout_token=x", content_type="application/x-www-form-urlencoded").status == 200
    assert publisher.requests[0].startswith(b"POST /logout HTTP/1.1\r\n")
    assert publisher.requests[0].endswith(b"Content-Length: 14\r\n\r\nlogout_token=x")


def test_chunked_answer_is_read(publisher):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert document(publisher.publish("/", head + b'5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n')) == {"a": 1}


ANSWERS = {
    "redirect": (answer(b"{}", "302 Found", "Location: http://169.254.169.254/"), "redirect"),
    "redirect to itself": (answer(b"{}", "301 Moved", "Location: /"), "redirect"),
    "not found": (answer(b"{}", "404 Not Found"), "status"),
    "its own fault": (answer(b"{}", "500 Oops"), "status"),
    "not a JSON": (answer(b"<html>"), "json"),
    "a list": (answer(b"[]"), "json"),
    "nothing": (answer(b""), "json"),
    "not UTF-8": (answer(b'{"a": "\xff"}'), "json"),
    "deep": (answer(b"[" * 60_000), "json"),
    "a huge number": (answer(b'{"a": ' + b"9" * 5_000 + b"}"), "json"),
    "64 kB": (answer(b'"' + b"x" * 65_534 + b'"'), "json"),
    "one byte more": (answer(b'"' + b"x" * 65_535 + b'"'), "too_large"),
    "gzip": (answer(gzip.compress(b"0" * 10_000_000), "200 OK", "Content-Encoding: gzip"), "encoding"),
    "cut": (answer(b'{"a": 1}').replace(b"Content-Length: 8", b"Content-Length: 80"), "connection"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.9\r\n", "connection"),
    "no answer": (lambda link: None, "connection"),
    "endless headers": (lambda link: drip(link, b"a: b\r\n" * 1000, 0), "connection"),
    "endless body": (lambda link: drip(link, b"x" * 10_000, 0, b"HTTP/1.1 200 OK\r\n\r\n"), "too_large"),
    "endless chunks": (
        lambda link: drip(link, b"1\r\nx\r\n" * 1000, 0, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        "too_large",
    ),
}


def drip(link, piece, pause, head=b"HTTP/1.1 200 OK\r\n"):
    link.sendall(head)
    while True:
        link.sendall(piece)
        time.sleep(pause)


@pytest.mark.parametrize("case", ANSWERS)
def test_answer_is_refused(publisher, case):
    page, expected = ANSWERS[case]
    assert reason(document, publisher.publish("/", page)) == expected


SLOW = {
    "silence": lambda link: time.sleep(30),
    "a header now and then": lambda link: drip(link, b"a: b\r\n", 0.3),
    "a byte now and then": lambda link: drip(link, b" ", 0.05, b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"),
}


@pytest.mark.parametrize("case", SLOW)
def test_slow_server_is_left_in_time(publisher, monkeypatch, case):
    monkeypatch.setattr(transport, "SECONDS", 0.4)
    begin = time.monotonic()
    assert reason(fetch, publisher.publish("/", SLOW[case])) == "timeout"
    assert time.monotonic() - begin < 20  # each would take longer


def test_slow_resolver_is_left_in_time(monkeypatch):
    monkeypatch.setattr(transport, "SECONDS", 0.2)
    monkeypatch.setattr(transport, "resolve", lambda host, port: time.sleep(0.6))
    assert reason(fetch, "https://keys.example.com/") == "timeout"


def test_server_that_is_away_cannot_be_reached(publisher):
    assert transport.SECONDS == 5
    with publishing() as other:
        url = other.url
    assert reason(fetch, url) == "connection"
    # Some resolvers say at once that there is no such name, others say nothing for as long as we wait.
    assert reason(fetch, "https://keys.invalid/") in ("connection", "timeout")


# -- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path):
    """A certificate for 127.0.0.1 that signs itself: the server's context, and the file that makes it trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "both.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, file


def test_certificate_is_checked(settings, authority, monkeypatch):
    context, file = authority
    settings.FETCH_LOCAL_HOSTS = ["127.0.0.1", "localhost"]
    with publishing(context) as publisher:
        publisher.publish("/", {"keys": []})
        url = f"https://127.0.0.1:{publisher.port}/"
        assert reason(fetch, url) == "tls"
        trusting = ssl.create_default_context(cafile=file)
        monkeypatch.setattr(transport, "tls", lambda: trusting)
        assert json.loads(fetch(url).body) == {"keys": []}
        assert reason(fetch, url.replace("127.0.0.1", "localhost")) == "tls"  # the name is another
