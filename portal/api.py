"""The management API: what the rooms offer, under one roof."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from consumers.rest.errors import NotFound
from consumers.rest.operations import refuse

app_name = "api"


@csrf_exempt  # there is nothing to do, so no cookie can do it
def nowhere(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer programs that ask for an address that is none, in their language."""
    return refuse(NotFound(), {})


urlpatterns = [
    path("", include("consumers.api.urls")),
    path("", include("authority.api.urls")),
    path("", include("clients.api.urls")),
    re_path(r"^admin/(?P<rest>.+)\Z", nowhere, name="nowhere"),
]
