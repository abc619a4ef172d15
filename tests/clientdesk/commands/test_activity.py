"""Commands for the activity."""

import json


def test_activity_tells_of_deeds_as_json_lines(alice_at):
    lines = alice_at.run("export", "activity", "--consumer", "acme").out.splitlines()
    assert lines
    assert all("sentence" in json.loads(line) for line in lines)
