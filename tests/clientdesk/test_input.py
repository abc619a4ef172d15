"""Files and standard input that are not UTF-8 or not JSON: one sentence and the exit status of a wrong command line."""

import shlex

import pytest

from clientdesk.errors import UNREACHABLE, USAGE

READERS = [
    "create client --file {file}",
    "create client --jwks @{file}",
    "update client cl_nobody --file {file}",
    "patch client cl_nobody --file {file}",
    "import clients {file}",
    "create test-token cl_nobody --scope a --reason b --claims @{file}",
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


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("name", [*ODD, "missing", "folder"])
def test_file_that_cannot_be_read_is_named(offline, command, name):
    file = offline.home / name
    if name == "folder":
        file.mkdir()
    elif name != "missing":
        file.write_bytes(ODD[name])
    answer = offline.call(*shlex.split(command.format(file=file)))
    assert answer.status == USAGE, answer.err
    assert answer.err.startswith(str(file))
    assert answer.err.count("\n") == 1


def test_file_that_begins_with_a_mark_is_read(offline):
    (offline.home / "marked").write_bytes(b'\xef\xbb\xbf{"client_name": "A"}')
    assert offline.call("create", "client", "--file", str(offline.home / "marked")).status == UNREACHABLE


def test_file_is_never_a_way_to_another_file(offline):
    (offline.home / "other.json").write_text("{}")
    (offline.home / "file").write_text(f"@{offline.home}/other.json")
    answer = offline.call("create", "client", "--file", str(offline.home / "file"))
    assert (answer.status, "is not JSON" in answer.err) == (USAGE, True)


@pytest.mark.parametrize("command", ["create client --file -", "introspect token", "perform client-credentials"])
def test_bytes_on_standard_input_are_refused(offline, command):
    answer = offline.run(*command.split(), typed="\udcff\udcfe", CLIENTDESK_CLIENT_ID="cl_nobody")
    assert answer.status == USAGE, answer.err
    assert answer.err == "Standard input is not text in UTF-8.\n"
