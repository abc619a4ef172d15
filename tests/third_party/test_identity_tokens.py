"""What the world's libraries make of a workload's identity tokens, and the portal's guides as they stand."""

import json
import os
import re
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from fastapi import FastAPI
from google.auth import identity_pool
from google.auth.exceptions import OAuthError
from google.auth.transport.requests import Request

from clients.actions.clients import register_client
from clients.metadata import TEMPLATES
from clients.policy import portal_policy
from consumers.audit import SYSTEM
from consumers.models import Consumer
from tests import patient
from tests.live import Server
from tests.servers import free_port, running
from tests.third_party.conftest import HERE

BACKEND = "https://backend.acme.example"
PROVIDER = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/acme/providers/clientdesk"


@dataclass
class Workload:
    issuer: str
    client_id: str
    subject: str
    auth: tuple[str, str]

    def token(self, audience: str = BACKEND) -> str:
        answer = patient.post(f"{self.issuer}/token", auth=self.auth, data={"audience": audience})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id_token"])


@pytest.fixture
def workload(server: Server) -> Workload:
    with server.database():
        acme = Consumer.objects.get(slug="acme")
        metadata = TEMPLATES["workload"].replace(
            client_name=f"Workload {uuid.uuid4()}",
            project="billing",
            deployment="billing-main-53c4947",
            identity_token_audience=(BACKEND, f"https:{PROVIDER}"),
        )
        client, secret = register_client(consumer=acme, metadata=metadata, policy=portal_policy, actor=SYSTEM)
        subject = client.workload.subject
    assert secret is not None
    return Workload(server.demo["workload_issuer"], client.client_id, subject, (client.client_id, secret))


def test_jose_verifies_as_the_example_does_and_so_does_jwks_rsa(script, server, workload):
    access_token = server.token()
    results = script(
        "identity_tokens.mjs",
        workload_issuer=workload.issuer,
        audience=BACKEND,
        token=workload.token(),
        access_token=access_token,
        access_kid=jwt.get_unverified_header(access_token)["kid"],
    )
    payload, header = results["verified"]["payload"], results["verified"]["protectedHeader"]
    assert (payload["account"], payload["project"], payload["sub"]) == ("acme", "billing", workload.subject)
    assert header["alg"] == "RS256"
    assert results["elsewhere"] == {"error": "ERR_JWT_CLAIM_VALIDATION_FAILED"}
    assert results["other"] == {"error": "ERR_JWKS_NO_MATCHING_KEY"}
    assert results["kid"] == header["kid"]
    assert results["rsa"] is True
    assert results["foreign"] == "SigningKeyNotFoundError"


def test_pyjwt_finds_the_keys_by_discovery(server, workload):
    document = patient.get(f"{workload.issuer}/.well-known/openid-configuration").json()
    assert document["issuer"] == workload.issuer
    keys = jwt.PyJWKClient(document["jwks_uri"])
    token = workload.token()
    key = keys.get_signing_key_from_jwt(token)
    algorithms = document["id_token_signing_alg_values_supported"]
    claims = jwt.decode(token, key, algorithms=algorithms, issuer=workload.issuer, audience=BACKEND)
    assert claims["sub"] == workload.subject
    assert set(claims) == set(document["claims_supported"])
    with pytest.raises(jwt.PyJWKClientError):
        keys.get_signing_key_from_jwt(server.token())
    ours = jwt.PyJWKClient(f"{server.url}/.well-known/jwks.json")
    with pytest.raises(jwt.PyJWKClientError):
        ours.get_signing_key_from_jwt(token)


# -- Google's libraries, against a security token service like Google's -----------------------------------------------


@contextmanager
def token_service(issuer: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Exchange identity tokens of the issuer for tokens of its own (RFC 8693), as sts.googleapis.com does."""
    keys, seen = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json"), []

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            seen.append(form)
            try:
                token = form["subject_token"]
                key = keys.get_signing_key_from_jwt(token)
                audience = f"https:{form['audience']}"
                claims = jwt.decode(token, key, algorithms=["RS256"], issuer=issuer, audience=audience)
                status, answer = (
                    200,
                    {
                        "access_token": f"federated-{claims['sub']}",
                        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                        "token_type": "Bearer",
                        "expires_in": 3600,
                    },
                )
            except jwt.PyJWTError as error:
                status, answer = 400, {"error": "invalid_grant", "error_description": str(error)}
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *args: object) -> None:
            pass

    service = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{service.server_port}/v1/token", seen
    finally:
        service.shutdown()
        thread.join()
        service.server_close()


def google(workload: Workload, token_url: str, audience: str, **source: object) -> identity_pool.Credentials:
    authorization = httpx.Request("GET", workload.issuer)
    next(httpx.BasicAuth(*workload.auth).auth_flow(authorization))
    info = {
        "type": "external_account",
        "audience": PROVIDER,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": token_url,
        "credential_source": {
            "url": f"{workload.issuer}/identity-token?audience={audience}",
            "headers": {"Authorization": authorization.headers["Authorization"]},
            **source,
        },
    }
    return identity_pool.Credentials.from_info(info, scopes=["https://www.googleapis.com/auth/cloud-platform"])


@pytest.mark.parametrize(
    ("query", "shape"),
    [
        ("", {}),
        ("", {"format": {"type": "text"}}),
        ("&format=json", {"format": {"type": "json", "subject_token_field_name": "id_token"}}),
    ],
)
def test_google_s_library_fetches_and_exchanges_it_by_itself(workload, query, shape):
    with token_service(workload.issuer) as (url, seen):
        credentials = google(workload, url, f"https:{PROVIDER}{query}", **shape)
        credentials.refresh(Request())
    assert credentials.token == f"federated-{workload.subject}"
    assert seen[0]["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange"


def test_token_service_refuses_a_token_for_somebody_else(workload):
    with token_service(workload.issuer) as (url, _), pytest.raises(OAuthError, match="Audience"):
        google(workload, url, BACKEND).refresh(Request())


# -- The guides, as the portal shows them -----------------------------------------------------------------------------


@pytest.fixture
def guide(person, workload):
    """Return the program of one of the workload's guides."""

    def read(name: str) -> str:
        page = person.browser.get(f"/consumers/acme/clients/{workload.client_id}/identity/{name}/")
        assert page.status_code == 200
        found = re.search(r'<code id="code-backend">(.*?)</code>', page.text, re.DOTALL)
        assert found is not None
        return unescape(found[1])

    return read


def judge(call, server: Server, workload: Workload) -> None:
    """Let a backend judge tokens: this project's for it, and others."""
    answer = call(workload.token())
    assert (answer.status_code, answer.json()) == (200, {"hello": "billing-main-53c4947"})
    for refused in (workload.token(f"https:{PROVIDER}"), server.token(), "x", f"{workload.token()[:-8]}AAAAAAAA"):
        assert call(refused).status_code == 401
    with server.database():
        acme = Consumer.objects.get(slug="acme")
        client = acme.clients.get(client_id=workload.client_id)
        client.project = "another"
        client.save()
    assert call(workload.token()).status_code == 403


@pytest.mark.parametrize("name", ["fastify", "express"])
def test_node_backend_of_the_guide_lets_this_project_alone_in(name, node, guide, server, workload, tmp_path):
    (tmp_path / "backend.mjs").write_text(guide(name))
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with running([node, "backend.mjs"], url, os.environ | {"PORT": str(port)}, tmp_path):
        assert patient.get(url).status_code == 401
        judge(lambda token: patient.get(url, headers={"Authorization": f"Bearer {token}"}), server, workload)


def test_fastapi_backend_of_the_guide_lets_this_project_alone_in(guide, server, workload):
    names: dict[str, FastAPI] = {}
    exec(compile(guide("fastapi"), "backend.py", "exec"), names)  # noqa: S102  # it is the guide that is tried
    transport = httpx.ASGITransport(app=names["app"])

    def call(token: str) -> httpx.Response:
        return asyncio_run(transport, {"Authorization": f"Bearer {token}"})

    assert asyncio_run(transport, {}).status_code in (401, 403)
    judge(call, server, workload)


def asyncio_run(transport: httpx.ASGITransport, headers: dict[str, str]) -> httpx.Response:
    import asyncio

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://backend") as client:
            return await client.get("/", headers=headers)

    # In a thread of its own: a browser of other tests may have left a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, get()).result()
