"""Every action is done by an operation of the management API, or a reason says why by none."""

from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.utils import timezone

from consumers.models import Event
from portal.api.openapi import operations
from tests.portal.actions.running import actions, completed_actions

pytestmark = pytest.mark.django_db

NO_OPERATION = {
    "consumers.actions.erasure.erase_person": "cannot be undone, and reads every table: manage.py erase_person",
    "consumers.audit.record": "no action: it records one",
    "authority.keys.chain_starts.start": "a person has looked into it, and says what it was",
    **dict.fromkeys(
        (
            *("consumers.actions.invitations.decline_invitation", "consumers.actions.invitations.accept_invitation"),
            "consumers.actions.portal_links.use_portal_link",
            "clients.actions.workspace_requests.request_workspace",
            "clients.actions.workspace_requests.confirm_workspace_request",
            "clients.actions.workspace_requests.answer_workspace_request",
            "clients.actions.workspace_requests.withdraw_workspace_request",
            *("consumers.actions.invitations.join_as_new_person", "consumers.actions.people.rename_person"),
            *(
                "authority.authorization.consents.record",
                "authority.authorization.consents.record_for_request",
                "authority.authorization.consents.revoke",
                "authority.authorization.consents.revoke_all",
                "authority.authorization.signing_out.sign_out_everywhere",
            ),
            "authority.authorization.device_requests.decide",
        ),
        "a person's own, in the browser",
    ),
    **dict.fromkeys(
        ("consumers.actions.personal_tokens.create_token", "consumers.actions.personal_tokens.revoke_token"),
        "a program could outlive its token",
    ),
    **dict.fromkeys(
        (
            *("consumers.actions.people.create_operator", "consumers.actions.people.update_person"),
            *("consumers.actions.people.save_group", "consumers.actions.people.delete_group"),
        ),
        "a program could give itself rights",
    ),
    "clients.actions.clients.register_client_with_key": "a program generates its own key, and registers the public one",
    **dict.fromkeys(
        ("authority.keys.rotation.rotate", "authority.keys.rotation.revoke"),
        "the portal's own keys are rotated on the operators' pages, and by manage.py keys",
    ),
    "consumers.actions.people.reset_second_factor": "who may do this may sign in as anybody: a command on the server",
    **dict.fromkeys(
        (
            *("clients.actions.registration.register_itself", "clients.actions.registration.update_itself"),
            "authority.workloads.identity_tokens.issue_to_person",
        ),
        "a client's own, at the endpoints of its specification",
    ),
    "connections.actions.domains.check_domain": "asks name servers: tests/connections/api/test_connections.py",
    **dict.fromkeys(
        (
            "consumers.actions.people.record_sign_in",
            "connections.actions.identities.sign_in",
            "connections.actions.identities.link",
            "connections.actions.identities.log_out",
            "connections.actions.identities.record_refusal",
            "connections.actions.identities.record_test",
            "connections.actions.identities.record_way_back",
            "connections.actions.identities.unlink",
            "connections.actions.joining.change",
            "connections.actions.joining.keep_in_step",
        ),
        "part of a sign-in, which tests/connections does at real providers",
    ),
    **dict.fromkeys(
        (
            *("connections.actions.directory_users.create_user", "connections.actions.directory_users.update_user"),
            *("connections.actions.directory_users.delete_user", "connections.actions.directory_groups.create_group"),
            *("connections.actions.directory_groups.update_group", "connections.actions.directory_groups.delete_group"),
            "consumers.actions.departures.revoke_access",
        ),
        "the directory's own, by SCIM: tests/connections/scim",
    ),
}


class Sent(NamedTuple):
    """An operation: with what its example and the ids of `ids` do not say, and with the query of its URL."""

    operation: str
    body: dict[str, Any] = {}
    ids: dict[str, str] = {}
    query: str = ""


TOMORROW = (timezone.now() + timedelta(days=1)).isoformat()
IN_ACME = {"consumer": "acme"}
OTHER_ISSUER = {"platform": "oidc", "issuer": "https://other.example.com"}
ORDERS = {
    "identifier": "https://api.example.com/orders",
    "name": "Orders",
    "scopes": [{"value": "orders:read", "name": "Read orders"}],
}
OPERATIONS = {
    "clients.actions.clients.register_client": Sent("createOAuth2Client", query="consumer=acme"),
    "clients.actions.clients.update_client": Sent("setOAuth2Client", {"client_name": "Another name"}),
    "clients.actions.clients.set_claims": Sent("setClientClaims"),
    "clients.actions.clients.disable_client": Sent("disableOAuth2Client"),
    "clients.actions.clients.enable_client": Sent("enableOAuth2Client", ids={"client_id": "disabled_client"}),
    "clients.actions.clients.delete_client": Sent("deleteOAuth2Client"),
    "clients.actions.clients.revoke_tokens": Sent("deleteOAuth2Token", query="client_id={client_id}"),
    "clients.actions.secrets.create_secret": Sent("createSecret", {"expires_at": TOMORROW}),
    "clients.actions.secrets.rotate_secret": Sent("rotateSecret"),
    "clients.actions.secrets.rotate_client": Sent("rotateOAuth2ClientSecret"),
    "clients.actions.secrets.revoke_rotated": Sent("deleteRotatedOAuth2ClientSecrets"),
    "clients.actions.secrets.expire_secret": Sent("updateSecret", {"expires_at": TOMORROW}),
    "clients.actions.secrets.revoke_secret": Sent("revokeSecret"),
    "clients.actions.secret_policy.set_secret_policy": Sent("setSecretPolicy"),
    "clients.actions.trust.create_issuer": Sent("createTrustedIssuer", OTHER_ISSUER),
    "clients.actions.trust.update_issuer": Sent("setTrustedIssuer", {"name": "Another name"}),
    "clients.actions.trust.disable_issuer": Sent("disableTrustedIssuer"),
    "clients.actions.trust.enable_issuer": Sent("enableTrustedIssuer", ids={"issuer_id": "unused_issuer"}),
    "clients.actions.trust.delete_issuer": Sent("deleteTrustedIssuer", ids={"issuer_id": "unused_issuer"}),
    "clients.actions.registration.save_metadata_source": Sent("createSoftwareIssuer"),
    "clients.actions.registration.delete_metadata_source": Sent("deleteDocumentHost"),
    "clients.actions.trust.create_rule": Sent("createTrustRule"),
    "clients.actions.trust.delete_rule": Sent("deleteTrustRule"),
    "clients.actions.registration.create_initial_access_token": Sent(
        "createInitialAccessToken", {"expires_at": TOMORROW}
    ),
    "clients.actions.registration.revoke_initial_access_token": Sent("revokeInitialAccessToken"),
    "clients.actions.registration.revoke_registration_access_token": Sent(
        "revokeRegistrationAccessToken", ids={"client_id": "self_registered"}
    ),
    "clients.actions.registration.enable_open_registration": Sent("enableOpenRegistration", IN_ACME),
    "clients.actions.registration.disable_open_registration": Sent("disableOpenRegistration"),
    "clients.actions.apis.create_api": Sent("createAPI", ORDERS),
    "clients.actions.apis.update_api": Sent(
        "setAPI", ORDERS | {"identifier": "https://unused.example.com"}, {"api_id": "unused_api"}
    ),
    "clients.actions.apis.delete_api": Sent("deleteAPI"),
    "clients.actions.sign_in_rules.set_sign_in": Sent(
        "setAPI",
        ORDERS | {"identifier": "https://unused.example.com", "requires_two_factors": True},
        {"api_id": "unused_api"},
    ),
    "clients.actions.group_roles.update_group_roles": Sent("createGroupRole", {"role": "driver"}),
    "clients.actions.apis.set_access": Sent("setAccess"),
    "clients.actions.apis.set_resource_servers": Sent("setResourceServers"),
    "clients.actions.workspace_requests.approve_workspace_request": Sent(
        "approveWorkspaceRequest", ids={"request_id": "workspace_request"}
    ),
    "clients.actions.workspace_requests.decline_workspace": Sent(
        "declineWorkspaceRequest", ids={"request_id": "workspace_request"}
    ),
    "clients.actions.workspace_requests.ask_back_workspace": Sent(
        "askBackWorkspaceRequest", ids={"request_id": "workspace_request"}
    ),
    "clients.actions.permission_requests.request_permission": Sent(
        "createPermissionRequest", IN_ACME | {"scope": "invoices:read"}
    ),
    "clients.actions.permission_requests.answer_permission_request": Sent(
        "answerPermissionRequest", ids={"request_id": "asked_permission"}
    ),
    "clients.actions.permission_requests.withdraw_permission_request": Sent(
        "withdrawPermissionRequest", ids={"request_id": "permission_request"}
    ),
    "clients.actions.permission_requests.approve_permission": Sent(
        "approvePermissionRequest", ids={"request_id": "permission_request"}
    ),
    "clients.actions.permission_requests.decline_permission": Sent(
        "declinePermissionRequest", ids={"request_id": "permission_request"}
    ),
    "clients.actions.permission_requests.ask_back_permission": Sent(
        "askBackPermissionRequest", ids={"request_id": "permission_request"}
    ),
    "clients.actions.roles.update_api_roles": Sent(
        "setAPIRoles", {"roles": [{"value": "planner", "name": "Planner"}]}, {"api_id": "unused_api"}
    ),
    "clients.actions.roles.update_api_claims": Sent("setAPIClaims"),
    "clients.actions.token_hooks.set_token_hook": Sent("setTokenHook"),
    "clients.actions.token_hooks.delete_token_hook": Sent("deleteTokenHook"),
    "clients.actions.roles.set_roles": Sent(
        "setMemberRoles", {"roles": [{"api": "https://api.example.com/shipments", "role": "driver"}]}
    ),
    "clients.actions.roles.give_role": Sent("createRoleGrant"),
    "clients.actions.roles.take_role": Sent("deleteRoleGrant"),
    "consumers.actions.consumers.create_consumer": Sent("createConsumer", {"slug": "northwind"}),
    "consumers.actions.consumers.update_consumer": Sent("setConsumer"),
    "consumers.actions.consumers.revoke_tokens": Sent("revokeConsumerTokens"),
    "consumers.actions.consumers.suspend_consumer": Sent("suspendConsumer"),
    "consumers.actions.consumers.resume_consumer": Sent("resumeConsumer", ids={"consumer": "suspended_consumer"}),
    "consumers.actions.consumers.delete_consumer": Sent("deleteConsumer", ids={"consumer": "empty_consumer"}),
    "consumers.actions.invitations.invite_manager": Sent("createInvitation"),
    "consumers.actions.invitations.resend_invitation": Sent("resendInvitation"),
    "consumers.actions.invitations.revoke_invitation": Sent("revokeInvitation"),
    "consumers.actions.portal_links.create_portal_link": Sent("createPortalLink"),
    "consumers.actions.members.change_role": Sent("setMember", {"role": "manager"}),
    "consumers.actions.members.remove_member": Sent("deleteMember"),
    "connections.actions.connections.create_connection": Sent(
        "createConnection", {"slug": "other", "preset_answers": {"domain": "other.okta.com"}}
    ),
    "connections.actions.connections.update_connection": Sent("setConnection", {"name": "Another name"}),
    "connections.actions.connections.delete_connection": Sent("deleteConnection"),
    "connections.actions.domains.add_domain": Sent("addConnectionDomain", {"domain": "more.example"}),
    "connections.actions.domains.verify_domain": Sent("verifyConnectionDomain"),
    "connections.actions.domains.remove_domain": Sent("removeConnectionDomain"),
    "connections.actions.domains.create_rule": Sent("createJoiningRule"),
    "connections.actions.domains.delete_rule": Sent("deleteJoiningRule", ids={"rule_id": "joining_rule"}),
    "connections.actions.directories.create_directory": Sent("createDirectory", ids={"consumer": "empty_consumer"}),
    "connections.actions.directories.update_directory": Sent("setDirectory", {"name": "Another name"}),
    "connections.actions.directories.rotate_token": Sent("rotateDirectoryToken"),
    "connections.actions.directories.delete_directory": Sent("deleteDirectory"),
    "connections.actions.directories.set_group_role": Sent("setDirectoryGroup", ids={"group_id": "directory_group"}),
    "authority.authorization.session_revocation.revoke_consents": Sent(
        "revokeOAuth2ConsentSessions", query="consent_request_id={consent}"
    ),
    "authority.authorization.session_revocation.end_login_sessions": Sent(
        "revokeOAuth2LoginSessions", query="sid={login_session}"
    ),
    "authority.keys.activity_heads.export": Sent("exportActivityHead"),
    "authority.authorization.client_people.end_sign_ins": Sent(
        "deleteSignedInPerson", ids={"client_id": "web", "subject": "person"}
    ),
    "authority.authorization.client_people.end_all_sign_ins": Sent("deleteSignedInPeople", ids={"client_id": "web"}),
    "authority.tokens.test_tokens.create": Sent("createTestToken"),
    "authority.tokens.test_tokens.revoke": Sent("revokeTestToken"),
}
KNOWN = {operation.id: (template, method, operation) for template, method, operation in operations()}


def test_each_action_has_an_operation_or_a_reason_for_none():
    assert not OPERATIONS.keys() & NO_OPERATION.keys()
    assert actions().keys() == OPERATIONS.keys() | NO_OPERATION.keys(), (
        "a new action: name its operation, or say why it has none"
    )


@pytest.mark.parametrize(("action", "sent"), OPERATIONS.items(), ids=OPERATIONS)
def test_each_action_is_done_by_an_operation(action, sent, ids, olga, program_of):
    template, method, operation = KNOWN[sent.operation]
    here = ids | {name: ids[other] for name, other in sent.ids.items()}
    path = template.format(**here) + ("?" + sent.query.format(**here) if sent.query else "")
    body = operation.example | sent.body if operation.body else None
    operator, recorded = program_of(olga), Event.objects.count()
    with completed_actions() as completed:
        answer = operator.send(method, path, body)
    assert answer.status_code in operation.answers, answer.text
    assert action in completed
    assert Event.objects.count() > recorded


def test_refused_action_does_not_count_as_done(acme, service, olga, program_of):
    operator = program_of(olga)
    with completed_actions() as completed:
        assert operator.delete("/admin/consumers/acme").status_code == 409
    assert "consumers.actions.consumers.delete_consumer" not in completed
    assert "consumers.audit.record" in completed  # and was rolled back
