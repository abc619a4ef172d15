"""A workspace's pages about tokens; included below /consumers/<slug>/."""

from django.urls import path

from authority.views import identity, problems

app_name = "tokens"

urlpatterns = [
    path("clients/<slug:client_id>/identity/", identity.identity, name="identity"),
    path("clients/<slug:client_id>/identity/<slug:name>/", identity.guide, name="guide"),
    path("clients/<slug:client_id>/problems/", problems.problems, name="problems"),
]
