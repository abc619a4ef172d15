"""CONNECTIONS_FILE: connections that are kept in a file."""

import json
import subprocess
import sys
import threading
from io import StringIO

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection as database_connection
from hypothesis import given, settings
from hypothesis import strategies as st

from connections.configuration.applying import apply, apply_file, preview_file
from connections.configuration.reading import WrongFile, parse, read
from connections.models import Connection, Domain, Identity, JoiningRule
from consumers.models import Event
from tests.connections.provider import ScriptedProvider, connect
from tests.generated import examples

pytestmark = pytest.mark.django_db

SECRET = "pssst-a-secret-of-okta"
OKTA = {
    "slug": "acme-okta",
    "name": "Acme Okta",
    "preset": "okta",
    "preset_answers": {"domain": "acme.okta.com"},
    "client_id": "0oa1",
}
YAML = """
# Whoever reads this file learns no secret.
connections:
  - slug: acme-okta
    name: Acme Okta
    preset: okta
    preset_answers: {domain: acme.okta.com}
    client_id: 0oa1b2c3d4
    client_secret_file: okta.secret
    domains: [acme.example, acme-staff.example]
    consumers: [acme]
    sign_in: required
    max_age: 3600
    for_operators: true
    operator_claim_value: Portal operators
    operator_group: Support
    joining_rules:
      - {consumer: acme, kind: group, value: API team, role: manager}
      - {consumer: acme, kind: domain, value: acme.example}
"""


@pytest.fixture
def write(tmp_path):
    """Return a function that writes the connections into the file, and returns its path."""

    def write(*entries, text=None, name="connections.json"):
        path = tmp_path / name
        path.write_text(text if text is not None else json.dumps({"connections": list(entries)}))
        return str(path)

    (tmp_path / "okta.secret").write_text(f"{SECRET}\n")
    return write


def names():
    return list(Event.objects.order_by("pk").values_list("name", flat=True))


def begin_session(browser_of, user):
    key = browser_of(user).session.session_key
    UserSession.objects.get_or_create(session_key=key, defaults={"user": user, "ip": "192.0.2.1", "user_agent": ""})


def wrong(path) -> str:
    before = list(Connection.objects.values())
    events = Event.objects.count()
    with pytest.raises(WrongFile) as caught:
        apply_file(path)
    assert list(Connection.objects.values()) == before
    assert Event.objects.count() == events
    assert "\n" not in caught.value.description
    return caught.value.description


# -- What it makes ----------------------------------------------------------------------------------------------------


def test_a_file_makes_connections_domains_and_rules(write, acme):
    Group.objects.create(name="Support")
    changes = apply_file(write(text=YAML, name="connections.yaml"))
    row = Connection.objects.get()
    assert (row.issuer, row.client_id, row.client_secret) == ("https://acme.okta.com", "0oa1b2c3d4", SECRET)
    assert (row.client_authentication, row.source, row.sign_in) == ("client_secret_basic", "file", "required")
    assert (row.max_age, row.for_operators, row.operator_group.name) == (3600, True, "Support")
    assert list(row.consumers.all()) == [acme]
    assert row.required_at is not None
    assert row.tested_at is None  # the word of the file is enough
    domains = row.domains.values_list("name", "verified_by")
    assert list(domains) == [("acme-staff.example", "CONNECTIONS_FILE"), ("acme.example", "CONNECTIONS_FILE")]
    rules = row.rules.values_list("kind", "value", "role", "consumer__slug")
    assert set(rules) == {("group", "API team", "manager", "acme"), ("domain", "acme.example", "viewer", "acme")}
    assert set(Event.objects.values_list("actor_kind", "actor_label")) == {("system", "CONNECTIONS_FILE")}
    assert changes[0] == "CONNECTIONS_FILE added the connection Acme Okta."
    assert len(changes) == len(names())
    assert SECRET not in "".join(changes) + json.dumps(list(Event.objects.values("detail")))


def test_applied_again_it_changes_nothing(write, acme):
    Group.objects.create(name="Support")
    path = write(text=YAML, name="connections.yaml")
    apply_file(path)
    before, count = list(Connection.objects.values()), Event.objects.count()
    assert apply_file(path) == []
    assert list(Connection.objects.values()) == before
    assert Event.objects.count() == count


def test_what_changed_in_the_file_is_changed_and_nothing_else(write, acme, globex):
    rule = {"consumer": "acme", "kind": "group", "value": "Staff"}
    apply_file(write(OKTA | {"domains": ["acme.example"], "joining_rules": [rule]}))
    seen = Event.objects.count()
    apply_file(
        write(
            OKTA
            | {
                "name": "Okta of Acme",
                "sign_in": "offered",
                "domains": ["other.example"],
                "joining_rules": [rule | {"role": "manager"}],
            }
        )
    )
    assert names()[seen:] == [
        "connection.joining_rule.deleted",
        "connection.updated",
        "connection.domain.removed",
        "connection.domain.added",
        "connection.domain.verified",
        "connection.joining_rule.created",
    ]
    assert Event.objects.get(name="connection.updated").detail["fields"] == ["name", "sign_in"]
    assert JoiningRule.objects.get().role == "manager"
    assert [each.name for each in Domain.objects.verified()] == ["other.example"]


def test_what_is_no_longer_in_the_file_is_deleted_and_what_pages_made_stays(write, client, provider, alice):
    connect(provider, "pages.example", slug="of-the-pages", client_id="other")
    apply_file(write(OKTA, OKTA | {"slug": "second", "client_id": "second"}))
    apply_file(write(OKTA))
    assert set(Connection.objects.values_list("slug", "source")) == {("of-the-pages", "portal"), ("acme-okta", "file")}
    apply_file(write())
    assert list(Connection.objects.values_list("slug", flat=True)) == ["of-the-pages"]


def test_a_connection_of_the_pages_that_the_file_names_is_the_files_with_its_people(
    write, client, provider, okta, alice
):
    provider.sign_in(client, okta)
    entry = {"slug": "acme-okta", "name": "Acme Okta", "issuer": provider.issuer, "client_id": okta.client_id}
    (change,) = apply_file(
        write(entry | {"client_secret_file": "okta.secret", "sign_in": "offered", "domains": ["acme.example"]})
    )
    assert "source" in change
    okta.refresh_from_db()
    assert (okta.source, okta.client_secret) == ("file", SECRET)
    assert Identity.objects.get().user == alice


def test_another_issuer_under_the_same_short_name_is_another_connection(write):
    apply_file(write(OKTA))
    path = write(OKTA | {"preset_answers": {"domain": "other.okta.com"}})
    assert wrong(path).startswith("acme-okta: A connection keeps its short name and issuer")


def test_a_secret_comes_from_a_variable_or_a_file_and_goes_with_them(write, monkeypatch):
    monkeypatch.setenv("OKTA_SECRET", SECRET)
    apply_file(write(OKTA | {"client_secret_env": "OKTA_SECRET", "client_authentication": "client_secret_post"}))
    assert Connection.objects.get().client_secret == SECRET
    monkeypatch.setenv("OKTA_SECRET", "another")
    (change,) = apply_file(
        write(OKTA | {"client_secret_env": "OKTA_SECRET", "client_authentication": "client_secret_post"})
    )
    assert "client secret" in change
    assert "another" not in change
    apply_file(write(OKTA))
    row = Connection.objects.get()
    assert (row.has_client_secret, row.client_authentication) == (False, "private_key_jwt")
    assert SECRET not in repr(read(write(OKTA | {"client_secret_env": "OKTA_SECRET"})))


def test_secrets_of_the_file_reach_no_log(write, acme, caplog):
    caplog.set_level("DEBUG")
    entry = OKTA | {"client_secret_file": "okta.secret", "domains": ["acme.example"]}
    apply_file(write(entry))
    wrong(write(entry | {"scopes": ["email"]}))
    assert SECRET not in caplog.text


def test_a_domain_moves_to_another_connection(write):
    second = OKTA | {"slug": "second", "client_id": "second"}
    apply_file(write(OKTA | {"domains": ["acme.example"]}, second))
    apply_file(write(OKTA, second | {"domains": ["acme.example"]}))
    assert Domain.objects.verified().get().connection.slug == "second"


def test_a_required_connection_changes_its_only_domain_and_is_offered_again(write):
    required = OKTA | {"sign_in": "required"}
    apply_file(write(required | {"domains": ["acme.example"]}))
    apply_file(write(required | {"domains": ["acme.new.example"]}))
    assert [each.name for each in Domain.objects.all()] == ["acme.new.example"]
    assert Connection.objects.get().sign_in == "required"
    apply_file(write(OKTA | {"sign_in": "offered"}))
    assert Connection.objects.get().required_at is None
    assert not Domain.objects.exists()


def test_requiring_it_ends_sessions_that_began_another_way(write, alice, browser_of):
    begin_session(browser_of, alice)
    apply_file(write(OKTA | {"sign_in": "required", "domains": ["acme.example"]}))
    assert not UserSession.objects.filter(user=alice).exists()


def test_people_sign_in_by_a_connection_of_the_file(write, client, publisher, alice):
    provider = ScriptedProvider(publisher, claims={"email": "alice@acme.example", "email_verified": True, "aud": "us"})
    entry = {"slug": "acme", "name": "Acme", "issuer": provider.issuer, "client_id": "us", "sign_in": "offered"}
    apply_file(write(entry | {"client_secret_file": "okta.secret", "domains": ["acme.example"]}))
    provider.sign_in(client, Connection.objects.get())
    assert Identity.objects.get().user == alice


# -- What it refuses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"client_secret": "in clear"}, "connections[0]: client_secret is not known here"),
        ({"scopes": ["email"]}, "acme-okta: scopes: Ask for the scope openid"),
        ({"consumers": ["nobody"]}, "acme-okta: consumers: There is no consumer 'nobody'."),
        ({"operator_group": "Nobody"}, "acme-okta: operator_group:"),
        ({"domains": ["gmail.com"]}, "acme-okta: domain: Anybody can have an address"),
        ({"domains": "acme.example"}, "connections[0].domains: write a list."),
        ({"sign_in": "required"}, "acme-okta: sign_in: Verify a domain first"),
        ({"sign_in": True}, "connections[0].sign_in: write a text."),
        ({"client_authentication": "client_secret_basic"}, "acme-okta: client_secret: Enter the client secret"),
        ({"client_secret_env": "NOT_SET_ANYWHERE"}, "acme-okta: The variable NOT_SET_ANYWHERE is not set."),
        ({"client_secret_env": "A", "client_secret_file": "b"}, "acme-okta: Name client_secret_file or"),
        ({"client_secret_file": "nowhere"}, "nowhere cannot be read: No such file or directory."),
        ({"client_secret_file": "a\u0000b"}, "U+0000"),
        ({"client_secret_file": "big"}, "is larger than"),
        ({"client_secret_file": "empty"}, "acme-okta: empty is empty."),
        ({"client_secret_file": "latin"}, "acme-okta: latin is not text in UTF-8."),
        ({"preset": "okta", "preset_answers": {}}, "acme-okta: issuer: Write its address"),
        ({"joining_rules": [{"consumer": "nobody", "kind": "group", "value": "a"}]}, "There is no consumer"),
        ({"joining_rules": [{"consumer": "acme", "kind": "domain", "value": "b.example"}]}, "no verified domain"),
        ({"joining_rules": [{"consumer": "acme", "kind": "team", "value": "a"}]}, "joining_rules[0].kind"),
        (
            {
                "joining_rules": [
                    {"consumer": "acme", "kind": "group", "value": "a"},
                    {"consumer": "acme", "kind": "group", "value": "a", "role": "manager"},
                ]
            },
            "Two joining rules",
        ),
    ],
)
def test_a_wrong_file_changes_nothing_and_says_where_it_is_wrong(write, tmp_path, acme, change, words):
    (tmp_path / "big").write_bytes(b"x" * 10_000)
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "latin").write_bytes(b"\xe9\xe9")
    said = wrong(write(OKTA | {"slug": "fine", "client_id": "fine"}, OKTA | change).replace("\\", "/"))
    assert words.replace("connections[0]", "connections[1]") in said


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.yaml", "connections: [", "Line 1:"),
        ("a.yaml", "connections:\n\t- a", "Line 2:"),
        ("a.yaml", "", "write an object"),
        ("a.yaml", "connections: []\nconnections: []", "Line 1: a member is repeated."),
        ("a.yaml", "a: &a [1]\nconnections: *a", "Line 2: aliases are not read."),
        (
            "a.yaml",
            "connections: !!python/object/apply:os.system ['true']",
            "Line 1: could not determine a constructor",
        ),
        ("a.yaml", "connections: [2026-12-01]", "in quotes"),
        ("a.yaml", "connections: [.nan]", "cannot be read as YAML"),
        ("a.yaml", "[" * 5000, "cannot be read as YAML"),
        ("a.yaml", "connections: ['\\ud800']\nx: \"\\ud800\"", ""),
        ("a.yaml", "x" * 300_000, "is larger than"),
        ("a.json", "{", "cannot be read as JSON"),
        ("a.json", '{"connections": [], "connections": []}', "is repeated"),
        ("a.json", '{"others": []}', "others is not known here"),
        ("a.json", "{}", "connections is missing"),
    ],
)
def test_what_is_no_such_file_is_refused_in_one_line(write, name, text, words):
    assert words in wrong(write(text=text, name=name))


def test_two_connections_of_one_short_name_are_refused(write):
    assert "acme-okta: two connections have this slug." in wrong(write(OKTA, OKTA))


@settings(max_examples=examples(60), database=None, deadline=None)
@given(st.text(max_size=80) | st.lists(st.sampled_from([*"{}[]:,-#&*!|>%@'\"\n\t? a1", "- ", "<<: "])).map("".join))
def test_any_text_is_read_or_refused(text):
    for is_json in (True, False):
        try:
            parse(text.encode("utf-8", "surrogatepass"), is_json=is_json)
        except WrongFile as refused:
            assert "\n" not in refused.description  # noqa: PT017


def test_all_is_done_or_nothing(write):
    fine = OKTA | {"slug": "fine", "client_id": "fine"}
    wrong(write(fine, OKTA | {"domains": ["acme.example", "gmail.com"]}))
    assert not Connection.objects.exists()


# -- Doors ------------------------------------------------------------------------------------------------------------


def run(*words) -> str:
    output = StringIO()
    call_command("connections", *words, stdout=output)
    return output.getvalue()


def test_command_checks_applies_and_shows(write, settings):
    path = write(OKTA | {"domains": ["acme.example"]})
    assert "added the connection Acme Okta" in run("check", path)
    assert not Connection.objects.exists()
    assert not Event.objects.exists()
    settings.CONNECTIONS_FILE = path
    assert "verified a domain of Acme Okta (acme.example, CONNECTIONS_FILE)." in run("apply", path)
    assert run("apply", path) == "Nothing has changed.\n"
    assert run("check", path) == "The file is right, and applying it would change nothing.\n"
    (shown,) = json.loads(run("show", "--json"))
    assert (shown["slug"], shown["source"], shown["domains"]) == ("acme-okta", "file", "acme.example")
    assert "acme-okta" in run("show")
    with pytest.raises(CommandError, match="openid"):
        run("apply", write(OKTA | {"scopes": ["email"]}))
    with pytest.raises(CommandError, match="Name a file"):
        run("apply", "")


def test_preview_changes_nothing(write, alice, browser_of):
    begin_session(browser_of, alice)
    preview_file(write(OKTA | {"sign_in": "required", "domains": ["acme.example"]}))
    assert UserSession.objects.filter(user=alice).exists()
    assert not Connection.objects.exists()


@pytest.mark.parametrize("command", ["serve", "work"])
def test_a_server_does_not_start_with_a_wrong_file(server, tmp_path, command):
    path = tmp_path / "connections.yaml"
    path.write_text("connections:\n  - slug: acme\n")
    done = subprocess.run(
        [sys.executable, "manage.py", command, *(["--port", "0"] if command == "serve" else [])],
        cwd=django_settings.BASE_DIR,
        env=server.environ | {"CONNECTIONS_FILE": str(path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert done.stderr == "Clientdesk cannot start: CONNECTIONS_FILE: connections[0]: name is missing.\n"


@pytest.mark.django_db(transaction=True)
def test_two_servers_that_start_at_once_apply_it_once(write):
    entries = read(write(OKTA | {"domains": ["acme.example"], "sign_in": "required"}))
    start, outcomes = threading.Barrier(4), []

    def run():
        start.wait()
        try:
            outcomes.append(apply(entries))
        finally:
            database_connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4
    assert sum(bool(changes) for changes in outcomes) == 1
    assert Connection.objects.count() == 1
    assert names().count("connection.created") == 1
