"""A workspace's clients; included below /consumers/<slug>/clients/."""

from django.urls import path

from clients.views import hygiene, lists, pages, registration, secrets

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
    path("<slug:client_id>/credentials/", registration.download, name="download"),
]
