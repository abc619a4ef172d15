"""A workspace's clients; included below /consumers/<slug>/clients/."""

from django.urls import path

from clients import views

app_name = "clients"

urlpatterns = [
    path("", views.index, name="index"),
    path("new", views.create, name="create"),
    path("<str:client_id>/", views.detail, name="detail"),
    path("<str:client_id>/settings/", views.settings, name="settings"),
    path("<str:client_id>/activity/", views.activity, name="activity"),
    path("<str:client_id>/disable/", views.disable, name="disable"),
    path("<str:client_id>/enable/", views.enable, name="enable"),
    path("<str:client_id>/delete/", views.delete, name="delete"),
    path("<str:client_id>/secrets/", views.secrets, name="secrets"),
    path("<str:client_id>/secrets/new/", views.add_secret, name="add-secret"),
    path("<str:client_id>/secrets/<uuid:secret_id>/rotate/", views.rotate, name="rotate-secret"),
    path("<str:client_id>/secrets/<uuid:secret_id>/revoke/", views.revoke, name="revoke-secret"),
    path("<str:client_id>/credentials/", views.download, name="download"),
]
