"""The URL map."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from connections.views.sign_in import SignInView
from portal import health, metrics, views

admin.autodiscover()  # here, since only who opens pages needs it: a fifth of the start

handler400 = "portal.views.bad_request"
handler403 = "portal.views.permission_denied"
handler404 = "portal.views.not_found"
handler500 = "portal.views.server_error"

urlpatterns = [
    path("", views.home, name="home"),
    path("", include("connections.urls")),
    path("account/login/", SignInView.as_view(), name="account_login"),
    path("account/", include("allauth.account.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
    path("account/sessions/", include("allauth.usersessions.urls")),
    path("consumers/<slug:consumer_slug>/", views.dashboard, name="dashboard"),
    path("request-access/", include("clients.request_urls")),
    path("", include("consumers.urls")),
    path("consumers/<slug:consumer_slug>/clients/", include("clients.urls")),
    path("consumers/<slug:consumer_slug>/", include("clients.workspace_urls")),
    path("consumers/<slug:consumer_slug>/", include("authority.workspace_urls")),
    path("", include("authority.urls")),
    path("operators/", admin.site.urls),
    path("", include("portal.api.urls")),
    # Ory's management API lives below /admin/; a browser that means Django's admin is led there.
    path("admin/", RedirectView.as_view(pattern_name="admin:index", query_string=True), name="admin-redirect"),
    path("health/alive", health.alive, name="alive"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", metrics.page, name="metrics"),
    path("version", metrics.version, name="version"),
]

if settings.MAIL_IN_BROWSER:
    from portal.demo import mailbox

    urlpatterns += [
        path("demo/mail/", mailbox.inbox, name="mailbox"),
        path("demo/mail/<slug:name>/", mailbox.message, name="mailbox-message"),
        path("demo/mail/<slug:name>/download", mailbox.download, name="mailbox-download"),
    ]
