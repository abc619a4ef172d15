"""ETag, If-Match and If-None-Match (RFC 9110 sections 8.8.3 and 13.1), at every address that shows a thing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from authority.models import TokenFamily
from clients.models import (
    Api,
    Client,
    ClientSecret,
    InitialAccessToken,
    RegistrationAccessToken,
    SelfRegistration,
    TrustedIssuer,
)
from connections.models import Directory, DirectoryGroup
from consumers.models import Consumer, Membership
from core.rest.etags import USE, etag, is_known, is_unchanged, revision_of
from portal.api.openapi import description, operations
from tests.factories import ClientFactory, UserFactory, give_secret

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
END = (timezone.now() + DAY).isoformat()
ISSUER = {"name": "One", "platform": "oidc", "issuer": "https://one.example"}
PUBLISHER = {"issuer": "https://one.example", "jwks_uri": "https://one.example/keys"}
SERVICE = {"grant_types": ["client_credentials"], "scope": "shipments:read"}
CONNECTION = {"name": "One", "slug": "one", "issuer": "https://one.example", "client_id": "us"}
HOST = {"host": "one.example", "consumer": "acme"}


def located(program, path, body):
    """Make a thing; return its address, after a look at what the answer says about it."""
    made = program.post(path, body)
    assert made.status_code == 201, made.text
    assert made["ETag"] == program.get(made["Location"])["ETag"]
    return made["Location"]


@pytest.fixture
def place(api, acme_access, acme, service, olga, alice, program_of):
    """Give each kind of thing that has an address of its own: `place["Secret"]()` makes one."""
    program = program_of(olga)
    client = f"/admin/clients/{service.client_id}"
    Api.objects.filter(pk=api.pk).update(allows_test_tokens=True)
    give_secret(service)

    def member():
        user = UserFactory(email="carol@acme.example")
        return f"/admin/consumers/acme/members/{Membership.objects.create(consumer=acme, user=user).pk}"

    def rule():
        TrustedIssuer.objects.create(**ISSUER, jwks_uri=PUBLISHER["jwks_uri"])
        return located(
            program,
            f"{client}/trust-rules",
            {"issuer": ISSUER["issuer"], "audience": "https://us.example", "claims": {"sub": "job"}},
        )

    def joining_rule():
        made["Connection"]()
        wanted = {"connection": "one", "kind": "group", "value": "Staff"}
        return located(program, "/admin/consumers/acme/joining-rules", wanted)

    def door():
        assert program.put("/admin/registration", {"consumer": "acme"}).status_code == 200
        return "/admin/registration"

    def registration_access_token():
        SelfRegistration.objects.create(client=service, method="open")
        RegistrationAccessToken.objects.create(client=service, digest="0" * 64, pepper_version="1", hint="abcd")
        return f"{client}/registration-access-token"

    def role_grant():
        role = {"value": "driver", "name": "Driver"}
        assert program.put(f"/admin/apis/{api.pk}/roles", {"roles": [role]}).status_code == 200
        given = {"email": alice.email, "api": api.identifier, "role": "driver"}
        return located(program, "/admin/role-grants", given)

    def group_role():
        made["Connection"]()
        role = {"value": "driver", "name": "Driver"}
        assert program.put(f"/admin/apis/{api.pk}/roles", {"roles": [role]}).status_code == 200
        given = {"connection": "one", "group": "Drivers", "role": "driver"}
        return located(program, f"/admin/apis/{api.pk}/group-roles", given)

    def token_hook():
        path = f"/admin/apis/{api.pk}/token-hook"
        assert program.put(path, {"url": "https://hooks.example.com/claims"}).status_code == 200
        return path

    def directory_group():
        made["Directory"]()
        directory = Directory.objects.get(consumer=acme)
        group = DirectoryGroup.objects.create(directory=directory, display_name="Leads")
        return f"/admin/consumers/acme/directory/groups/{group.pk}"

    def signed_in_person():
        web = ClientFactory(consumer=acme, template="web", scopes=["openid"])
        TokenFamily.objects.create(client=web, user=alice, as_member=True, retain_until=timezone.now() + DAY)
        return f"/admin/clients/{web.client_id}/people/{alice.pk}"

    made = {
        "SignedInPerson": signed_in_person,
        "Directory": lambda: located(program, "/admin/consumers/acme/directory", {"name": "Acme directory"}),
        "DirectoryGroup": directory_group,
        "Client": lambda: client,
        "RegistrationAccessToken": registration_access_token,
        "Secret": lambda: located(program, f"{client}/secrets", {"name": "One"}),
        "TrustRule": rule,
        "TestToken": lambda: located(program, f"{client}/test-tokens", {"scope": "shipments:read", "reason": "Try"}),
        "API": lambda: located(program, "/admin/apis", {"identifier": "https://one.example", "name": "One"}),
        "Roles": lambda: f"/admin/apis/{api.pk}/roles",
        "TokenClaims": lambda: f"/admin/apis/{api.pk}/claims",
        "TokenHook": token_hook,
        "MemberRoles": lambda: f"{member()}/roles",
        "RoleGrant": role_grant,
        "GroupRole": group_role,
        "ResourceServers": lambda: f"/admin/apis/{api.pk}/resource-servers",
        "SecretPolicy": lambda: "/admin/consumers/acme/secret-policy",
        "Access": lambda: "/admin/consumers/acme/access",
        "InitialAccessToken": lambda: located(
            program, "/admin/consumers/acme/initial-access-tokens", {"name": "One", "expires_at": END}
        ),
        "TrustedIssuer": lambda: located(program, "/admin/trusted-issuers", ISSUER),
        "SoftwareIssuer": lambda: located(program, "/admin/registration/software-issuers", PUBLISHER),
        "DocumentHost": lambda: located(program, "/admin/registration/document-hosts", HOST),
        "OpenRegistration": door,
        "Connection": lambda: located(program, "/admin/connections", CONNECTION),
        "ConnectionDomain": lambda: located(program, f"{made['Connection']()}/domains", {"domain": "acme.example"}),
        "JoiningRule": joining_rule,
        "Consumer": lambda: located(program, "/admin/consumers", {"name": "One", "slug": "one"}),
        "Member": member,
        "Invitation": lambda: located(program, "/admin/consumers/acme/invitations", {"email": "dana@acme.example"}),
    }
    return program, made


THINGS = (
    *("Client", "Secret", "TrustRule", "TestToken", "API", "ResourceServers", "SecretPolicy", "Access"),
    *("InitialAccessToken", "TrustedIssuer", "SoftwareIssuer", "DocumentHost", "OpenRegistration", "Consumer"),
    *("Member", "Invitation", "RegistrationAccessToken", "Connection", "ConnectionDomain", "JoiningRule"),
    *("Roles", "TokenClaims", "TokenHook", "MemberRoles", "RoleGrant", "GroupRole"),
    *("Directory", "DirectoryGroup", "SignedInPerson"),
)
# What a PUT sends, where it is not what GET answers.
BODIES = {
    "Secret": {"expires_at": None},
    "Member": {"role": "viewer"},
    "Directory": {"name": "Another name"},
    "DirectoryGroup": {"role": "viewer"},
    "TrustedIssuer": ISSUER,
    "SoftwareIssuer": PUBLISHER,
    "DocumentHost": HOST,
}


def methods_of(name: str) -> set[str]:
    """Return the methods that change a thing of the kind at its own address."""
    by_template: dict[str, dict] = {}
    for template, method, operation in operations():
        by_template.setdefault(template, {})[method] = operation
    for found in by_template.values():
        schema = found["GET"].answers[200] if "GET" in found else None
        if isinstance(schema, dict) and schema.get("title") == name:
            return set(found) - {"GET", "POST"}
    raise AssertionError(f"no address shows a {name}")


def test_everything_that_can_be_changed_at_its_address_can_be_read_there():
    """DELETE /tokens and such end what has no state to show."""
    without = set()
    titles = set()
    for template, methods in description()["paths"].items():
        if {"put", "patch", "delete"} & methods.keys():
            if "get" in methods:
                schema = methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            if "get" in methods and "$ref" in schema:
                titles.add(schema["$ref"].rpartition("/")[2])
            else:
                without.add(template)
    assert titles == set(THINGS)
    assert without == {
        "/admin/clients/{client_id}/claims",  # these three show the client, and compare its ETag
        "/admin/clients/{client_id}/lifespans",
        "/admin/clients/{client_id}/people",  # all of a list
        "/admin/clients/{client_id}/secrets/rotate",
        "/admin/consumers/{consumer}/tokens",
        "/admin/oauth2/tokens",
        "/admin/oauth2/auth/sessions/consent",  # a list: what it shows of a person is revoked together
        "/admin/oauth2/auth/sessions/login",
        *(
            f"/admin/oauth2/auth/requests/{kind}/{verb}"  # answered once, whatever was read
            for kind in ("login", "consent", "logout")
            for verb in ("accept", "reject")
        ),
    }


@pytest.mark.compliance("RFC 9110", "13.1.2")
@pytest.mark.parametrize("name", THINGS)
def test_a_state_that_the_caller_has_is_not_sent_again(name, place):
    program, made = place
    path = made[name]()
    read = program.get(path)
    assert read.status_code == 200
    for known in (read["ETag"], f'"other", {read["ETag"]}', f"W/{read['ETag']}", "*"):
        again = program.get(path, **{"If-None-Match": known})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", read["ETag"])
        assert "Content-Type" not in again
    assert program.get(path, **{"If-None-Match": '"other"'}).json() == read.json()


@pytest.mark.compliance("RFC 9110", "13.1.1")
@pytest.mark.parametrize("name", THINGS)
def test_only_the_state_that_the_caller_has_read_is_changed(name, place):
    program, made = place
    path = made[name]()
    read = program.get(path)
    sent = BODIES.get(name, read.json())
    changes = [(method, sent if method == "PUT" else []) for method in ("PUT", "PATCH") if method in methods_of(name)]
    if "DELETE" in methods_of(name):
        changes.append(("DELETE", None))
    for method, body in changes:
        for other in ('"other"', f"W/{read['ETag']}", "nonsense"):
            refused = program.send(method, path, body, **{"If-Match": other})
            assert (refused.status_code, refused.json()["error"]) == (412, "precondition_failed"), (method, other)
    assert program.get(path).json() == read.json()
    for method, body in changes:
        current = program.get(path)["ETag"]
        done = program.send(method, path, body, **{"If-Match": f'"other", {current}'})
        assert done.status_code in (200, 204), (method, done.text)
        if done.status_code == 200:
            assert done["ETag"] == program.get(path)["ETag"]


LISTS = sorted(
    template
    for template, method, operation in operations()
    if method == "GET" and isinstance(operation.answers[200], dict) and operation.answers[200].get("type") == "array"
)


@pytest.mark.parametrize("template", LISTS)
def test_a_list_that_the_caller_has_is_not_sent_again(template, place, service, acme, api):
    program, made = place
    made["Secret"]()
    path = template.replace("{client_id}", service.client_id).replace("{consumer}", "acme")
    if "/directory/" in path:
        made["Directory"]()
    path = path.replace("{member_id}", str(acme.memberships.first().pk)).replace("{api_id}", str(api.pk))
    if "{connection}" in path:
        path = path.replace("/admin/connections/{connection}", made["Connection"]())
    if path.endswith("/sessions/consent"):
        path += "?subject=nobody"
    read = program.get(path)
    again = program.get(path, **{"If-None-Match": read["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert ("Link" in again) == ("Link" in read)


def test_a_list_that_has_changed_is_sent(place, service):
    program, made = place
    path = f"/admin/clients/{service.client_id}/secrets"
    before = program.get(path)["ETag"]
    made["Secret"]()
    assert program.get(path, **{"If-None-Match": before}).status_code == 200


def test_an_answer_to_a_question_about_a_token_has_no_tag(alice, program_of):
    answer = program_of(alice).post(
        "/admin/oauth2/introspect", "token=unknown", content_type="application/x-www-form-urlencoded"
    )
    assert (answer.status_code, "ETag" in answer) == (200, False)


def test_a_tag_tells_nothing_of_a_text_that_is_shown_once(place, service):
    """Else whoever sees a tag, as in the log of a proxy, could tell which of two texts it was made of."""
    program, made = place
    path = made["Client"]()
    rotated = program.post(f"{path}/secrets/rotate")
    assert "client_secret" in rotated.json()
    assert rotated["ETag"] == program.get(path)["ETag"]
    registered = program.post("/admin/clients", {"client_name": "New", "consumer": "acme"} | SERVICE)
    assert "client_secret" in registered.json()
    assert registered["ETag"] == program.get(registered["Location"])["ETag"]


def test_a_client_that_was_used_meanwhile_is_changed_and_is_sent_again(place, service):
    """Use is no change, so nobody's change is lost; but what is shown has changed."""
    program, made = place
    path = made["Client"]()
    before = program.get(path)["ETag"]
    Client.objects.filter(pk=service.pk).update(last_used_at=timezone.now())
    assert program.get(path, **{"If-None-Match": before}).status_code == 200
    assert program.get(path)["ETag"] != before
    patch = [{"op": "replace", "path": "/owner", "value": "Somebody"}]
    assert program.patch(path, patch, **{"If-Match": before}).status_code == 200
    assert program.patch(path, patch, **{"If-Match": before}).status_code == 412


def test_a_secret_that_was_used_meanwhile_is_changed(place):
    program, made = place
    path = made["Secret"]()
    before = program.get(path)["ETag"]
    ClientSecret.objects.filter(pk=path.rpartition("/")[2]).update(last_used_at=timezone.now())
    assert program.get(path)["ETag"] != before
    assert program.delete(path, **{"If-Match": before}).status_code == 204


def test_an_initial_access_token_that_was_used_meanwhile_is_revoked(place):
    program, made = place
    path = made["InitialAccessToken"]()
    InitialAccessToken.objects.update(max_uses=2)  # the last use would end it, which is a change
    before = program.get(path)["ETag"]
    InitialAccessToken.objects.update(use_count=1, last_used_at=timezone.now())
    assert program.get(path)["ETag"] != before
    assert program.delete(path, **{"If-Match": before}).status_code == 204


def test_a_change_on_a_page_is_noticed(place, acme):
    program, _ = place
    before = program.get("/admin/consumers/acme")["ETag"]
    Consumer.objects.filter(pk=acme.pk).update(name="Acme")
    patch = [{"op": "add", "path": "/metadata/plan", "value": "gold"}]
    assert program.patch("/admin/consumers/acme", patch, **{"If-Match": before}).status_code == 412


def test_tags_compare_as_the_header_says():
    document = {"name": "One", "last_used_at": None}
    used = document | {"last_used_at": "2026-01-01T00:00:00Z"}
    other = document | {"name": "Two"}
    assert revision_of(etag(document)) == revision_of(etag(used)) != revision_of(etag(other))
    assert is_unchanged(etag(used), revision_of(etag(document)))
    assert not is_unchanged(etag(other), revision_of(etag(document)))
    assert not is_unchanged(f"W/{etag(document)}", revision_of(etag(document)))
    assert is_known(f"W/{etag(document)}", etag(document))
    assert not is_known(etag(used), etag(document))
    assert "last_used_at" in USE
