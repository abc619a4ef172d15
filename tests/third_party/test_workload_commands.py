"""The commands on a workload's pages, run as they stand against the real server, however the workload proves itself."""

import json
import os
import re
import subprocess
import sys
import uuid
from html import unescape

import jwt
import pytest
from google.auth import identity_pool
from google.auth.transport.requests import Request

from authority.workloads import guides
from clients.actions import trust as trust_actions
from clients.actions.clients import register_client
from clients.metadata import TEMPLATES
from clients.models import TrustedIssuer
from clients.onboarding import keypairs
from clients.policy import portal_policy
from clients.vocabulary import AuthMethod
from consumers.audit import SYSTEM
from consumers.models import Consumer
from tests.platforms import Outside
from tests.publisher import publishing
from tests.third_party.test_identity_tokens import BACKEND, PROVIDER, token_service

# What the commands call, where this machine has none of it.
PROGRAMS = {
    "jq": f'#!{sys.executable}\nimport json, sys\nprint(json.load(sys.stdin)[sys.argv[2][1:]], end="")\n',
    "python3": f'#!/bin/sh\nexec {sys.executable} "$@"\n',
}


class Deployment:
    """A workload in a folder of its own, with what its program holds there."""

    def __init__(self, person, folder, client, secret=None, **environment):
        self.person, self.folder, self.client = person, folder, client
        self.environment = environment
        for name, text in PROGRAMS.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        if secret:
            (folder / guides.env_file(client)).write_text(f"CLIENT_ID={client.client_id}\nCLIENT_SECRET={secret}\n")

    def blocks(self, guide=""):
        page = self.person.browser.get(f"/consumers/acme/clients/{self.client.client_id}/identity/{guide}")
        assert page.status_code == 200
        found = re.findall(r'<code id="code-([a-z]+)">(.*?)</code>', page.text, re.DOTALL)
        return {name: unescape(text) for name, text in found}

    def run(self, script, **more):
        environment = {"PATH": f"{self.folder}:{os.environ['PATH']}"} | self.environment | more
        command = ["bash", "-eo", "pipefail", "-c", script]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def register(server, **changes):
    with server.database():
        acme = Consumer.objects.get(slug="acme")
        metadata = TEMPLATES["workload"].replace(
            client_name=f"Workload {uuid.uuid4()}",
            project="billing",
            deployment="billing-main",
            identity_token_audience=(BACKEND, f"https:{PROVIDER}", "sts.amazonaws.com", "vault", "kubernetes"),
            **changes,
        )
        return register_client(consumer=acme, metadata=metadata, policy=portal_policy, actor=SYSTEM)


@pytest.fixture(params=["basic", "post", "key", "platform"])
def deployment(request, server, person, tmp_path):
    """A workload, by each way in which one can prove itself."""
    if request.param in ("basic", "post"):
        client, secret = register(server, token_endpoint_auth_method=AuthMethod[request.param.upper()].value)
        yield Deployment(person, tmp_path, client, secret)
    elif request.param == "key":
        pair = keypairs.generate()
        client, _ = register(
            server, token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT.value, jwks={"keys": [pair.public]}
        )
        deployed = Deployment(person, tmp_path, client)
        program = deployed.blocks()["assertion"]
        (tmp_path / re.search(r"Save as (\S+) beside (\S+)\.\s", program)[1]).write_text(program)
        (tmp_path / re.search(r'open\("([^"]+)"\)', program)[1]).write_text(pair.pem)
        yield deployed
    else:
        client, _ = register(server, token_endpoint_auth_method=AuthMethod.FEDERATED.value)
        with publishing() as publisher:
            outside, ours = Outside("gitlab", publisher), server.demo["issuer"]
            with server.database():
                issuer = TrustedIssuer.objects.create(name="GitLab", platform="gitlab", issuer=outside.issuer)
                claims = {"project_id": "20", "ref": "main"}
                trust_actions.create_rule(client=client, issuer=issuer, audience=ours, claims=claims, actor=SYSTEM)
            yield Deployment(person, tmp_path, client, IDENTITY=outside.token(ours))


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_workload_gets_its_token_by_the_command_on_its_page(deployment):
    said = deployment.run(deployment.blocks()["get"]).strip()
    token = json.loads(said)["id_token"] if said.startswith("{") else said
    assert claims_of(token)["aud"] == BACKEND


def test_google_s_library_reads_what_the_guide_writes(server, deployment):
    script = deployment.blocks("gcp/")["configure"] + "\ncat google-credentials.json"
    written = json.loads(deployment.run(script, PROJECT_NUMBER="1", POOL="acme"))
    with token_service(server.demo["workload_issuer"]) as (url, _):
        credentials = identity_pool.Credentials.from_info(
            written | {"token_url": url}, scopes=["https://www.googleapis.com/auth/cloud-platform"]
        )
        credentials.refresh(Request())
    assert credentials.token.startswith("federated-atcl_")


def test_token_lies_in_the_file_that_aws_reads(deployment):
    script = deployment.blocks("aws/")["use"].partition("export")[0]
    deployment.run(script)
    file = deployment.folder / "aws-token"
    assert claims_of(file.read_text().strip())["aud"] == "sts.amazonaws.com"
    assert file.stat().st_mode & 0o077 == 0


def test_every_command_of_the_pages_is_one_and_asks_for_no_secret_that_does_not_exist(deployment):
    shell = r"set -a|curl|gcloud|aws|az |vault|kubectl|[A-Z_]+=|printf"
    for name in ("", *(f"{name}/" for name in guides.GUIDES)):
        found = [text for text in deployment.blocks(name).values() if re.match(shell, text)]
        assert found, name
        for text in found:
            parsed = subprocess.run(["sh", "-n"], check=False, input=text, text=True, capture_output=True)
            assert parsed.returncode == 0, parsed.stderr
            assert deployment.client.holds_secrets or "CLIENT_SECRET" not in text
