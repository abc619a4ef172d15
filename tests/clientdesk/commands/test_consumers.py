"""Commands for consumers."""

import uuid


def test_operator_makes_and_suspends_a_consumer(operator_at):
    slug = f"cli-{uuid.uuid4().hex[:8]}"
    assert operator_at.json("create", "consumer", slug, "--name", "From a terminal")["slug"] == slug
    assert operator_at.json("suspend", "consumer", slug)["suspended"] is True
    assert operator_at.json("resume", "consumer", slug)["suspended"] is False
    assert slug in [row["slug"] for row in operator_at.json("list", "consumers")]


def test_manager_sees_their_own_consumer_alone(alice_at):
    assert [row["slug"] for row in alice_at.json("list", "consumers")] == ["acme"]
    assert alice_at.run("get", "consumer", "globex").status == 4
    assert alice_at.run("create", "consumer", "mine", "--name", "Mine").status == 3
