"""What the rooms offer to programs, under one roof."""

from django.urls import include, path

ROUTES = [
    path("", include("consumers.api.urls")),
    path("", include("authority.api.urls")),
    path("", include("clients.api.urls")),
]
