"""HTTP/1.1 as the server speaks it, letter by letter (RFC 9112)."""

import json
import re
import socket
import time
from urllib.parse import urlsplit

import psutil
import pytest

FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


def say(server, *pieces, wait=20.0, pause=0.0):
    """Send the pieces, then close our side; return the status of each response, and all that came."""
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=wait) as link:
        for piece in pieces:
            link.sendall(piece.replace(b"HOST", parts.netloc.encode()))
            time.sleep(pause)
        link.shutdown(socket.SHUT_WR)
        came = b""
        try:
            while part := link.recv(65536):
                came += part
        except ConnectionResetError:
            came += b"<reset>"
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", came)], came


ALIVE = b"GET /health/alive HTTP/1.1\r\nHost: HOST\r\n"
POST = b"POST /oauth2/token HTTP/1.1\r\nHost: HOST\r\n"
TAKEN = {
    "one request": (ALIVE + b"\r\n", [200]),
    "two at once": ((ALIVE + b"\r\n") * 2, [200, 200]),
    "three hundred at once": ((ALIVE + b"\r\n") * 300, [200] * 300),
    "pages and liveness in turns": (
        (b"GET /account/login/ HTTP/1.1\r\nHost: HOST\r\n\r\n" + ALIVE + b"\r\n") * 3,
        [200] * 6,
    ),
    "blank lines first": (b"\r\n\r\n" + ALIVE + b"\r\n", [200]),
    "HTTP/1.0": (b"GET /health/alive HTTP/1.0\r\n\r\n", [200]),
    "an empty header": (ALIVE + b"X-Empty:\r\nX-Other: a\r\n\r\n", [200]),
    "absolute form": (b"GET http://HOST/health/alive HTTP/1.1\r\nHost: HOST\r\n\r\n", [200]),
    "HEAD": (b"HEAD /account/login/ HTTP/1.1\r\nHost: HOST\r\n\r\n" + ALIVE + b"\r\n", [200, 200]),
    "a static file": (b"GET /static/css/portal.css HTTP/1.1\r\nHost: HOST\r\n\r\n" + ALIVE + b"\r\n", [200, 200]),
    "HEAD of a static file": (
        b"HEAD /static/css/portal.css HTTP/1.1\r\nHost: HOST\r\n\r\n" + ALIVE + b"\r\n",
        [200, 200],
    ),
    "an upgrade, which is not taken": (ALIVE + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", [200]),
    "what follows the last request": (ALIVE + b"Connection: close\r\n\r\n" + ALIVE + b"\r\n", [200]),
    "chunks": (POST + FORM + b"Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n" + ALIVE + b"\r\n", [400, 200]),
    "a length that is never sent": (POST + b"Content-Length: 1000000\r\n\r\nabc", [400]),
}
REFUSED = {
    "no Host": (b"GET /health/alive HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (ALIVE + b"Host: other.example\r\n\r\n", 400),
    "HTTP/2.0": (b"GET /health/alive HTTP/2.0\r\nHost: HOST\r\n\r\n", 505),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "an underscore in a name": (ALIVE + b"X_Forwarded_For: 192.0.2.1\r\n\r\n", 400),
    "a folded header": (ALIVE + b"X-A: a\r\n b\r\n\r\n", 400),
    "a space before the colon": (ALIVE + b"X-A : a\r\n\r\n", 400),
    "NUL in a value": (ALIVE + b"X-A: a\x00b\r\n\r\n", 400),
    "a bare LF": (b"GET /health/alive HTTP/1.1\nHost: HOST\n\n", 400),
    "a bare CR": (ALIVE + b"X-A: a\rb\r\n\r\n", 400),
    "length and chunks": (POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", 400),
    "a signed length": (POST + b"Content-Length: +4\r\n\r\nabcd", 400),
    "an endless length": (POST + b"Content-Length: 99999999999999999999999\r\n\r\nabcd", 400),
    "another coding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "chunks in HTTP/1.0": (POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    "a broken chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\na=b\r\n0\r\n\r\n", 400),
    "CONNECT": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: HOST\r\n\r\n", 400),
    "another expectation": (POST + b"Expect: cake\r\nContent-Length: 4\r\n\r\nabcd", 417),
    "a URL of 20 kB": (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: HOST\r\n\r\n", 414),
    "headers of 100 kB": (ALIVE + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n", 431),
    "a thousand headers": (ALIVE + b"".join(b"X-%d: 1\r\n" % n for n in range(1000)) + b"\r\n", 431),
    "an unknown method": (b"BREW /account/login/ HTTP/1.1\r\nHost: HOST\r\n\r\n", 400),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_a_program_may_send_is_taken(server, what):
    sent, statuses = TAKEN[what]
    assert say(server, sent)[0] == statuses


@pytest.mark.parametrize("what", TAKEN)
def test_it_is_the_same_request_in_whatever_pieces_it_comes(server, what):
    sent, statuses = TAKEN[what]
    whole = sent.replace(b"HOST", urlsplit(server.url).netloc.encode())
    size = 1 if len(whole) < 1000 else 1999
    cut = [whole[start : start + size] for start in range(0, len(whole), size)]
    assert say(server, *cut, pause=0.0005)[0] == statuses


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_request_is_refused_in_words_and_ends_the_connection(server, what):
    sent, status = REFUSED[what]
    statuses, came = say(server, sent + ALIVE + b"\r\n")
    assert statuses == [status]
    assert b"\r\nConnection: close\r\n" in came
    told = json.loads(came.partition(b"\r\n\r\n")[2])
    assert told["error"] == "invalid_request"
    assert told["error_description"].endswith(".")


@pytest.mark.compliance("RFC 9110", "8.6")
def test_a_program_can_tell_where_each_response_ends(server):
    """Also where a middleware answers that runs before the one which counts."""
    host = b"GET /account/login/ HTTP/1.1\r\nHost: evil.example\r\n\r\n"
    for request in (host, b"GET /static/no-such HTTP/1.1\r\nHost: HOST\r\n\r\n", ALIVE + b"\r\n"):
        _, came = say(server, request)
        head, _, body = came.partition(b"\r\n\r\n")
        assert b"\r\nContent-Length: %d\r\n" % len(body) in head + b"\r\n"


def test_a_client_that_does_not_read_gets_no_more_responses(server):
    """Thousands of requests that come together are answered one by one, as the client reads."""
    parts = urlsplit(server.url)
    page = f"GET /static/js/htmx.min.js HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
    processes = [child for child in psutil.Process().children(recursive=True) if "serve" in child.cmdline()]
    before = sum(process.memory_info().rss for process in processes)
    links = [socket.create_connection((parts.hostname, parts.port)) for _ in range(8)]
    try:
        for link in links:
            link.setblocking(False)
            link.send(page * 2000)
        time.sleep(4)
        grown = sum(process.memory_info().rss for process in processes) - before
    finally:
        for link in links:
            link.close()
    assert processes
    assert grown < 50 * 2**20


@pytest.mark.compliance("RFC 9112", "7.1.2")
def test_trailers_are_dropped_and_belong_to_no_later_request(server):
    chunks = POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\nHost: evil.example\r\nX_Evil: a\r\n\r\n"
    page = b"GET /account/login/ HTTP/1.1\r\nHost: HOST\r\n\r\n"
    assert say(server, chunks + page)[0] == [400, 200]


@pytest.mark.compliance("RFC 9110", "10.1.1")
def test_a_program_that_waits_for_100_continue_gets_it(server):
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as link:
        link.sendall(
            POST.replace(b"HOST", parts.netloc.encode()) + FORM + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        )
        assert link.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        link.sendall(b"a=b")
        assert link.recv(65536).startswith(b"HTTP/1.1 400 ")


@pytest.mark.compliance("RFC 9110", "6.6.1")
def test_each_response_has_a_date_and_its_own_request_id(server):
    _, came = say(server, (ALIVE + b"\r\n") * 2)
    assert len(re.findall(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", came)) == 2
    ids = re.findall(rb"X-Request-Id: (\w+)", came)
    assert len(set(ids)) == 2
    assert b"Server:" not in came


@pytest.mark.compliance("RFC 9112", "3.2")
def test_the_machine_s_own_address_is_good_enough_to_ask_how_it_is(server):
    """Balancers and Prometheus ask each machine by its address, not by the portal's name."""
    for path, status in (("/health/alive", 200), ("/health/ready", 200), ("/metrics", 401), ("/account/login/", 400)):
        request = f"GET {path} HTTP/1.1\r\nHost: 10.0.0.7:8000\r\n\r\n".encode()
        assert say(server, request)[0] == [status], path
