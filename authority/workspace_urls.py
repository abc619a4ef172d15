"""A workspace's pages about tokens; included below /consumers/<slug>/."""

from django.urls import path

from authority.views import problems

app_name = "tokens"

urlpatterns = [
    path("clients/<slug:client_id>/problems/", problems.problems, name="problems"),
]
