"""URLs of signing in by identity providers."""

from django.urls import path

from connections.scim.views import scim
from connections.views import account, backchannel_logout, sign_in

app_name = "connections"

urlpatterns = [
    path("sso/<slug:slug>/login", sign_in.login, name="login"),
    path("sso/<slug:slug>/callback", sign_in.callback, name="callback"),
    path("sso/<slug:slug>/logout", backchannel_logout.logout, name="backchannel-logout"),
    path("sso/<slug:slug>/reauthenticate", sign_in.reauthenticate, name="reauthenticate"),
    path("sso/reauthenticated", sign_in.reauthenticated, name="reauthenticated"),
    path("scim/v2/<slug:slug>/", scim, name="scim"),
    path("scim/v2/<slug:slug>/<path:path>", scim, name="scim-resource"),
    path("account/connections/<slug:slug>/connect/", account.connect, name="connect"),
    path("account/connections/<int:identity_id>/disconnect/", account.disconnect, name="disconnect"),
]
