"""The URLs of the authorization server."""

from django.urls import path

from authority.endpoints import (
    authorize,
    device_authorization,
    discovery,
    introspection,
    logout,
    par,
    registration,
    revocation,
    token,
    userinfo,
    workloads,
)
from authority.endpoints.discovery import to_every_origin
from authority.protocol.cors import cross_origin
from authority.views import apps, devices
from clients import converters  # noqa: F401  # registers that of client IDs

WORKLOADS = "v1/client-auth/<slug:auth_id>"

urlpatterns = [
    path("oauth2/authorize", authorize.authorize, name="authorize"),
    path("oauth2/authorize/decision", authorize.decide, name="authorize-decision"),
    path("oauth2/authorize/switch", authorize.switch, name="authorize-switch"),
    path("oauth2/par", par.push, name="par"),
    path("oauth2/token", cross_origin("POST")(token.token), name="token"),
    path("oauth2/device_authorization", device_authorization.device_authorization, name="device-authorization"),
    path("oauth2/introspect", introspection.introspect, name="introspect"),
    path("oauth2/revoke", cross_origin("POST")(revocation.revoke), name="revoke"),
    path("oauth2/userinfo", cross_origin("GET", "POST")(userinfo.userinfo), name="userinfo"),
    path("oauth2/register", registration.register, name="register"),
    path("oauth2/register/<path:client_id>", registration.manage, name="register-client"),
    path("account/apps/", apps.listing, name="apps"),
    path("account/sessions/everywhere/", apps.sign_out_everywhere, name="sign-out-everywhere"),
    path("account/sessions/<int:session_id>/end/", apps.end_browser_session, name="end-browser-session"),
    path("account/sessions/<uuid:session_id>/end/", apps.end_login_session, name="end-login-session"),
    path("account/apps/<int:consent_id>/", apps.revoke, name="revoke-app"),
    path("account/apps/<client:client_id>/sign-out/", apps.sign_out_of_app, name="sign-out-of-app"),
    path("device", devices.device, name="device"),
    path("oauth2/logout", logout.logout, name="end-session"),
    path("oauth2/logout/decision", logout.decide, name="end-session-decision"),
    path(".well-known/jwks.json", cross_origin("GET", "HEAD")(discovery.jwks), name="jwks"),
    path(
        ".well-known/openid-configuration", cross_origin("GET", "HEAD")(discovery.oauth_metadata), name="oidc-discovery"
    ),
    path(".well-known/oauth-authorization-server", to_every_origin(discovery.oauth_metadata), name="oauth-metadata"),
    path(f"{WORKLOADS}/.well-known/openid-configuration", workloads.metadata, name="workload-discovery"),
    path(f"{WORKLOADS}/.well-known/jwks.json", workloads.jwks, name="workload-jwks"),
    path(f"{WORKLOADS}/token", workloads.identity, name="workload-token"),
    path(f"{WORKLOADS}/identity-token", workloads.identity_token, name="workload-identity-token"),
]
