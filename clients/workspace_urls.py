"""A workspace's pages about roles; included below /consumers/<slug>/."""

from django.urls import path

from clients.views import roles

app_name = "roles"

urlpatterns = [
    path("people/<int:member_id>/roles/", roles.member_roles, name="member"),
]
