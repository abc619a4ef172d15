"""The toolkit's own addresses."""

from django.urls import include, path

urlpatterns = [path("o/", include("oauth2_provider.urls"))]
