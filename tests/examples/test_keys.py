"""How an API treats the issuer: it fetches keys seldom, and stands when the issuer does not answer."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.jose import jwk, jws
from tests import patient
from tests.examples.conftest import EXAMPLES, claims, serving


class Issuer(ThreadingHTTPServer):
    """An issuer that counts what it is asked, and can stop to answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        key = jws.generate("ES256")
        self.jwk = jwk.public_jwk(key, "ES256")
        self.signer = jws.Signer(kid=self.jwk["kid"], algorithm="ES256", private_key=key)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers = True
        self.fetched = 0

    def token(self, kid: str | None = None) -> str:
        signer = jws.Signer(kid=kid or self.signer.kid, algorithm="ES256", private_key=self.signer.private_key)
        return jws.encode(claims(self.url), signer, typ="at+jwt")


class Answer(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        keys = self.path == "/jwks"
        self.server.fetched += keys
        if keys and not self.server.answers:
            self.send_error(503)
            return
        document = (
            {"keys": [self.server.jwk]} if keys else {"issuer": self.server.url, "jwks_uri": f"{self.server.url}/jwks"}
        )
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    threading.Thread(target=issuer.serve_forever, daemon=True).start()
    yield issuer
    issuer.shutdown()
    issuer.server_close()


@pytest.fixture(params=["python", "node"])
def api(request, issuer) -> Iterator[str]:
    command = request.getfixturevalue(f"{request.param}_command")
    with serving(issuer.url, command, EXAMPLES / f"{request.param}-api") as url:
        yield url


def status(api: str, token: str) -> int:
    return patient.get(api, headers={"Authorization": f"Bearer {token}"}).status_code


def test_made_up_key_ids_do_not_turn_the_api_against_the_issuer(api, issuer):
    assert status(api, issuer.token()) == 200
    assert {status(api, issuer.token(kid=f"made-up-{number}")) for number in range(20)} == {401}
    assert issuer.fetched == 1


def test_api_stands_while_the_issuer_does_not_answer(api, issuer):
    assert status(api, issuer.token()) == 200
    issuer.answers = False
    assert status(api, issuer.token()) == 200


def test_api_says_that_it_cannot_judge_when_it_never_saw_a_key(api, issuer):
    issuer.answers = False
    answer = patient.get(api, headers={"Authorization": f"Bearer {issuer.token()}"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
