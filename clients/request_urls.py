"""Where strangers ask for a workspace."""

from django.urls import path

from clients.views import requests

app_name = "requests"
urlpatterns = [
    path("", requests.ask, name="ask"),
    path("sent/", requests.sent, name="sent"),
    path("<str:token>/", requests.status, name="status"),
]
