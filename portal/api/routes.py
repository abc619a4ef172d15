"""The routes of the management API, of all rooms."""

from django.urls import include, path

ROUTES = [
    path("", include("consumers.api.urls")),
    path("", include("connections.api.urls")),
    path("", include("authority.api.urls")),
    path("", include("clients.api.urls")),
]
