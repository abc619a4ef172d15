"""Commands for connections to identity providers, their domains and joining rules."""

import uuid

import pytest

from clientdesk.errors import USAGE

SECRET = "pssst-a-secret-of-okta"


@pytest.fixture
def slug():
    return f"c-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def okta(operator_at, slug):
    """A connection to Okta, with a domain of its own."""
    flags = ("--preset", "okta", "--answer", f"domain={slug}.okta.com", "--client-id", "us")
    made = operator_at.json("create", "connection", slug, "--name", "Acme Okta", *flags)
    operator_at.json("create", "domain", slug, f"{slug}.example")
    yield made
    operator_at.call("delete", "connection", slug)


def test_a_connection_is_created_changed_and_deleted(operator_at, okta, slug):
    assert okta["issuer"] == f"https://{slug}.okta.com"
    assert okta["redirect_uri"].endswith(f"/sso/{slug}/callback")
    flags = ("--sign-in", "offered", "--max-age", "3600", "--consumer", "acme", "--scope", "openid,email")
    changed = operator_at.json("update", "connection", slug, *flags)
    assert (changed["sign_in"], changed["max_age"], changed["consumers"]) == ("offered", 3600, ["acme"])
    assert changed["scopes"] == ["openid", "email"]
    back = operator_at.json("update", "connection", slug, "--max-age", "0", "--consumer", "", "--groups-claim", "")
    assert (back["max_age"], back["consumers"], back["groups_claim"]) == (None, [], "")
    assert back["sign_in"] == "offered"
    assert operator_at.json("get", "connection", slug) == back
    assert slug in operator_at.call("list", "connections").out
    assert operator_at.call("get", "connection", slug).out.count("REDIRECT URI") == 1
    assert operator_at.call("delete", "connection", slug, "-q").out == f"{slug}\n"
    assert operator_at.call("get", "connection", slug).status == 4


def test_the_secret_comes_from_a_file_or_standard_input_and_never_back(operator_at, okta, slug, tmp_path):
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    by_secret = ("update", "connection", slug, "--client-authentication", "client_secret_post")
    for words, typed in ((("--client-secret-file", str(file)), ""), (("--client-secret-file", "-"), f"{SECRET}-2\n")):
        answer = operator_at.call(*by_secret, *words, typed=typed)
        assert answer.status == 0, answer.err
        assert SECRET not in answer.out + answer.err
    assert operator_at.json("get", "connection", slug)["has_client_secret"] is True


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--client-secret", "abc"), "Every process can read a command line."),
        (("--client-secret-file", "/nowhere"), "/nowhere can't be read"),
        (("--client-secret-file", "-"), "is empty"),
        (("--client-authentication", "client_secret_basic"), "--client-secret-file"),
        (("--answer", "acme.okta.com"), "name=text"),
    ],
)
def test_a_wrong_command_line_sends_nothing(offline, words, sentence):
    answer = offline.call("create", "connection", "okta", "--name", "Okta", "--client-id", "us", *words)
    assert (answer.status, answer.out) == (USAGE, "")
    assert sentence in answer.err
    assert "abc" not in answer.err


def test_nothing_to_change_is_said(offline):
    assert "Nothing to change" in offline.call("update", "connection", "okta").err


def test_a_domain_is_vouched_for_and_removed(operator_at, okta, slug):
    name = f"{slug}.example"
    assert operator_at.json("get", "domain", slug, name)["verified_at"] is None
    verified = operator_at.json("verify", "domain", slug, name, "--by", "Contract of 3 March")
    assert verified["verified_by"] == "Contract of 3 March"
    assert operator_at.json("list", "domains", slug) == [verified]
    assert operator_at.call("delete", "domain", slug, name).status == 0
    assert operator_at.json("list", "domains", slug) == []


def test_people_join_by_a_rule(operator_at, okta, slug):
    made = operator_at.json(
        "create", "joining-rule", "acme", "--connection", slug, "--group", "Staff", "--role", "manager"
    )
    assert (made["kind"], made["value"], made["role"]) == ("group", "Staff", "manager")
    assert operator_at.json("get", "joining-rule", "acme", made["id"]) == made
    assert made in operator_at.json("list", "joining-rules", "acme")
    assert operator_at.call("delete", "joining-rule", "acme", made["id"]).status == 0
    both = operator_at.call("create", "joining-rule", "acme", "--connection", slug, "--group", "a", "--domain", "b")
    assert (both.status, both.err) == (USAGE, "Give --domain or --group.\n")


def test_presets_are_listed(operator_at):
    found = {each["preset"]: each for each in operator_at.json("list", "presets")}
    assert found["keycloak"]["asks"] == ["host: Address", "realm: Realm"]


def test_managers_are_not_allowed(alice_at):
    assert alice_at.call("list", "connections").status == 3


def test_flags_are_the_members_of_a_connection():
    from clientdesk.commands.connections import FLAGS
    from clientdesk.flags import VALUES
    from connections.documents import MEMBERS

    assert {flag.member for flag in FLAGS} == MEMBERS.keys() - {"name", "slug"}
    for name in ("preset", "client-authentication", "sign-in"):
        assert VALUES[name] == list(MEMBERS[name.replace("-", "_")]["enum"])
