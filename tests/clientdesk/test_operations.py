"""Every operation of the REST API has a command that sends it, and a screen that does or a reason why not."""

import shlex

import httpx
import pytest
from django.urls import resolve
from textual.widgets import DataTable, Input, TabbedContent

from clientdesk.api_client import ApiClient
from clientdesk.tui.clients import ClientList
from clientdesk.tui.connections import ConnectionList
from clientdesk.tui.dialogs import ConfirmDialog, InputDialog, JsonDialog, SecretDialog
from clientdesk.tui.editor import ClientEditor
from portal.api.openapi import operations
from tests.clientdesk.tui.driving import drive, editing, field, open_clients, rows, saved, settled

# Operation: the command that sends it. It is run, against clients and consumers that do not exist.
COMMANDS = {
    "listOAuth2Clients": "list clients",
    "createOAuth2Client": "create client --metadata {{}}",
    "getOAuth2Client": "get client cl_nobody",
    "setOAuth2Client": "update client cl_nobody --file {file}",
    "patchOAuth2Client": "patch client cl_nobody --remove /owner",
    "deleteOAuth2Client": "delete client cl_nobody",
    "disableOAuth2Client": "disable client cl_nobody",
    "enableOAuth2Client": "enable client cl_nobody",
    "setOAuth2ClientLifespans": "update lifespans cl_nobody --set client-credentials-grant-access-token=5m",
    "rotateOAuth2ClientSecret": "rotate secret cl_nobody",
    "deleteRotatedOAuth2ClientSecrets": "rotate secret {client} --revoke-previous",
    "listSecrets": "list secrets cl_nobody",
    "getSecret": "get secret cl_nobody 1",
    "createSecret": "create secret cl_nobody",
    "rotateSecret": "rotate secret cl_nobody 1",
    "updateSecret": "update secret cl_nobody 1 --never-expires",
    "revokeSecret": "revoke secret cl_nobody 1",
    "introspectOAuth2Token": "introspect token",
    "deleteOAuth2Token": "revoke access-tokens cl_nobody",
    "createTestToken": "create test-token cl_nobody --scope a --reason b",
    "listTestTokens": "list test-tokens cl_nobody",
    "getTestToken": "get test-token cl_nobody 1",
    "revokeTestToken": "revoke test-token cl_nobody 1",
    "listSignedInPeople": "list people cl_nobody",
    "getSignedInPerson": "get person cl_nobody nobody",
    "deleteSignedInPerson": "revoke person cl_nobody nobody",
    "deleteSignedInPeople": "revoke people cl_nobody --all",
    "listUsage": "list usage",
    "listActivity": "list activity",
    "exportActivity": "export activity --csv",
    "listConsumers": "list consumers",
    "createConsumer": "create consumer nobody --name Nobody",
    "getConsumer": "get consumer nobody",
    "patchConsumer": "update consumer nobody --name Nobody",
    "deleteConsumer": "delete consumer nobody",
    "suspendConsumer": "suspend consumer nobody",
    "resumeConsumer": "resume consumer nobody",
    "revokeConsumerTokens": "revoke access-tokens --consumer nobody",
    "getAccess": "get access nobody",
    "setAccess": "update access acme --add shipments:read",
    "listMembers": "list members nobody",
    "getMember": "get member acme alice@acme.example",
    "setMember": "update member acme alice@acme.example --role manager",
    "deleteMember": "delete member acme alice@acme.example",  # the last manager stays
    "listInvitations": "list invitations acme",
    "getInvitation": "get invitation acme invited@acme.example",
    "createInvitation": "create invitation nobody a@b.example",
    "resendInvitation": "resend invitation acme invited@acme.example",
    "revokeInvitation": "revoke invitation acme invited@acme.example",
    "createPortalLink": "create portal-link nobody a@b.example --return-to https://app.example.com/",
    "getPortalLink": "get portal-link nobody 1",
    "listOAuth2ConsentSessions": "list consents nobody",
    "revokeOAuth2ConsentSessions": "revoke consents nobody --all",
    "revokeOAuth2LoginSessions": "revoke login-sessions nobody",
    "listWorkspaceRequests": "list workspace-requests",
    "getWorkspaceRequest": "get workspace-request 1",
    "approveWorkspaceRequest": "approve workspace-request 1 --slug nobody",
    "declineWorkspaceRequest": "decline workspace-request 1",
    "askBackWorkspaceRequest": "ask workspace-request 1 --question Who?",
    "listPermissionRequests": "list permission-requests --state open",
    "getPermissionRequest": "get permission-request 1",
    "createPermissionRequest": "create permission-request nothing --reason a --consumer nobody",
    "answerPermissionRequest": "answer permission-request 1 --answer a",
    "withdrawPermissionRequest": "withdraw permission-request 1",
    "approvePermissionRequest": "approve permission-request 1 --expires-at 2027-06-01T00:00:00Z",
    "declinePermissionRequest": "decline permission-request 1",
    "askBackPermissionRequest": "ask permission-request 1 --question Why?",
    "getDirectory": "get directory nobody",
    "createDirectory": "create directory nobody --name Nobody",
    "setDirectory": "api put /admin/consumers/nobody/directory --file {file}",
    "rotateDirectoryToken": "rotate directory nobody",
    "deleteDirectory": "delete directory nobody",
    "listDirectoryUsers": "list directory-users nobody",
    "listDirectoryGroups": "list directory-groups nobody",
    "getDirectoryGroup": "api get /admin/consumers/nobody/directory/groups/0",
    "setDirectoryGroup": "api put /admin/consumers/nobody/directory/groups/0 --file {file}",
    "listAPIs": "list apis",
    "listMemberRoles": "list roles acme alice@acme.example",
    "setMemberRoles": "update roles acme alice@acme.example --api https://nobody.example --add nobody",
    "listRoleGrants": "list role-grants",
    "getRoleGrant": "get role-grant 0",
    "createRoleGrant": "create role-grant a@b.example --api https://nobody.example --role nobody",
    "deleteRoleGrant": "delete role-grant 0",
    "getOpenRegistration": "get registration",
    "enableOpenRegistration": "enable registration nobody",
    "disableOpenRegistration": "disable registration",
    "listInitialAccessTokens": "list initial-access-tokens nobody",
    "createInitialAccessToken": "create initial-access-token nobody --name a --expires-at 2027-06-01T00:00:00Z",
    "getInitialAccessToken": "get initial-access-token nobody 1",
    "revokeInitialAccessToken": "revoke initial-access-token nobody 1",
    "listMemberCredentials": "api get /admin/consumers/acme/members/1/credentials",
    "getRegistrationAccessToken": "get registration-access-token cl_nobody",
    "revokeRegistrationAccessToken": "revoke registration-access-token cl_nobody",
    "listConnections": "list connections",
    "createConnection": "create connection nobody --name Nobody --preset google --client-id us",
    "getConnection": "get connection nobody",
    "patchConnection": "update connection nobody --sign-in off",
    "deleteConnection": "delete connection nobody",
    "listConnectionPresets": "list presets",
    "listConnectionDomains": "list domains nobody",
    "addConnectionDomain": "create domain nobody acme.example",
    "getConnectionDomain": "get domain nobody acme.example",
    "checkConnectionDomain": "verify domain nobody acme.example",
    "verifyConnectionDomain": "verify domain nobody acme.example --by Contract",
    "removeConnectionDomain": "delete domain nobody acme.example",
    "listJoiningRules": "list joining-rules acme",
    "createJoiningRule": "create joining-rule acme --connection nobody --group Staff",
    "getJoiningRule": "get joining-rule acme 0",
    "deleteJoiningRule": "delete joining-rule acme 0",
    # What the program behind the provider's own login asks and answers.
    **{
        f"{verb}OAuth2{kind}Request": f"api {method} /admin/oauth2/auth/requests/{kind.lower()}{path}"
        for kind in ("Login", "Consent", "Logout")
        for verb, method, path in (
            ("get", "get", ""),
            ("accept", "put", "/accept --file {file}"),
            ("reject", "put", "/reject --file {file}"),
        )
    },
    # What operators decide rarely, and write as JSON.
    "setConnection": "api put /admin/connections/nobody --file {file}",
    "setConsumer": "api put /admin/consumers/nobody --file {file}",
    "createAPI": "api post /admin/apis --file {file}",
    "getAPI": "get api 0",
    "patchAPI": "update api 0 --sign-in-by members",
    "listGroupRoles": "list group-roles 0",
    "createGroupRole": "create group-role 0 --connection nobody --group Staff --role nobody",
    "getGroupRole": "get group-role 0 0",
    "deleteGroupRole": "delete group-role 0 0",
    "setAPI": "api put /admin/apis/0 --file {file}",
    "deleteAPI": "api delete /admin/apis/0",
    "getAPIRoles": "api get /admin/apis/0/roles",
    "setAPIRoles": "api put /admin/apis/0/roles --file {file}",
    "getAPIClaims": "api get /admin/apis/0/claims",
    "setAPIClaims": "api put /admin/apis/0/claims --file {file}",
    "getTokenHook": "api get /admin/apis/0/token-hook",
    "setTokenHook": "api put /admin/apis/0/token-hook --file {file}",
    "deleteTokenHook": "api delete /admin/apis/0/token-hook",
    "testTokenHook": "api post /admin/apis/0/token-hook/test",
    "getResourceServers": "api get /admin/apis/0/resource-servers",
    "setResourceServers": "api put /admin/apis/0/resource-servers --file {file}",
    "getSecretPolicy": "api get /admin/consumers/nobody/secret-policy",
    "setSecretPolicy": "api put /admin/consumers/nobody/secret-policy --file {file}",
    "setClientClaims": "api put /admin/clients/cl_nobody/claims --file {file}",
    "exportActivityHead": "api post /admin/activity/head",
    "listTrustedIssuers": "api get /admin/trusted-issuers",
    "createTrustedIssuer": "api post /admin/trusted-issuers --file {file}",
    "getTrustedIssuer": "api get /admin/trusted-issuers/0",
    "setTrustedIssuer": "api put /admin/trusted-issuers/0 --file {file}",
    "disableTrustedIssuer": "api post /admin/trusted-issuers/0/disable",
    "enableTrustedIssuer": "api post /admin/trusted-issuers/0/enable",
    "deleteTrustedIssuer": "api delete /admin/trusted-issuers/0",
    **{
        f"{verb}{kind}": f"api {method} /admin/registration/{path}{one}{body}"
        for kind, path in {"SoftwareIssuer": "software-issuers", "DocumentHost": "document-hosts"}.items()
        for verb, method, one, body in (
            ("create", "post", "", " --file {file}"),
            ("get", "get", "/0", ""),
            ("set", "put", "/0", " --file {file}"),
            ("delete", "delete", "/0", ""),
        )
    },
    "listSoftwareIssuers": "api get /admin/registration/software-issuers",
    "listDocumentHosts": "api get /admin/registration/document-hosts",
    "listTrustRules": "api get /admin/clients/cl_nobody/trust-rules",
    "createTrustRule": "api post /admin/clients/cl_nobody/trust-rules --file {file}",
    "getTrustRule": "api get /admin/clients/cl_nobody/trust-rules/1",
    "deleteTrustRule": "api delete /admin/clients/cl_nobody/trust-rules/1",
}
# The operations that the screens send.
SCREENS = {
    "listConsumers",
    "listConnections",
    "listOAuth2Clients",
    "createOAuth2Client",
    "getOAuth2Client",
    "patchOAuth2Client",
    "deleteOAuth2Client",
    "disableOAuth2Client",
    "enableOAuth2Client",
    "rotateOAuth2ClientSecret",
    "listSecrets",
    "createSecret",
    "revokeSecret",
    "listActivity",
}
NO_SCREEN = {
    **dict.fromkeys(("setOAuth2Client", "setOAuth2ClientLifespans"), "the editor sends what changed, by PATCH"),
    **dict.fromkeys(
        ("getSecret", "deleteRotatedOAuth2ClientSecrets", "rotateSecret", "updateSecret"),
        "secrets are listed, created and revoked",
    ),
    **dict.fromkeys(
        [
            each.id
            for _, _, each in operations()
            if each.tag not in ("Clients", "Secrets", "Activity", "Consumers") and each.id != "listConnections"
        ],
        "the screens are for work with clients",
    ),
    **dict.fromkeys(
        (
            "createConsumer",
            "getConsumer",
            "setConsumer",
            "patchConsumer",
            "deleteConsumer",
            "suspendConsumer",
            "resumeConsumer",
            "revokeConsumerTokens",
            "getAccess",
            "setAccess",
            "getSecretPolicy",
            "setSecretPolicy",
            "listTrustedIssuers",
            "getTrustedIssuer",
            "createTrustedIssuer",
            "setTrustedIssuer",
            "disableTrustedIssuer",
            "enableTrustedIssuer",
            "deleteTrustedIssuer",
            "getMember",
            "getInvitation",
            "setClientClaims",
            "listTrustRules",
            "getTrustRule",
            "createTrustRule",
            "deleteTrustRule",
            "listWorkspaceRequests",
            "getWorkspaceRequest",
            "approveWorkspaceRequest",
            "declineWorkspaceRequest",
            "askBackWorkspaceRequest",
            "exportActivity",
            "exportActivityHead",
            "listUsage",
        ),
        "decided rarely: on the portal's pages, or by a command",
    ),
}
KNOWN = {operation.id for _, _, operation in operations()}


def test_every_operation_has_its_command_and_its_screen_or_a_reason():
    assert COMMANDS.keys() == KNOWN, "a new operation: give it a command, and name it here"
    assert SCREENS | NO_SCREEN.keys() == KNOWN, "a new operation: give it a screen, or say why it has none"
    assert not SCREENS & NO_SCREEN.keys()


@pytest.fixture
def sent(monkeypatch):
    """The operations that requests were sent to."""
    found = set()
    send = httpx.Client.send

    def record(self, request, **options):
        view = resolve(request.url.path).func if request.url.path.startswith("/admin/") else None
        if view is not None and request.method in view.operations:
            found.add(view.operations[request.method].id)
        return send(self, request, **options)

    monkeypatch.setattr(httpx.Client, "send", record)
    return found


@pytest.fixture
def names(server, alice_at, tmp_path):
    (tmp_path / "body.json").write_text("{}")
    alice_at.call("create", "invitation", "acme", "invited@acme.example")
    client_id, _ = server.service()
    return {"file": str(tmp_path / "body.json"), "client": client_id}


def test_each_command_sends_its_operation(alice_at, names, sent):
    silent = []
    for operation, words in COMMANDS.items():
        sent.clear()
        answer = alice_at.call(*shlex.split(words.format(**names)), typed="some-token\n")
        assert answer.status != 2, (words, answer.err)
        if operation not in sent:
            silent.append((operation, words, answer.err))
    assert not silent


async def answer_yes(app, pilot):
    await settled(pilot, lambda: isinstance(app.screen, ConfirmDialog))
    await pilot.press("tab", "enter")


async def close(app, pilot, dialog, below):
    """Wait for a dialog, and close it."""
    await settled(pilot, lambda: isinstance(app.screen, dialog))
    await pilot.press("escape")
    await settled(pilot, lambda: isinstance(app.screen, below))


async def create_and_edit(app, pilot):
    await pilot.press("n")
    await settled(pilot, lambda: editing(app))
    await pilot.press(*"By keyboard")
    field(app, "grant_types").query_one("TextArea").focus()
    await pilot.press(*"client_credentials")
    field(app, "scope").query_one(Input).focus()
    await pilot.press(*"shipments:read", "ctrl+s")
    await close(app, pilot, SecretDialog, ClientEditor)
    await settled(pilot, lambda: saved(app) and editing(app))
    app.clear_notifications()
    field(app, "owner").query_one(Input).focus()
    await pilot.press(*"Team", "ctrl+s")
    await settled(pilot, lambda: saved(app) and editing(app))


async def create_and_revoke_a_secret(app, pilot):
    app.screen.query_one(TabbedContent).active = "secrets"
    table = app.screen.query_one("#secrets DataTable", DataTable)
    await settled(pilot, lambda: table.row_count == 1)
    table.focus()
    await pilot.press("n")
    await settled(pilot, lambda: isinstance(app.screen, InputDialog))
    await pilot.press(*"Staging", "enter")
    await close(app, pilot, SecretDialog, ClientEditor)
    await settled(pilot, lambda: table.row_count == 2)
    table.focus()
    await pilot.press("x")
    await answer_yes(app, pilot)
    await settled(pilot, lambda: isinstance(app.screen, ClientEditor))
    app.screen.query_one(TabbedContent).active = "activity"
    await settled(pilot, lambda: app.screen.query_one("#activity DataTable", DataTable).row_count)


def test_the_screens_send_their_operations(server, sent):
    async def steps(app, pilot):
        await settled(pilot, lambda: rows(app))
        await pilot.press("c")
        await settled(pilot, lambda: isinstance(app.screen, ConnectionList) and "listConnections" in sent)
        await settled(pilot, lambda: not app.screen.table.loading)
        await pilot.press("escape")
        await open_clients(app, pilot)
        await create_and_edit(app, pilot)
        client_id = app.screen.client_id
        await create_and_revoke_a_secret(app, pilot)
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, ClientList))
        await pilot.press("slash", *client_id, "enter")
        await settled(pilot, lambda: rows(app) == 1)
        await pilot.press("v")
        await close(app, pilot, JsonDialog, ClientList)
        await pilot.press("k")
        await answer_yes(app, pilot)
        await close(app, pilot, SecretDialog, ClientList)
        for operation in ("disableOAuth2Client", "enableOAuth2Client"):
            await settled(pilot, lambda: rows(app) == 1)
            await pilot.press("s")
            await answer_yes(app, pilot)
            await settled(pilot, lambda expected=operation: expected in sent and isinstance(app.screen, ClientList))
            await settled(pilot, lambda: not app.screen.table.loading)
        await pilot.press("d")
        await answer_yes(app, pilot)
        await settled(pilot, lambda: isinstance(app.screen, ClientList) and rows(app) == 0)

    with ApiClient(server.url, server.demo["manager_token"]) as api:
        drive(api, steps)
    assert sent == SCREENS
