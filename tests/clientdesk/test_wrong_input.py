"""What newcomers and scripts get wrong: one sentence that says what to do, the documented exit status, no traceback."""

import json
import shlex
import ssl
import uuid

import httpx
import pytest

from clientdesk.problems import FAILED, NOT_ALLOWED, NOT_FOUND, UNREACHABLE, USAGE, Problem
from clientdesk.remote import Remote
from tests.clientdesk.conftest import Terminal

READERS = [
    "create oauth2-client --file {file}",
    "create oauth2-client --jwks @{file}",
    "update oauth2-client cl_nobody --file {file}",
    "patch oauth2-client cl_nobody --file {file}",
    "import oauth2-clients {file}",
    "test-token cl_nobody --scope a --reason b --claims @{file}",
    "api post /admin/clients --file {file}",
]
ODD = {
    "binary": bytes(range(256)),
    "utf-16": "{}".encode("utf-16"),
    "empty": b"",
    "cut": b'{"client_name": ',
    "deep": b"[" * 100_000,
    "nan": b'[{"client_name": NaN}]',
    "endless": b'[{"client_name": 1e999}]',
    "long": b"[%s]" % (b"9" * 5000),
    "surrogate": b'[{"client_name": "\\ud800"}]',
}


@pytest.fixture
def alone(tmp_path):
    """A terminal whose server nobody runs: whatever is sent ends with status 6."""
    return Terminal("http://127.0.0.1:1", "cdp_nobody", tmp_path)


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("name", [*ODD, "missing", "folder"])
def test_file_that_cannot_be_read_is_named(alone, command, name):
    file = alone.home / name
    if name == "folder":
        file.mkdir()
    elif name != "missing":
        file.write_bytes(ODD[name])
    answer = alone.call(*shlex.split(command.format(file=file)))
    assert answer.status == USAGE, answer.err
    assert answer.err.startswith(str(file))
    assert answer.err.count("\n") == 1


def test_file_that_begins_with_a_mark_is_read(alone):
    (alone.home / "marked").write_bytes(b'\xef\xbb\xbf{"client_name": "A"}')
    assert alone.call("create", "oauth2-client", "--file", str(alone.home / "marked")).status == UNREACHABLE


def test_file_is_never_a_way_to_another_file(alone):
    (alone.home / "other.json").write_text("{}")
    (alone.home / "file").write_text(f"@{alone.home}/other.json")
    answer = alone.call("create", "oauth2-client", "--file", str(alone.home / "file"))
    assert (answer.status, "is not JSON" in answer.err) == (USAGE, True)


@pytest.mark.parametrize("command", ["create oauth2-client --file -", "introspect", "token client-credentials"])
def test_bytes_on_standard_input_are_refused(alone, command):
    answer = alone.run(*command.split(), typed="\udcff\udcfe", CLIENTDESK_CLIENT_ID="cl_nobody")
    assert answer.status == USAGE, answer.err
    assert answer.err == "Standard input is no text in UTF-8.\n"


@pytest.mark.parametrize("command", ["get oauth2-client \udcff", "create oauth2-client --name \udcff"])
def test_bytes_on_the_command_line_are_refused(alone, command):
    answer = alone.call(*command.split())
    assert answer.status == USAGE
    assert "UTF-8" in answer.err


@pytest.mark.parametrize("odd", ["", ".", ".."])
def test_id_that_would_lead_elsewhere_is_refused_unsent(alone, odd):
    for command in (["get", "oauth2-client", odd], ["secrets", "revoke", "cl_nobody", odd], ["consumers", "get", odd]):
        answer = alone.call(*command)
        assert (answer.status, answer.err) == (USAGE, f"“{odd}” is no ID.\n")


def test_terminal_that_knows_few_characters_is_told_in_those(alone):
    answer = alone.run("get", "oauth2-client", "..", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert answer.status == USAGE
    assert "?..? is no ID." in answer.err


# -- Servers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "status", "advice"),
    [
        ("", USAGE, "clientdesk login --endpoint"),
        ("portal", USAGE, "https://portal.example.com"),
        ("http://[::1", USAGE, "https://portal.example.com"),
        ("http://127.0.0.1:1", UNREACHABLE, "Is the address right"),
        ("https://nowhere.invalid", UNREACHABLE, "Is the address right"),
    ],
)
@pytest.mark.parametrize("command", ["list oauth2-clients", "login --no-browser", "token client-credentials", "tui"])
def test_server_that_is_not_there_is_told_in_one_sentence(tmp_path, address, status, advice, command):
    terminal = Terminal(address, "cdp_nobody", tmp_path)
    answer = terminal.call(*command.split(), typed="secret", CLIENTDESK_CLIENT_ID="cl_nobody")
    assert answer.status == status, answer.err
    assert advice in answer.err
    assert "Errno" not in answer.err


def test_tls_where_none_is_spoken_is_told(server, tmp_path):
    answer = Terminal(server.url.replace("http:", "https:"), "cdp_nobody", tmp_path).call("consumers", "list")
    assert answer.status == UNREACHABLE
    assert "http://" in answer.err


def fails(error):
    def handle(request):
        raise error

    return handle


@pytest.mark.parametrize(
    ("handle", "status", "sentence"),
    [
        (lambda _: httpx.Response(404, html="<h1>"), NOT_FOUND, "not as Clientdesk does"),
        (lambda _: httpx.Response(403, html="<h1>"), NOT_ALLOWED, "not as Clientdesk does"),
        (lambda _: httpx.Response(502, html="<h1>"), FAILED, "502 Bad Gateway"),
        (lambda _: httpx.Response(301, headers={"Location": "https://b.example/x"}), FAILED, "https://b.example?"),
        (lambda _: httpx.Response(200, html="<h1>"), FAILED, "not answer as Clientdesk does"),
        (lambda _: httpx.Response(200, json=["a"]), FAILED, "not answer as Clientdesk does"),
        (lambda _: httpx.Response(200, json={"issuer": "a"}), FAILED, "not answer as Clientdesk does"),
        (fails(httpx.ReadTimeout("")), UNREACHABLE, "in time"),
        (
            fails(httpx.ConnectError(str(ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED")))),
            UNREACHABLE,
            "SSL_CERT_FILE",
        ),
    ],
)
def test_server_that_is_another_is_recognised(handle, status, sentence):
    remote = Remote("https://a.example", transport=httpx.MockTransport(handle))
    with pytest.raises(Problem, match=r"a\.example") as caught:
        remote.discovery()
    assert caught.value.status == status
    assert sentence in str(caught.value)


# -- The sign-in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000, '{"endpoints": []}', '{"endpoints": {"a": 1}}'])
def test_damaged_sign_in_says_how_to_go_on_before_a_browser_opens(server, nobody_at, content):
    (nobody_at.home / "credentials.json").write_text(content)
    for command in (["consumers", "list"], ["logout"], ["login", "--no-browser"]):
        answer = nobody_at.call(*command)
        assert answer.status == FAILED
        assert "Delete it, and sign in again" in answer.err
    found = json.loads(nobody_at.call("doctor", "--format", "json").out)
    assert any("is damaged" in row["found"] for row in found if row["result"] == "bad")


def test_folder_that_cannot_be_made_is_told_before_a_browser_opens(server, tmp_path):
    (tmp_path / "file").touch()
    answer = Terminal(server.url, None, tmp_path / "file" / "below").call("login", "--no-browser")
    assert answer.status == FAILED
    assert str(tmp_path / "file") in answer.err


def test_ended_sign_in_says_to_sign_in_again(server, nobody_at):
    tokens = {"access_token": "gone", "refresh_token": "gone", "expires_at": 0}
    (nobody_at.home / "credentials.json").write_text(json.dumps({"endpoints": {server.url: tokens}}))
    answer = nobody_at.call("consumers", "list")
    assert answer.status == NOT_ALLOWED
    assert "Sign in again with `clientdesk login`" in answer.err


# -- Several at once --------------------------------------------------------------------------------------------------


def test_clients_that_were_made_before_a_refusal_are_shown_with_their_secrets(alice_at):
    name = f"Several {uuid.uuid4().hex[:6]}"
    good = {"client_name": name, "grant_types": ["client_credentials"], "scope": "shipments:read"}
    (alice_at.home / "clients.json").write_text(json.dumps([good, good | {"scope": "nobody:knows"}]))
    answer = alice_at.call("create", "oauth2-client", "--file", str(alice_at.home / "clients.json"), "--format", "json")
    assert answer.status == FAILED
    assert "Client 2 of" in answer.err
    assert answer.json["client_name"] == name
    assert answer.json["client_secret"]


def test_refusal_says_which_of_several_it_is_about(alice_at, server):
    client_id, _ = server.service()
    answer = alice_at.call("disable", "oauth2-client", client_id, "cl_nobody", "--quiet")
    assert answer.status == NOT_FOUND
    assert answer.out.strip() == client_id
    assert answer.err.startswith("cl_nobody: ")


def test_help_says_where_to_begin_and_what_a_status_means(alone):
    said = alone.call("--help").out
    assert "clientdesk login" in said
    assert "Exit status" in said
