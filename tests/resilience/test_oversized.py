"""Whatever is far too large is refused by the running server quickly, without a fault, and leaves nothing behind."""

import json
import re
import socket
import time
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

import httpx
import psutil
import pytest

from tests import patient
from tests.authority.conftest import FORM, basic
from tests.signing import TYPE, KeyPair, own_claims, to_base64

GRANT = "grant_type=client_credentials"
WORK = 2.0  # seconds of the processor, for one request; each takes a few hundredths
WAIT = 20.0  # seconds; whoever is kept waiting waits until the slow ones give up, which they do not
GROWTH = 48 * 2**20  # bytes; a server that keeps what it was sent grows by more than this in one round
KEY, HUGE = KeyPair("ES256"), to_base64((1 << 16383 | 1).to_bytes(2048))
RSA = {"kty": "RSA", "n": HUGE, "e": "AQAB", "kid": "one"}


def jwt(header, claims):
    return ".".join(to_base64(json.dumps(part).encode()) for part in (header, claims)) + "." + to_base64(bytes(2048))


def jwe(**header):
    """Return a token that asks for a costly decryption (RFC 7516, RFC 7518 section 4.8)."""
    head = to_base64(json.dumps({"enc": "A256GCM"} | header).encode())
    return f"{head}.{'x' * 43}.{'y' * 16}.{'z' * 3000}.{'t' * 22}"


COSTLY = {
    "PBES2 with two thousand million rounds": jwe(alg="PBES2-HS512+A256KW", p2c=2_000_000_000, p2s="c2FsdA"),
    "a compressed JWE": jwe(alg="dir", zip="DEF"),
    "RSA of 16384 bits": jwt({"alg": "RS256", "jwk": RSA, "typ": "JWT"}, own_claims("cl_x", "x")),
    "ten thousand members": jwt({"alg": "ES256"} | {f"h{number}": 1 for number in range(10_000)}, {}),
    "a megabyte": "a" * 1_000_000,
}


def form(path, body, **headers):
    return "POST", path, {"Content-Type": FORM} | headers, body


def requests(client_id, secret, management):
    """Return what is sent: by a client that is known, so that nothing is refused before it is looked at."""
    mine = {"Authorization": basic(client_id, secret)}
    registered = {"client_name": "x", "token_endpoint_auth_method": "private_key_jwt"}
    bearer = {"Authorization": f"Bearer {management}", "Content-Type": "application/json"}
    keys = [{**KEY.jwk, "kid": str(number)} for number in range(10_000)]
    found = {
        "a body of a megabyte": form("/oauth2/token", f"{GRANT}&scope={'x' * 1_000_000}", **mine),
        "a thousand fields": form("/oauth2/token", GRANT + "".join(f"&p{n}=1" for n in range(1000)), **mine),
        "a megabyte to introspect": form("/oauth2/introspect", f"token={'x' * 1_000_000}", **mine),
        "headers of 100 kB": form("/oauth2/token", GRANT, **mine, **{"X-Filling": "x" * 100_000}),
        "a thousand headers": form("/oauth2/token", GRANT, **mine, **{f"X-{number}": "1" for number in range(1000)}),
        "a thousand fields in a page's form": form("/account/login/", "".join(f"p{n}=1&" for n in range(1000))),
        "ten thousand keys": (
            "POST",
            "/oauth2/register",
            bearer,
            json.dumps({**registered, "jwks": {"keys": keys[:1000] * 10}}),
        ),
        "an RSA key of 16384 bits": (
            "POST",
            "/oauth2/register",
            bearer,
            json.dumps({**registered, "jwks": {"keys": [RSA]}}),
        ),
        "ten thousand operations": (
            "PATCH",
            f"/admin/clients/{client_id}",
            bearer,
            json.dumps([{"op": "remove", "path": "/owner"}] * 10_000),
        ),
    }
    for what, token in COSTLY.items():
        proof = {"client_assertion_type": TYPE, "client_assertion": token, "client_id": client_id}
        found[f"{what} as an assertion"] = form("/oauth2/token", f"{GRANT}&{urlencode(proof)}")
        found[f"{what} as a bearer token"] = "GET", "/oauth2/userinfo", {"Authorization": f"Bearer {token}"}, None
        found[f"{what} as a proof"] = form("/oauth2/token", GRANT, **mine, DPoP=token)
    return found


@pytest.fixture
def management(server):
    with server.database():
        from consumers.models import Membership
        from tests.authority.conftest import management_token

        manager = Membership.objects.filter(consumer__slug="acme", role="manager").first()
        return management_token(manager.user)


@pytest.fixture
def processes(server):
    """The server's processes."""
    held = [
        process
        for process in psutil.Process().children(recursive=True)
        if server.environ["DATA_DIR"] == safely(lambda each=process: each.environ().get("DATA_DIR"))
    ]
    assert held, f"nobody serves {server.url}"
    return held


def memory_of(processes):
    """Return the bytes that the processes hold for themselves."""
    return sum(safely(lambda each=process: each.memory_info().rss) or 0 for process in processes)


def work_of(processes):
    """Return the seconds that the processor has worked for them: a busy machine has each wait, but not work more."""
    return sum(safely(lambda each=process: sum(each.cpu_times()[:2])) or 0.0 for process in processes)


def safely(ask):
    with suppress(psutil.Error):
        return ask()
    return None


def test_what_is_far_too_large_is_refused_quickly_and_leaves_nothing_behind(server, management, processes):
    client_id, secret = server.service()
    sent = requests(client_id, secret, management)

    def send_all():
        refused, slow = {}, {}
        for what, (method, path, headers, body) in sent.items():
            before = work_of(processes)
            try:
                answer = patient.request(method, server.url + path, headers=headers, content=body)
                refused[what] = answer.status_code
            except httpx.TransportError:  # the server may hang up instead of reading it
                refused[what] = 400
            if (took := work_of(processes) - before) > WORK:
                slow[what] = took
        return refused, slow

    refused, _ = send_all()
    before = memory_of(processes)
    _, slow = send_all()
    assert {what: status for what, status in refused.items() if not 400 <= status < 500} == {}
    assert slow == {}
    assert memory_of(processes) - before < GROWTH
    assert server.token(service=(client_id, secret))


def test_clients_that_send_a_letter_at_a_time_keep_nobody_waiting(server):
    parts = urlsplit(server.url)
    service = server.service()
    slow = [socket.create_connection((parts.hostname, parts.port)) for _ in range(200)]
    try:
        for turn in range(5):
            for number, link in enumerate(slow):
                with suppress(OSError):
                    link.sendall(b"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"[turn : turn + 1])
                    if number % 2:
                        link.sendall(b"X")
            begun = time.monotonic()
            assert server.token(service=service)
            assert time.monotonic() - begun < WAIT
    finally:
        for link in slow:
            link.close()


def test_long_passwords_and_lists_of_languages_cost_nothing(server, processes):
    languages = ", ".join(f"x{number}-YY;q=0.{number % 10}" for number in range(1000))
    address = f"{server.url}/account/login/"
    with patient.Client(headers={"Accept-Language": languages}) as browser:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(address).text)[1]
        for length in (10_240, 200_000):
            typed = {"csrfmiddlewaretoken": token, "login": "alice@acme.example", "password": "x" * length}
            before = work_of(processes)
            answer = browser.post(address, data=typed, headers={"Origin": server.url})
            assert answer.status_code in (200, 400, 422), answer.text[:500]
            assert work_of(processes) - before < WORK
