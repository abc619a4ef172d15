"""What programs may ask for can be asked from a terminal: by a command each, and by a screen or for a reason not."""

import re
import shlex

import httpx
import pytest
from django.conf import settings
from django.urls import resolve

from portal.api.openapi import operations

# Operation: the command that sends it. It is run, against clients and consumers that do not exist.
COMMANDS = {
    "listOAuth2Clients": "list oauth2-clients",
    "createOAuth2Client": "create oauth2-client --metadata {{}}",
    "getOAuth2Client": "get oauth2-client cl_nobody",
    "setOAuth2Client": "update oauth2-client cl_nobody --file {file}",
    "patchOAuth2Client": "patch oauth2-client cl_nobody --remove /owner",
    "deleteOAuth2Client": "delete oauth2-client cl_nobody",
    "disableOAuth2Client": "disable oauth2-client cl_nobody",
    "enableOAuth2Client": "enable oauth2-client cl_nobody",
    "setOAuth2ClientLifespans": "lifespans cl_nobody --set client-credentials-grant-access-token=5m",
    "rotateOAuth2ClientSecret": "rotate-secret cl_nobody",
    "deleteRotatedOAuth2ClientSecrets": "rotate-secret {client} --drop-old",
    "listSecrets": "secrets list cl_nobody",
    "addSecret": "secrets create cl_nobody",
    "rotateSecret": "secrets rotate cl_nobody 1",
    "expireSecret": "secrets expire cl_nobody 1",
    "revokeSecret": "secrets revoke cl_nobody 1",
    "introspectOAuth2Token": "introspect",
    "deleteOAuth2Token": "delete access-tokens cl_nobody",
    "makeTestToken": "test-token cl_nobody --scope a --reason b",
    "listTestTokens": "list test-tokens cl_nobody",
    "revokeTestToken": "delete test-token cl_nobody 1",
    "listUsage": "usage",
    "listActivity": "activity",
    "exportActivity": "activity --csv",
    "listConsumers": "consumers list",
    "createConsumer": "consumers create nobody --name Nobody",
    "getConsumer": "consumers get nobody",
    "patchConsumer": "consumers update nobody --name Nobody",
    "deleteConsumer": "consumers delete nobody",
    "suspendConsumer": "consumers suspend nobody",
    "resumeConsumer": "consumers resume nobody",
    "revokeConsumerTokens": "consumers revoke-tokens nobody",
    "getAccess": "consumers access nobody",
    "setAccess": "consumers access acme --add shipments:read",
    "listMembers": "managers list nobody",
    "setMember": "managers set-role acme alice@acme.example --role manager",
    "removeMember": "managers remove acme alice@acme.example",  # the last manager stays
    "listInvitations": "managers list acme",
    "inviteManager": "managers invite nobody a@b.example",
    "resendInvitation": "managers resend acme invited@acme.example",
    "withdrawInvitation": "managers withdraw acme invited@acme.example",
    "listAPIs": "apis",
    "getOpenRegistration": "registration show",
    "enableOpenRegistration": "registration enable nobody",
    "disableOpenRegistration": "registration disable",
    "listInitialAccessTokens": "registration tokens nobody",
    "createInitialAccessToken": "registration token nobody --name a --expires-at 2027-06-01T00:00:00Z",
    "revokeInitialAccessToken": "registration revoke nobody 1",
    # What operators decide rarely, and write as JSON.
    "setConsumer": "api put /admin/consumers/nobody --file {file}",
    "createAPI": "api post /admin/apis --file {file}",
    "getAPI": "api get /admin/apis/0",
    "setAPI": "api put /admin/apis/0 --file {file}",
    "deleteAPI": "api delete /admin/apis/0",
    "setResourceServers": "api put /admin/apis/0/resource-servers --file {file}",
    "setSecretRules": "api put /admin/consumers/nobody/secret-rules --file {file}",
    "setClientClaims": "api put /admin/clients/cl_nobody/claims --file {file}",
    "listTrustedIssuers": "api get /admin/trusted-issuers",
    "allowTrustedIssuer": "api post /admin/trusted-issuers --file {file}",
    "setTrustedIssuer": "api put /admin/trusted-issuers/0 --file {file}",
    "disableTrustedIssuer": "api post /admin/trusted-issuers/0/disable",
    "enableTrustedIssuer": "api post /admin/trusted-issuers/0/enable",
    "removeTrustedIssuer": "api delete /admin/trusted-issuers/0",
    **{
        f"{verb}{kind}": f"api {method} /admin/registration/{path}{one}{body}"
        for kind, path in {"SoftwareIssuer": "software-issuers", "DocumentHost": "document-hosts"}.items()
        for verb, method, one, body in (
            ("add", "post", "", " --file {file}"),
            ("set", "put", "/0", " --file {file}"),
            ("remove", "delete", "/0", ""),
        )
    },
    "listSoftwareIssuers": "api get /admin/registration/software-issuers",
    "listDocumentHosts": "api get /admin/registration/document-hosts",
    "listTrustRules": "api get /admin/clients/cl_nobody/trust-rules",
    "addTrustRule": "api post /admin/clients/cl_nobody/trust-rules --file {file}",
    "removeTrustRule": "api delete /admin/clients/cl_nobody/trust-rules/1",
}
# Operation: how the screens send it.
SCREENS = {
    "listConsumers": 'everything("/admin/consumers")',
    "listOAuth2Clients": 'everything("/admin/clients"',
    "createOAuth2Client": '"POST", "/admin/clients"',
    "getOAuth2Client": '"GET", f"/admin/clients/',
    "patchOAuth2Client": '"PATCH", self.path',
    "deleteOAuth2Client": '"DELETE", f"/admin/clients/',
    "disableOAuth2Client": '"enable" if row.get("disabled") else "disable"',
    "enableOAuth2Client": '"enable" if row.get("disabled") else "disable"',
    "rotateOAuth2ClientSecret": "/secrets/rotate",
    "listSecrets": '/secrets"',
    "addSecret": '"POST", self.path',
    "revokeSecret": '"DELETE", f"{self.path}',
    "listActivity": "/admin/activity?client_id=",
}
NO_SCREEN = {
    **dict.fromkeys(("setOAuth2Client", "setOAuth2ClientLifespans"), "the editor sends what changed, by PATCH"),
    **dict.fromkeys(
        ("deleteRotatedOAuth2ClientSecrets", "rotateSecret", "expireSecret"), "new ones are made and old ones revoked"
    ),
    **dict.fromkeys(
        [each.id for _, _, each in operations() if each.tag not in ("Clients", "Secrets", "Activity", "Consumers")],
        "work with clients is what the screens are for",
    ),
    **dict.fromkeys(
        (
            *("createConsumer", "getConsumer", "setConsumer", "patchConsumer", "deleteConsumer", "suspendConsumer"),
            *("resumeConsumer", "revokeConsumerTokens", "listMembers", "setMember", "removeMember", "listInvitations"),
            *("inviteManager", "resendInvitation", "withdrawInvitation", "getAccess", "setAccess", "setSecretRules"),
            *("listTrustedIssuers", "allowTrustedIssuer", "setTrustedIssuer", "disableTrustedIssuer"),
            *("enableTrustedIssuer", "removeTrustedIssuer"),
            *("setClientClaims", "listTrustRules", "addTrustRule", "removeTrustRule", "exportActivity", "listUsage"),
        ),
        "decided rarely: on the portal's pages, or by a command",
    ),
}
KNOWN = {operation.id for _, _, operation in operations()}


def test_every_operation_has_its_command_and_its_screen_or_a_reason():
    assert COMMANDS.keys() == KNOWN, "a new operation: give it a command, and name it here"
    assert SCREENS.keys() | NO_SCREEN.keys() >= KNOWN, "a new operation: give it a screen, or say why it has none"
    assert not SCREENS.keys() & NO_SCREEN.keys()


@pytest.fixture
def heard(monkeypatch):
    """Note the operations that requests ask for, and send them on."""
    found = set()
    send = httpx.Client.send

    def listen(self, request, **options):
        view = resolve(request.url.path).func if request.url.path.startswith("/admin/") else None
        if view is not None and request.method in view.operations:
            found.add(view.operations[request.method].id)
        return send(self, request, **options)

    monkeypatch.setattr(httpx.Client, "send", listen)
    return found


@pytest.fixture
def names(server, alice_at, tmp_path):
    (tmp_path / "body.json").write_text("{}")
    alice_at.call("managers", "invite", "acme", "invited@acme.example")
    client_id, _ = server.service()
    return {"file": str(tmp_path / "body.json"), "client": client_id}


def test_each_command_sends_what_it_stands_for(alice_at, names, heard):
    silent = []
    for operation, words in COMMANDS.items():
        heard.clear()
        answer = alice_at.call(*shlex.split(words.format(**names)), typed="some-token\n")
        assert answer.status != 2, (words, answer.err)
        if operation not in heard:
            silent.append((operation, words, answer.err))
    assert not silent


def test_each_screen_sends_what_it_stands_for():
    folder = settings.BASE_DIR / "portal" / "terminal" / "tui"
    source = "\n".join(file.read_text() for file in folder.glob("*.py"))
    missing = [operation for operation, sent in SCREENS.items() if not re.search(re.escape(sent), source)]
    assert not missing
