"""The snippets of services and web apps, run against a real server."""

import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from clients.onboarding.snippets import env_file, snippets
from tests import patient
from tests.factories import ClientFactory
from tests.third_party.person import alice_of

SCOPE = "shipments:read shipments:write"


def node() -> str:
    beside = Path(sys.executable).with_name("node")
    return str(beside) if beside.exists() else shutil.which("node") or pytest.fail("Node.js is missing")


def run(language: str, text: str, folder: Path, given: str = "", **environment: str) -> str:
    """Run a command as a person would who pastes it."""
    name = {"curl": "paste.sh", "python": "token.py", "node": "token.mjs"}[language]
    (folder / name).write_text(text)
    program = {"curl": ["bash"], "python": [sys.executable], "node": [node()]}[language]
    done = subprocess.run(
        [*program, name],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)} | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def alice_there(server):
    """Alice's browser on the real server."""
    with patient.Client(base_url=server.url, follow_redirects=True, timeout=120) as browser:
        page = browser.get("/account/login/")
        alice = next(person for person in server.demo["managers"] if person["email"].startswith("alice"))
        form = {"login": alice["email"], "password": alice["password"], "csrfmiddlewaretoken": token_of(page.text)}
        answer = browser.post("/account/login/", data=form, headers={"Origin": server.url})
        assert "/account/login" not in str(answer.url)
        yield browser


def token_of(page: str) -> str:
    return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]


def register(browser: httpx.Client, **form) -> str:
    path = "/consumers/acme/clients/new"
    page = browser.get(path).text
    key = re.search(r'name="key" value="([^"]+)"', page)[1]
    answer = browser.post(
        path,
        data={"csrfmiddlewaretoken": token_of(page), "key": key} | form,
        headers={"Origin": str(browser.base_url).rstrip("/")},
    )
    assert answer.status_code == 200, answer.text
    return answer.text


def commands(page: str) -> dict[str, str]:
    """Return what the copy buttons copy."""
    found = re.findall(r'<code id="code-(\w+)">(.*?)</code>', page, re.DOTALL)
    return {language: unescape(re.sub(r"</?i>", "", text)) for language, text in found}


def test_pasted_commands_of_a_service_get_a_token(alice_there, tmp_path):
    page = register(alice_there, template="service", client_name="Paste me", scope=SCOPE.split())
    found = commands(page)
    assert set(found) == {"curl", "python", "node"}
    for language, text in found.items():
        answer = json.loads(run(language, text, tmp_path))
        assert answer["token_type"] == "Bearer"
        assert answer["scope"] == SCOPE


def test_pasted_commands_can_also_be_typed_into_the_interpreters(alice_there, tmp_path):
    page = register(alice_there, template="service", client_name="Type me", scope=["shipments:read"])
    found = commands(page)
    for program, given in (([sys.executable, "-i"], found["python"]), ([node(), "--eval", found["node"]], "")):
        done = subprocess.run(
            program, input=given + "\n", cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )
        assert '"access_token"' in done.stdout, done.stderr


def test_commands_of_the_clients_page_work_with_the_downloaded_file(alice_there, tmp_path):
    page = register(alice_there, template="service", client_name="File me", scope=["shipments:read"])
    form = re.search(r'action="([^"]+/credentials/)"', page)[1]
    secret = re.search(r'name="secret" value="([^"]+)"', page)[1]
    file = alice_there.post(
        form,
        data={"csrfmiddlewaretoken": token_of(page), "secret": secret, "format": "env"},
        headers={"Origin": str(alice_there.base_url).rstrip("/")},
    )
    (tmp_path / "file-me.env").write_text(file.text)
    found = commands(alice_there.get(form.removesuffix("credentials/")).text)
    assert secret not in str(found)
    assert "access_token" in json.loads(run("curl", found["curl"], tmp_path))
    credentials = dict(line.split("=", 1) for line in file.text.splitlines())
    for language in ("python", "node"):
        assert "access_token" in json.loads(run(language, found[language], tmp_path, **credentials))


@pytest.mark.parametrize("template", ["web", "public"])
@pytest.mark.parametrize("language", ["curl", "python", "node"])
def test_pasted_commands_sign_a_person_in_with_pkce(server, alice_there, template, language, tmp_path):
    page = register(
        alice_there,
        template=template,
        client_name=f"Sign me in by {language} as {template}",
        scope=["shipments:read"],
        identity=["openid"],
        redirect_uris="http://127.0.0.1:9/signed-in?from=app",
    )
    name = {"curl": "paste.sh", "python": "sign_in.py", "node": "sign_in.mjs"}[language]
    (tmp_path / name).write_text(commands(page)[language])
    program = {"curl": "bash", "python": sys.executable, "node": node()}[language]
    with subprocess.Popen(
        [program, name], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as pasted:
        assert "Open this URL" in pasted.stdout.readline()
        address = pasted.stdout.readline().strip()
        query = parse_qs(urlsplit(address).query)
        assert query["code_challenge_method"] == ["S256"]
        with alice_of(server) as alice:
            out, err = pasted.communicate(alice.allow(address) + "\n", timeout=120)
    answer = json.loads(out.strip().splitlines()[-1])
    assert answer.get("token_type") == "Bearer", (answer, err, address)
    assert answer["id_token"]


# -- Without a server -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_values_cannot_break_out_of_a_command(acme, tmp_path):
    """A scope and an address may hold what shells and programs take for their own."""
    bad = "it's$(touch${IFS}pwned)`id`;x"
    client = ClientFactory(
        consumer=acme, template="web", scopes=["openid"], redirect_uris=[f"https://app.example.com/?q={bad}"]
    )
    for snippet in snippets(client, "cdsk_x"):
        (tmp_path / "program").write_text(snippet.text)
        check = {
            "curl": ["bash", "-n", "program"],
            "python": [sys.executable, "-m", "py_compile", "program"],
            "node": [node(), "--input-type=module", "--check", "-"],
        }[snippet.language]
        subprocess.run(check, cwd=tmp_path, check=True, input=snippet.text, text=True, timeout=120)
        quoted = {"curl": "'https://app.example.com/?q=it'\"'\"'s$(touch"}.get(snippet.language, '"https://app.example')
        assert quoted in snippet.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "file"),
    [("Billing sync", "billing-sync.env"), ("../../etc/passwd", "etc-passwd.env"), ("A" * 90, "a" * 40 + ".env")],
)
def test_file_is_named_after_its_client(acme, name, file):
    assert env_file(ClientFactory(consumer=acme, client_name=name)) == file


@pytest.mark.django_db
def test_client_that_signs_its_requests_has_no_commands_with_a_secret(acme):
    client = ClientFactory(consumer=acme, token_endpoint_auth_method="private_key_jwt")
    texts = [snippet.text for snippet in snippets(client)]
    assert texts
    assert [text for text in texts if "secret" in text.lower()] == []
