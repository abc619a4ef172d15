"""The snippets of clients without secrets, run against a real server."""

import json
import os
import re
import subprocess
import sys
import uuid
from html import unescape

import jwcrypto.jwk
import jwcrypto.jwt
import pytest
import yaml
from django.conf import settings

from clients.actions import trust as trust_actions
from clients.models import TrustedIssuer, TrustRule
from clients.onboarding.snippets import trust_snippets
from clients.vocabulary import AuthMethod
from consumers.audit import SYSTEM
from consumers.models import Consumer
from tests import patient
from tests.clients.onboarding.test_snippets import alice_there, commands, node, register  # noqa: F401  # a fixture
from tests.factories import ClientFactory
from tests.platforms import Outside
from tests.publisher import publishing


@pytest.mark.parametrize("language", ["node", "python"])
def test_pasted_commands_sign_with_the_downloaded_key(alice_there, tmp_path, language):  # noqa: F811
    name = f"Signer {uuid.uuid4().hex[:8]}"
    page = register(
        alice_there, template="service", client_name=name, scope=["shipments:read"], proof="private_key_jwt"
    )
    key = unescape(re.search(r'id="private-key">([^<]+)<', page)[1])
    (tmp_path / f"{name.lower().replace(' ', '-')}.pem").write_text(key)
    text = commands(page)[language]
    assert key.splitlines()[1] not in text
    file = re.search(r"Save as (\S+)", text)[1]
    (tmp_path / file).write_text(text)
    program = node() if language == "node" else sys.executable
    said = subprocess.run([program, file], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True).stdout
    assert json.loads(said)["scope"] == "shipments:read"


@pytest.fixture
def deploy(server):
    """A client on GitHub and GitLab, whose issuers answer here; what its page says for each."""
    with publishing() as publisher, server.database():
        acme = Consumer.objects.get(slug="acme")
        client = ClientFactory(
            consumer=acme, client_name=f"Deploy {uuid.uuid4()}", token_endpoint_auth_method=AuthMethod.FEDERATED.value
        )
        ours = server.demo["issuer"]
        rules = {
            "github": {"repository_id": "74", "environment": "production"},
            "gitlab": {"project_id": "20", "ref": "main"},
        }
        made, outsides = [], {}
        for platform, claims in rules.items():
            outside = outsides[platform] = Outside(platform, publisher)
            # The test's own settings know nothing of the server's, which may ask loopback addresses.
            issuer = TrustedIssuer.objects.create(name=platform, platform=platform, issuer=outside.issuer)
            made.append(
                trust_actions.create_rule(client=client, issuer=issuer, audience=ours, claims=claims, actor=SYSTEM)
            )
        texts = {snippet.language: snippet.text for snippet in trust_snippets(client, made)}
        yield publisher, outsides, {name: text.replace(settings.ISSUER, ours) for name, text in texts.items()}


def shell(script, folder, **environment):
    """Run the script as GitHub's and GitLab's runners do; jq is theirs, so ours stands in where there is none."""
    jq = folder / "jq"
    jq.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.load(sys.stdin)[sys.argv[2][1:]])\n")
    jq.chmod(0o755)
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": f"{folder}:{os.environ['PATH']}"} | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def proven(server, token):
    """Check the access token as an API would: by the published keys."""
    keys = jwcrypto.jwk.JWKSet.from_json(patient.get(f"{server.url}/.well-known/jwks.json").text)
    return json.loads(jwcrypto.jwt.JWT(jwt=token, key=keys).claims)


def test_github_workflow_gets_a_token(server, deploy, tmp_path):
    publisher, outsides, texts = deploy
    workflow = yaml.safe_load(texts["github"])
    assert workflow["permissions"]["id-token"] == "write"
    job = workflow["jobs"]["token"]
    assert job["environment"] == "production"
    ours = server.demo["issuer"]
    quoted = ours.replace(":", "%3A").replace("/", "%2F")
    url = publisher.publish(f"/identity?api-version=2&audience={quoted}", {"value": outsides["github"].token(ours)})
    output = tmp_path / "output"
    said = shell(
        job["steps"][0]["run"],
        tmp_path,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN="a-request-token",
        ACTIONS_ID_TOKEN_REQUEST_URL=url.partition("&audience")[0],
        GITHUB_OUTPUT=str(output),
    )
    token = output.read_text().strip().removeprefix("token=")
    assert said == f"::add-mask::{token}\n"
    assert proven(server, token)["scope"] == "shipments:read"
    assert b"authorization: bearer a-request-token" in publisher.requests[0].lower()


def test_gitlab_job_gets_a_token(server, deploy, tmp_path):
    _, outsides, texts = deploy
    job = yaml.safe_load(texts["gitlab"])["token"]
    assert job["id_tokens"] == {"IDENTITY": {"aud": server.demo["issuer"]}}
    script = job["script"][-1] + "\necho $token"
    token = shell(script, tmp_path, IDENTITY=outsides["gitlab"].token(server.demo["issuer"])).strip()
    assert proven(server, token)["scope"] == "shipments:read"


@pytest.mark.parametrize("name", ["production", "yes", "1.0", "a: b", "#1", "EU (west)", "it's", "Straße", 'x"y'])
def test_values_stay_texts_in_the_files_of_platforms(db, acme, name):
    client = ClientFactory(consumer=acme, token_endpoint_auth_method=AuthMethod.FEDERATED.value)
    made = []
    for platform, owner in (("github", "repository_id"), ("gitlab", "project_id")):
        issuer = TrustedIssuer.objects.create(
            name=platform, platform=platform, issuer=f"https://{platform}.example.com"
        )
        claims = {owner: "74", "environment": name}
        made.append(TrustRule(client=client, issuer=issuer, audience="urn:a", claims=claims))
    texts = {snippet.language: yaml.safe_load(snippet.text) for snippet in trust_snippets(client, made)}
    assert texts["github"]["jobs"]["token"]["environment"] == name
    assert texts["gitlab"]["token"]["environment"] == name
    assert texts["gitlab"]["token"]["id_tokens"]["IDENTITY"]["aud"] == "urn:a"
