"""URLs of the management API and of its description."""

from django.urls import path, re_path

from portal.api.routes import ROUTES
from portal.api.views import nowhere, openapi, reference

app_name = "api"
urlpatterns = [
    path("openapi.json", openapi, name="openapi"),
    path("reference/", reference, name="reference"),
    *ROUTES,
    re_path(r"^admin/(?P<rest>.+)\Z", nowhere, name="nowhere"),
]
