"""The file with the tokens."""

import json

import pytest

from clientdesk.errors import FAILED, NOT_ALLOWED
from tests.clientdesk.conftest import Terminal


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000, '{"endpoints": []}', '{"endpoints": {"a": 1}}'])
def test_damaged_sign_in_says_how_to_go_on_before_a_browser_opens(server, nobody_at, content):
    (nobody_at.home / "credentials.json").write_text(content)
    for command in (["list", "consumers"], ["logout"], ["login", "--no-browser"]):
        answer = nobody_at.call(*command)
        assert answer.status == FAILED
        assert "Delete it, and sign in again" in answer.err
    found = json.loads(nobody_at.call("doctor", "--format", "json").out)
    assert any("is damaged" in row["found"] for row in found if row["result"] == "error")


def test_folder_that_cannot_be_made_is_told_before_a_browser_opens(server, tmp_path):
    (tmp_path / "file").touch()
    answer = Terminal(server.url, None, tmp_path / "file" / "below").call("login", "--no-browser")
    assert answer.status == FAILED
    assert str(tmp_path / "file") in answer.err


def test_ended_sign_in_says_to_sign_in_again(server, nobody_at):
    tokens = {"access_token": "gone", "refresh_token": "gone", "expires_at": 0}
    (nobody_at.home / "credentials.json").write_text(json.dumps({"endpoints": {server.url: tokens}}))
    answer = nobody_at.call("list", "consumers")
    assert answer.status == NOT_ALLOWED
    assert "Sign in again with `clientdesk login`" in answer.err
