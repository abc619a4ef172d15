"""What `startproject` gives, on PostgreSQL, with the toolkit as its tutorial installs it.

FAST_HASHER=1 hashes client secrets with SHA-256 once instead of PBKDF2, and keeps connections to the database.
"""

import os

FAST = bool(os.environ.get("FAST_HASHER"))

SECRET_KEY = "of the benchmark alone"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.toolkit.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
        "USER": os.environ["PGUSER"],
        "NAME": os.environ["PGDATABASE"],
        "CONN_MAX_AGE": 60 if FAST else 0,
    }
}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "oauth2_provider",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "benchmarks.toolkit.hashers.OnceSHA256",
]
OAUTH2_PROVIDER = {
    "SCOPES": {"shipments:read": "Read shipments"},
    **({"CLIENT_SECRET_HASHER": "once_sha256"} if FAST else {}),
}
