"""Connections over the management API."""

import json

import pytest
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from connections.models import Connection, Domain
from consumers.models import Event
from core.models import Message
from tests.connections.provider import connect
from tests.factories import UserFactory, hold_second_factor

pytestmark = pytest.mark.django_db

PATH = "/admin/connections"
OKTA = {
    "name": "Acme Okta",
    "slug": "acme-okta",
    "preset": "okta",
    "preset_answers": {"domain": "acme.okta.com"},
    "client_id": "0oa1",
}
SECRET = "pssst-a-secret-of-okta"


def made(program, **more):
    answer = program.post(PATH, OKTA | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def refused(answer, status=400):
    assert answer.status_code == status, answer.text
    return answer.json()["error_description"]


# -- Create and read --------------------------------------------------------------------------------------------------


def test_preset_and_what_was_looked_up_stand_for_issuer_scopes_and_claims(program, settings):
    found = made(program)
    assert found["issuer"] == "https://acme.okta.com"
    assert found["scopes"] == ["openid", "profile", "email", "groups"]
    assert (found["groups_claim"], found["verified_claim"], found["sign_in"]) == ("groups", "email_verified", "off")
    assert found["client_authentication"] == "private_key_jwt"
    assert found["redirect_uri"] == f"{settings.PUBLIC_URL}/sso/acme-okta/callback"
    assert found["backchannel_logout_uri"] == f"{settings.PUBLIC_URL}/sso/acme-okta/logout"
    assert found["initiate_login_uri"] == f"{settings.PUBLIC_URL}/sso/acme-okta/login"
    assert found["jwks_uri"] == f"{settings.PUBLIC_URL}/.well-known/jwks.json"
    assert (found["state"], found["people"], found["source"]) == ("not_tested", 0, "portal")
    assert "preset_answers" not in found
    assert program.get(PATH).json() == [found]
    for name in (found["slug"], found["id"]):
        assert program.get(f"{PATH}/{name}").json() == found


def test_what_is_sent_beside_the_preset_counts(program):
    found = made(program, scopes=["openid", "email"], groups_claim="teams")
    assert (found["scopes"], found["groups_claim"]) == (["openid", "email"], "teams")


def test_google_asks_for_nothing(program):
    found = made(program, preset="google", preset_answers={})
    assert (found["issuer"], found["domain_claim"]) == ("https://accounts.google.com", "hd")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"preset_answers": {}}, "issuer"),
        ({"preset_answers": {"domain": "acme.okta.com/../evil?"}}, "preset_answers"),
        ({"preset_answers": {"realm": "staff"}}, "is not asked for"),
        ({"issuer": "https://other.example"}, "Leave one of the two out"),
        ({"preset": "any", "preset_answers": {}, "issuer": "https://10.0.0.1"}, "public domain"),
        ({"preset": "any", "preset_answers": {}, "issuer": "http://acme.example"}, "https"),
        ({"scopes": ["email"]}, "openid"),
        ({"client_authentication": "client_secret_post"}, "client_secret"),
        ({"sign_in": "required"}, "Test the connection first"),
        ({"consumers": ["nobody"]}, "There is no consumer"),
        ({"operator_group": "Nobody"}, "operator_group"),
        ({"operator_claim_value": "Ops"}, "operator_claim_value"),
        ({"max_age": 1}, "max_age"),
        ({"slug": "not a slug"}, "slug"),
        ({"name": "Acme\u202eatkO"}, "invisible"),
        ({"colour": "red"}, "colour"),
        ({"client_secret": "a\nb"}, "client_secret"),
    ],
)
def test_what_cannot_work_is_refused_and_said(program, more, words):
    assert words in refused(program.post(PATH, OKTA | more))
    assert not Connection.objects.exists()
    assert not Event.objects.filter(name="connection.created").exists()


def test_the_same_connection_is_not_made_twice(program):
    made(program)
    assert "short name" in refused(program.post(PATH, OKTA), 409)
    assert "issuer" in refused(program.post(PATH, OKTA | {"slug": "again"}), 409)
    assert Connection.objects.count() == 1


# -- The secret -------------------------------------------------------------------------------------------------------


def test_a_client_secret_is_in_no_answer_event_mail_or_log(program, caplog):
    caplog.set_level("DEBUG")
    answers = [
        program.post(PATH, OKTA | {"client_secret": SECRET}),
        program.get(f"{PATH}/acme-okta"),
        program.get(PATH),
    ]
    other = [{"op": "replace", "path": "/client_secret", "value": f"{SECRET}-2"}]
    answers += [program.patch(f"{PATH}/acme-okta", other), program.get("/admin/activity")]
    long = program.patch(f"{PATH}/acme-okta", [{"op": "add", "path": "/client_secret", "value": SECRET + "x" * 600}])
    assert SECRET not in refused(long)
    for answer in answers:
        assert answer.status_code in (200, 201), answer.text
        assert SECRET not in answer.text
        assert '"client_secret":' not in answer.text
    row = Connection.objects.get()
    assert (row.client_secret, row.client_authentication) == (f"{SECRET}-2", "client_secret_basic")
    assert SECRET not in json.dumps(list(Event.objects.values("detail", "target_label")), default=str)
    assert SECRET not in caplog.text
    assert SECRET.encode() not in b"".join(
        bytes(each) for each in Message.objects.values_list("encrypted_message", flat=True)
    )
    assert SECRET not in repr(row)


def test_a_tag_tells_nothing_of_the_secret(program):
    first = program.post(PATH, OKTA | {"client_secret": SECRET})
    other = [{"op": "replace", "path": "/client_secret", "value": "another"}]
    assert program.patch(f"{PATH}/acme-okta", other)["ETag"] == first["ETag"]


def test_a_secret_stays_where_it_is_left_out_and_goes_where_it_is_empty(program):
    found = made(program, client_secret=SECRET)
    kept = program.put(f"{PATH}/acme-okta", OKTA).json()
    assert (kept["has_client_secret"], kept["client_authentication"]) == (True, "client_secret_basic")
    assert kept == found
    assert kept["jwks_uri"] is None
    gone = program.put(f"{PATH}/acme-okta", OKTA | {"client_secret": ""}).json()
    assert (gone["has_client_secret"], gone["client_authentication"]) == (False, "private_key_jwt")
    assert Connection.objects.get().encrypted_client_secret == b""


# -- Change -----------------------------------------------------------------------------------------------------------


def test_put_of_what_get_returned_changes_nothing(program, acme):
    made(program, consumers=["acme"], client_secret=SECRET, for_operators=True, max_age=3600)
    got = program.get(f"{PATH}/acme-okta")
    count = Event.objects.count()
    after = program.put(f"{PATH}/acme-okta", got.json())
    assert (after.content, after["ETag"]) == (got.content, got["ETag"])
    assert program.patch(f"{PATH}/acme-okta", []).content == got.content
    assert Event.objects.count() == count


def test_members_are_patched(program, acme, globex):
    made(program)
    changes = [
        {"op": "add", "path": "/consumers/-", "value": "acme"},
        {"op": "replace", "path": "/sign_in", "value": "offered"},
        {"op": "replace", "path": "/max_age", "value": 3600},
    ]
    found = program.patch(f"{PATH}/acme-okta", changes).json()
    assert (found["consumers"], found["sign_in"], found["max_age"]) == (["acme"], "offered", 3600)
    event = Event.objects.get(name="connection.updated")
    assert event.detail == {"fields": ["consumers", "max_age", "sign_in"], "sign_in": "offered"}
    assert [each["slug"] for each in program.get(f"{PATH}?consumer=acme").json()] == ["acme-okta"]
    assert program.get(f"{PATH}?consumer=globex").json() == []
    assert program.get(f"{PATH}?q=okta.com").json() == [found]
    assert program.get(f"{PATH}?q=nothing").json() == []


@pytest.mark.parametrize("name", ["id", "state", "people", "redirect_uri", "preset_answers", "has_client_secret"])
def test_what_we_say_ourselves_is_not_patched(program, name):
    made(program)
    answer = program.patch(f"{PATH}/acme-okta", [{"op": "add", "path": f"/{name}", "value": "x"}])
    assert "cannot be patched" in refused(answer)


@pytest.mark.parametrize("change", [{"slug": "other"}, {"preset_answers": {"domain": "other.okta.com"}}])
def test_short_name_and_issuer_stay(program, change):
    made(program)
    assert "Add another connection instead" in refused(program.put(f"{PATH}/acme-okta", OKTA | change))


def test_a_sign_in_meanwhile_is_no_change(program):
    made(program)
    tag = program.get(f"{PATH}/acme-okta")["ETag"]
    Connection.objects.update(signed_in_at=timezone.now())
    assert program.get(f"{PATH}/acme-okta")["ETag"] != tag
    changed = program.patch(
        f"{PATH}/acme-okta", [{"op": "replace", "path": "/name", "value": "A"}], **{"If-Match": tag}
    )
    assert changed.status_code == 200
    again = program.patch(f"{PATH}/acme-okta", [{"op": "replace", "path": "/name", "value": "B"}], **{"If-Match": tag})
    assert again.status_code == 412


def test_people_are_counted_and_deleting_takes_their_identities(program, client, okta, provider, alice):
    provider.sign_in(client, okta)
    assert program.get(f"{PATH}/acme-okta").json()["people"] == 1
    assert program.get(f"{PATH}/acme-okta").json()["state"] == "works"
    assert program.delete(f"{PATH}/acme-okta").status_code == 204
    assert program.get(f"{PATH}/acme-okta").status_code == 404
    assert Event.objects.get(name="connection.deleted").detail["people"] == 1


def test_what_the_file_keeps_is_not_changed_here(program, provider):
    connect(provider, "acme.example", source="file")
    got = program.get(f"{PATH}/acme-okta").json()
    assert got["source"] == "file"
    for answer in (
        program.put(f"{PATH}/acme-okta", got | {"name": "Mine"}),
        program.delete(f"{PATH}/acme-okta"),
        program.post(f"{PATH}/acme-okta/domains", {"domain": "other.example"}),
        program.delete(f"{PATH}/acme-okta/domains/acme.example"),
    ):
        assert "CONNECTIONS_FILE" in refused(answer)


# -- Who --------------------------------------------------------------------------------------------------------------


def operator_with(program_of, *rights):
    operator = hold_second_factor(UserFactory(is_staff=True))
    operator.user_permissions.set(Permission.objects.filter(codename__in=[f"{each}_connection" for each in rights]))
    return program_of(operator)


def test_managers_know_of_no_connection(alice, acme, okta, program_of):
    manager = program_of(alice)
    for answer in (
        manager.get(PATH),
        manager.get(f"{PATH}/acme-okta"),
        manager.get(f"{PATH}/nothing"),
        manager.post(PATH, OKTA),
        manager.get("/admin/connection-presets"),
        manager.get("/admin/consumers/acme/joining-rules"),
    ):
        assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")


def test_a_token_for_one_workspace_decides_nothing_for_the_portal(olga, acme, okta, program_of):
    narrow = program_of(olga, consumer=acme)
    for answer in (narrow.get(PATH), narrow.post(PATH, OKTA), narrow.delete(f"{PATH}/acme-okta")):
        assert "one workspace" in refused(answer, 403)
    assert narrow.get("/admin/consumers/acme/joining-rules").status_code == 200


def test_scopes_and_rights_are_limits(olga, acme, program_of):
    reader = program_of(olga, scopes=["connections:read", "consumers:write"])
    assert reader.get(PATH).status_code == 200
    assert reader.post(PATH, OKTA).json()["error"] == "insufficient_scope"
    viewer = operator_with(program_of, "view")
    assert viewer.get(PATH).status_code == 200
    assert viewer.post(PATH, OKTA).json()["error"] == "access_denied"
    adder = operator_with(program_of, "view", "add", "change")
    assert adder.post(PATH, OKTA).status_code == 201
    assert adder.delete(f"{PATH}/acme-okta").json()["error"] == "access_denied"


def test_only_full_rights_decide_how_operators_sign_in(program, program_of):
    Group.objects.create(name="Support")
    some = operator_with(program_of, "view", "add", "change", "delete")
    gives = {"for_operators": True, "operator_claim_value": "Ops", "operator_group": "Support"}
    assert "full rights" in refused(some.post(PATH, OKTA | gives))
    made(program, **gives)
    got = some.get(f"{PATH}/acme-okta").json()
    assert got["operator_group"] == "Support"
    assert some.put(f"{PATH}/acme-okta", got | {"name": "Renamed"}).status_code == 200
    for change in ({"for_operators": False, "operator_claim_value": ""}, {"operator_group": None}):
        assert "full rights" in refused(some.put(f"{PATH}/acme-okta", got | change))


# -- Domains ----------------------------------------------------------------------------------------------------------


def test_a_domain_is_added_vouched_for_and_removed(program):
    made(program)
    at = f"{PATH}/acme-okta/domains"
    added = program.post(at, {"domain": "Acme.Example."})
    assert (added.status_code, added["Location"]) == (201, f"{at}/acme.example")
    assert (added.json()["domain"], added.json()["verified_at"]) == ("acme.example", None)
    record = added.json()["txt_record"]
    assert record["name"] == "_clientdesk.acme.example"
    assert record["value"].startswith("clientdesk-verify=")
    verified = program.post(f"{at}/acme.example/verify", {"by": " Contract of 3 March "}).json()
    assert verified["verified_by"] == "Contract of 3 March"
    assert program.get(at).json() == [verified] == [program.get(f"{at}/acme.example").json()]
    event = Event.objects.get(name="connection.domain.verified")
    assert event.detail == {"domain": "acme.example", "by": "Contract of 3 March"}
    assert program.delete(f"{at}/acme.example").status_code == 204
    assert program.get(at).json() == []


@pytest.mark.parametrize("name", ["gmail.com", "no domain", "localhost", "10.0.0.1", "", "*.acme.example"])
def test_not_every_text_is_a_domain_of_an_organisation(program, name):
    made(program)
    refused(program.post(f"{PATH}/acme-okta/domains", {"domain": name}))
    assert not Domain.objects.exists()


@pytest.mark.parametrize("by", ["", "   ", "DNS record", " CONNECTIONS_FILE ", "x" * 255, "trust\u202eme"])
def test_nobody_vouches_by_nothing_or_in_the_name_of_a_check(program, by):
    made(program)
    program.post(f"{PATH}/acme-okta/domains", {"domain": "acme.example"})
    assert "by" in refused(program.post(f"{PATH}/acme-okta/domains/acme.example/verify", {"by": by}))
    assert not Domain.objects.verified().exists()


def test_a_domain_is_checked_by_its_record(program, name_server):
    made(program)
    record = program.post(f"{PATH}/acme-okta/domains", {"domain": "acme.example"}).json()["txt_record"]
    at = f"{PATH}/acme-okta/domains/acme.example"
    assert "There is no TXT record" in refused(program.post(f"{at}/check"))
    assert program.get(at).json()["checked_at"]
    name_server[record["name"]] = [record["value"]]
    checked = program.post(f"{at}/check")
    assert (checked.status_code, checked.json()["verified_by"]) == (200, "DNS record")


def test_a_domain_is_trusted_to_one_connection(program):
    made(program)
    made(program, slug="second", client_id="second")
    for slug, status in (("acme-okta", 200), ("second", 409)):
        program.post(f"{PATH}/{slug}/domains", {"domain": "acme.example"})
        vouched = program.post(f"{PATH}/{slug}/domains/acme.example/verify", {"by": "Olga knows them"})
        assert vouched.status_code == status, vouched.text


def test_the_last_domain_of_a_required_connection_stays(program, provider):
    connect(provider, "acme.example", sign_in="required")
    assert "required" in refused(program.delete(f"{PATH}/acme-okta/domains/acme.example"))


# -- Joining rules ----------------------------------------------------------------------------------------------------

RULES = "/admin/consumers/acme/joining-rules"


def test_a_joining_rule_is_made_read_and_deleted(program, okta, acme, globex):
    rule = {"connection": "acme-okta", "kind": "group", "value": "API team", "role": "manager"}
    created = program.post(RULES, rule)
    assert created.status_code == 201, created.text
    assert {name: created.json()[name] for name in rule} == rule
    assert program.get(RULES).json() == [created.json()] == [program.get(created["Location"]).json()]
    assert program.get(RULES.replace("acme", "globex")).json() == []
    assert program.get(created["Location"].replace("acme", "globex")).status_code == 404
    assert program.post(RULES, rule).status_code == 409
    assert program.delete(created["Location"]).status_code == 204
    names = Event.objects.filter(name__startswith="connection.joining_rule.").values_list("name", "consumer__slug")
    assert sorted(names) == [("connection.joining_rule.created", "acme"), ("connection.joining_rule.deleted", "acme")]


def test_by_default_people_join_as_viewers(program, okta, acme):
    rule = {"connection": "acme-okta", "kind": "domain", "value": "acme.example"}
    assert program.post(RULES, rule).json()["role"] == "viewer"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kind": "domain", "value": "other.example"}, "no verified domain"),
        ({"kind": "group", "value": "  "}, "value"),
        ({"kind": "group", "value": "Staff", "connection": "nothing"}, "connection"),
        ({"kind": "group", "value": "Staff", "role": "owner"}, "role"),
    ],
)
def test_a_rule_that_could_match_nobody_is_refused(program, okta, acme, rule, words):
    assert words in refused(program.post(RULES, {"connection": "acme-okta"} | rule))


def test_a_rule_keeps_the_connection_for_its_consumer_and_its_groups(program, okta, acme, globex):
    """Else people would still join a consumer that the connection is not for."""
    program.post(RULES, {"connection": "acme-okta", "kind": "group", "value": "Staff"})
    at = f"{PATH}/acme-okta"
    away = [{"op": "replace", "path": "/consumers", "value": ["globex"]}]
    assert "Delete those rules first" in refused(program.patch(at, away))
    assert program.get(at).json()["consumers"] == []
    assert "groups" in refused(program.patch(at, [{"op": "replace", "path": "/groups_claim", "value": ""}]))
    both = [{"op": "replace", "path": "/consumers", "value": ["acme", "globex"]}]
    assert program.patch(at, both).status_code == 200


def test_presets_say_what_they_ask_for(program):
    found = {each["preset"]: each for each in program.get("/admin/connection-presets").json()}
    assert set(found) == {"okta", "auth0", "entra", "google", "keycloak", "ping", "any"}
    assert found["keycloak"]["asks"] == {"host": "Address", "realm": "Realm"}
    assert found["okta"]["issuer"] == "https://{domain}"
