"""A workspace's clients; included below /consumers/<slug>/clients/."""

from django.urls import path

from clients.views import authentication, hygiene, lists, pages, registration, secrets

app_name = "clients"

urlpatterns = [
    path("", lists.index, name="index"),
    path("new", registration.create, name="create"),
    path("secrets/", hygiene.hygiene, name="hygiene"),
    path("<slug:client_id>/", pages.detail, name="detail"),
    path("<slug:client_id>/settings/", pages.settings, name="settings"),
    path("<slug:client_id>/activity/", pages.activity, name="activity"),
    path("<slug:client_id>/disable/", pages.disable, name="disable"),
    path("<slug:client_id>/enable/", pages.enable, name="enable"),
    path("<slug:client_id>/revoke-tokens/", pages.revoke_tokens, name="revoke-tokens"),
    path("<slug:client_id>/delete/", pages.delete, name="delete"),
    path("<slug:client_id>/secrets/", secrets.secrets, name="secrets"),
    path("<slug:client_id>/secrets/new/", secrets.add_secret, name="add-secret"),
    path("<slug:client_id>/secrets/<uuid:secret_id>/rotate/", secrets.rotate, name="rotate-secret"),
    path("<slug:client_id>/secrets/<uuid:secret_id>/revoke/", secrets.revoke, name="revoke-secret"),
    path("<slug:client_id>/authentication/", authentication.authentication, name="authentication"),
    path("<slug:client_id>/authentication/key/new/", authentication.make_key, name="make-key"),
    path("<slug:client_id>/authentication/key/", authentication.download_key, name="download-key"),
    path("<slug:client_id>/rules/new/<int:issuer_id>/", authentication.add_rule, name="add-rule"),
    path("<slug:client_id>/rules/<uuid:rule_id>/remove/", authentication.remove_rule, name="remove-rule"),
    path("<slug:client_id>/credentials/", registration.download, name="download"),
]
