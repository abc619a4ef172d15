"""Another OpenID provider for the tests: django-oauth-toolkit as it comes, in one file, on SQLite.

Started as `python toolkit.py PORT FOLDER CLIENT_ID SECRET REDIRECT_URI`; its one person is tom@toolkit.example.
"""

import sys
from pathlib import Path

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.runserver import Command as RunServer

PORT, FOLDER, CLIENT_ID, SECRET, REDIRECT_URI = sys.argv[1:]
ISSUER = f"http://127.0.0.1:{PORT}/o"
KEY = rsa.generate_private_key(65537, 2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)

settings.configure(
    DEBUG=True,
    SECRET_KEY="of a test",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(FOLDER) / "toolkit.sqlite3"}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "oauth2_provider",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                ]
            },
        }
    ],
    SESSION_COOKIE_NAME="toolkit",  # ports share cookies
    CSRF_COOKIE_NAME="toolkit-csrf",
    LOGIN_URL="/come-in/",
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_ISS_ENDPOINT": ISSUER,
        "OIDC_RSA_PRIVATE_KEY": KEY.decode(),
        "SCOPES": {"openid": "Sign in", "email": "Address", "profile": "Name"},
        "OAUTH2_VALIDATOR_CLASS": f"{__name__}.Validator",
    },
)
django.setup()

from django.contrib.auth import get_user_model, login  # noqa: E402
from django.shortcuts import redirect  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider.models import Application  # noqa: E402
from oauth2_provider.oauth2_validators import OAuth2Validator  # noqa: E402


class Validator(OAuth2Validator):
    """Says who Tom is."""

    oidc_claim_scope = None

    def get_additional_claims(self, request):
        return {"email": request.user.email, "email_verified": True, "name": "Tom Toolkit"}


def come_in(request):
    """Sign Tom in, whoever asks."""
    login(request, get_user_model().objects.get(), backend="django.contrib.auth.backends.ModelBackend")
    return redirect(request.GET.get("next", "/"))


urlpatterns = [
    path("come-in/", come_in),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]

if __name__ == "__main__":
    sys.modules["toolkit"] = sys.modules[__name__]
    call_command("migrate", verbosity=0)
    get_user_model().objects.create_user("tom", "tom@toolkit.example")
    Application.objects.create(
        client_id=CLIENT_ID,
        client_secret=SECRET,
        redirect_uris=REDIRECT_URI,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        algorithm=Application.RS256_ALGORITHM,
        skip_authorization=True,
    )
    RunServer.requires_system_checks = []
    call_command("runserver", f"127.0.0.1:{PORT}", use_reloader=False, verbosity=0)
