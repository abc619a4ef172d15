"""A workspace's clients; included below /consumers/<slug>/clients/."""

from django.urls import path

from clients import converters  # noqa: F401  # registers that of client IDs
from clients.views import (
    authentication,
    client,
    client_list,
    create,
    initial_access_tokens,
    permissions,
    secret_review,
    secrets,
    settings,
)

app_name = "clients"

urlpatterns = [
    path("", client_list.index, name="index"),
    path("new", create.create, name="create"),
    path("secrets/", secret_review.index, name="secret-review"),
    path("registration/", initial_access_tokens.index, name="registration"),
    path("registration/initial-access-tokens/new/", initial_access_tokens.create, name="create-initial-access-token"),
    path(
        "registration/initial-access-tokens/<uuid:token_id>/revoke/",
        initial_access_tokens.revoke,
        name="revoke-initial-access-token",
    ),
    path("permissions/", permissions.permissions, name="permissions"),
    path("permissions/<int:scope_id>/request/", permissions.ask, name="request-permission"),
    path("permissions/requests/<uuid:request_id>/", permissions.permission_request, name="permission-request"),
    path("<client:client_id>/", client.detail, name="detail"),
    path("<client:client_id>/settings/", settings.settings, name="settings"),
    path("<client:client_id>/settings/advanced/", settings.advanced, name="advanced"),
    path("<client:client_id>/activity/", client.activity, name="activity"),
    path("<client:client_id>/disable/", client.disable, name="disable"),
    path("<client:client_id>/enable/", client.enable, name="enable"),
    path("<client:client_id>/revoke-tokens/", client.revoke_tokens, name="revoke-tokens"),
    path("<client:client_id>/delete/", client.delete, name="delete"),
    path("<client:client_id>/secrets/", secrets.secrets, name="secrets"),
    path("<client:client_id>/secrets/new/", secrets.create_secret, name="create-secret"),
    path("<client:client_id>/secrets/<uuid:secret_id>/rotate/", secrets.rotate, name="rotate-secret"),
    path("<client:client_id>/secrets/<uuid:secret_id>/revoke/", secrets.revoke, name="revoke-secret"),
    path(
        "<client:client_id>/registration-access-token/revoke/",
        secrets.revoke_registration_access_token,
        name="revoke-registration-access-token",
    ),
    path("<client:client_id>/authentication/", authentication.authentication, name="authentication"),
    path("<client:client_id>/authentication/key/new/", authentication.generate_key, name="generate-key"),
    path("<client:client_id>/authentication/key/", authentication.download_key, name="download-key"),
    path("<client:client_id>/rules/new/<int:issuer_id>/", authentication.create_rule, name="create-rule"),
    path("<client:client_id>/rules/<uuid:rule_id>/delete/", authentication.delete_rule, name="delete-rule"),
    path("<client:client_id>/credentials/", create.download, name="download-credentials"),
]
