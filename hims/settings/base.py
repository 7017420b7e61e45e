"""Settings for all installations; the other files here contain what differs by HIMS_ENV."""

from datetime import timedelta

import django_stubs_ext
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.common import domain
from hims import env, production
from hims.launch import paths

django_stubs_ext.monkeypatch()  # before the first model: `ModelAdmin[Patient]` and the like are evaluated when a class is defined

BASE_DIR = env.BASE_DIR
HIMS_ENV = env.name()
if HIMS_ENV in ("production", "staging"):
    production.check(test_settings=HIMS_ENV == "staging")
HIMS_DATA_DIR = paths.data_dir()
HIMS_VERSION = "0.3.0"
API_VERSION = "v1"

DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = True
LANGUAGES = [("en", "English"), ("es", "Español"), ("ar", "العربية")]  # of the pages; the API is English
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "hims.formats"  # dates on pages: 29 Nov 2026
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
LANGUAGE_COOKIE_PATH = "/admin/"
ROOT_URLCONF = "hims.urls"
WSGI_APPLICATION = "hims.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False
ALLOWED_HOSTS = env.read.list("HIMS_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])

# The clinic (one installation serves one organisation).
CLINIC_NAME = env.read.str("HIMS_CLINIC_NAME", default="Arocord Family Clinic")
CLINIC_TIME_ZONE = env.read.str("HIMS_CLINIC_TIME_ZONE", default="America/Los_Angeles")
CLINIC_COUNTRY = env.read.str("HIMS_CLINIC_COUNTRY", default="US")  # parses telephone numbers without a country code
CLINIC_PHONE = env.read.str("HIMS_CLINIC_PHONE", default="")  # the number in mails to patients, as it is printed

# Each app declares the rest itself (its `apps.py`). A request tries the routes in this order: busiest apps first.
HIMS_APPS = [
    "apps.patients",
    "apps.appointments",
    "apps.consultations",
    "apps.prescriptions",
    "apps.notifications",
    "apps.interop",
    "apps.accounts",
    "apps.rest",
    "apps.audit",
    "apps.terminology",
    "apps.documents",
    "apps.developers",
    "apps.desk",
    "apps.common",
    "apps.access",
    "apps.events",
]
if HIMS_ENV in ("sandbox", "test"):
    HIMS_APPS.append("apps.sandbox")
INSTALLED_APPS = [
    "hims",
    "apps.desk.kit.admin_config.AdminConfig",
    *HIMS_APPS,  # before Django's auth: the createsuperuser of apps.accounts replaces Django's
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
]

# The API needs no page middleware (session, messages, CSRF): these classes do nothing on /v1.
MIDDLEWARE = [
    "apps.rest.middleware.RequestMiddleware",
    "apps.rest.middleware.Security",
    "apps.rest.middleware.StaticFiles",
    "apps.rest.middleware.ContentSecurityPolicy",
    "apps.rest.middleware.Sessions",
    "apps.rest.middleware.Csrf",
    "apps.rest.middleware.Authentication",
    "apps.rest.middleware.Messages",
    "apps.rest.middleware.Frames",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

DATABASES = {"default": env.database()}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # hides a restart of PostgreSQL from requests
DATABASES["default"]["CONN_MAX_AGE"] = 600
# A statement that runs for ten seconds blocks a worker and its locks, so it is ended. Migrations lift this limit for themselves.
# `common.prepared` plans a statement once for each connection, whatever the values.
DATABASES["default"]["OPTIONS"]["options"] = env.read.str(
    "HIMS_PG_OPTIONS",
    default="-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"
    " -c plan_cache_mode=force_generic_plan",
)
DATABASES["default"]["OPTIONS"]["connect_timeout"] = 3
# A database host that vanishes sends no reset, and TCP alone waits for it for fifteen minutes and more (tcp_retries2 in tcp(7)).
# Ten seconds, the time limit of a statement, for data that the host does not acknowledge. While a connection waits for a reply,
# keepalive probes find the host gone after 5 + 3 * 2 seconds; tcp_user_timeout ends those as well (tcp(7)), so it is the shorter.
# libpq ignores all of these on a Unix socket: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
DATABASES["default"]["OPTIONS"] |= {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}
DATABASES["default"]["OPTIONS"]["prepare_threshold"] = 5  # allows `common.prepared`; Django's own cursors never prepare
REDIS_URL = env.redis_url()
# The counter of the page sign-ins (django-ratelimit) is stored here. Short time-outs, for the same reason as in
# `common.redis_client`.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "hims",
        "OPTIONS": {"socket_timeout": 0.1, "socket_connect_timeout": 0.1, "retry": Retry(NoBackoff(), 0)},
    }
}

# Signing uses its own key, never Django's SECRET_KEY.
SECRET_KEY = env.secret("HIMS_SECRET_KEY")
HIMS_JWT_KEYS = env.keys("HIMS_JWT_KEY")
HIMS_KEY_RING = env.keys("HIMS_KEY_RING")
ACCESS_TOKEN_LIFETIME = timedelta(seconds=3600)
TOKEN_LEEWAY = 10  # seconds that clocks may differ
API_SESSION_IDLE = timedelta(minutes=60)
API_SESSION_ABSOLUTE = timedelta(hours=12)
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": HIMS_JWT_KEYS[0],
    "ISSUER": "hims",
    "AUDIENCE": "staff",
    "LEEWAY": TOKEN_LEEWAY,
    "USER_ID_CLAIM": "sub",
    "TOKEN_TYPE_CLAIM": "typ",
    "ACCESS_TOKEN_LIFETIME": ACCESS_TOKEN_LIFETIME,
    "REFRESH_TOKEN_LIFETIME": API_SESSION_ABSOLUTE,
    "UPDATE_LAST_LOGIN": False,
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["apps.accounts.authentication.backends.StaffBackend"]
PASSWORD_HASHERS = ["apps.accounts.passwords.hashers.Argon2id"]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "apps.accounts.passwords.validators.PasswordRules"}]
LOGIN_URL = "/admin/login/"

# Browser sessions (the admin): 15 minutes idle, 12 hours in all.
BROWSER_SESSION_ABSOLUTE = timedelta(hours=12)
SESSION_COOKIE_AGE = env.read.int("HIMS_SESSION_IDLE_SECONDS", default=900)
SESSION_SAVE_EVERY_REQUEST = True
SESSION_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # messages name patients: never in a cookie
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.api.authentication.ApiKeyAuthentication",
        "apps.accounts.api.authentication.SessionTokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.rest.permissions.Needs"],
    "DEFAULT_RENDERER_CLASSES": ["apps.rest.renderers.EnvelopeRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.rest.renderers.Negotiation",
    "DEFAULT_PARSER_CLASSES": ["apps.rest.parsers.StrictJSONParser", "apps.rest.parsers.MergePatchParser"],
    "DEFAULT_SCHEMA_CLASS": "apps.rest.schema.HimsSchema",
    "EXCEPTION_HANDLER": "apps.rest.errors.handle",
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": False,
    "FORMAT_SUFFIX_KWARG": None,
    "URL_FORMAT_OVERRIDE": None,
}
_SERVERS = [
    {"url": "https://api.hims.arocord.com/v1", "description": "Production"},
    {"url": "https://api-staging.hims.arocord.com/v1", "description": "Staging"},
    {"url": "https://api-dev.hims.arocord.com/v1", "description": "Development"},
    {"url": "https://api-sandbox.hims.arocord.com/v1", "description": "Sandbox: sample data, no real patients"},
]
HIMS_BASE_URL = env.base_url()  # the start of mailed links, and the first server in the OpenAPI file
_THIS_SERVER = {"url": f"{HIMS_BASE_URL}/v1", "description": "This server"}
SPECTACULAR_SETTINGS = {
    "TITLE": "AROCORD-HIMS API",
    "VERSION": HIMS_VERSION,
    "DESCRIPTION": (
        "The API of AROCORD-HIMS, the healthcare information management system.\n\nEvery reply is `{success, "
        "data}`, every failure `{success, error}` with a code of the catalogue (`/developers/errors`). A "
        "method that a path does not support gets 405 with `Allow`; an unknown field or query parameter gets "
        "400. A path works with and without a trailing slash. HEAD works wherever GET does. Times are RFC "
        "3339 in UTC, of the years 1850 to 2200, dates `YYYY-MM-DD`. Send `X-Request-ID` (8 to 64 letters, digits, "
        "`_` and `-`) to name a request yourself."
    ),
    "CONTACT": {"name": "API support", "email": "api-support@arocord.com"},
    "LICENSE": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    "EXTERNAL_DOCS": {"description": "Developer pages", "url": "/developers/"},
    "SERVERS": [_THIS_SERVER, *(server for server in _SERVERS if server["url"] != _THIS_SERVER["url"])],
    "SECURITY": [{"bearerAuth": []}],
    "SCHEMA_PATH_PREFIX": "/v1",
    "SCHEMA_PATH_PREFIX_TRIM": True,
    "COMPONENT_SPLIT_PATCH": False,  # the bodies say themselves what may be left out
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": domain.enum_names(HIMS_APPS),
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.rest.schema.hooks.allow_blank",
        "apps.rest.schema.hooks.allow_null",
        "apps.rest.schema.hooks.share",
        "apps.rest.schema.hooks.allow_selection",
        "apps.rest.schema.hooks.describe",
    ],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "displayRequestDuration": True, "validatorUrl": None},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

HIMS_RATE_LIMIT_SCALE = env.read.float("HIMS_RATE_LIMIT_SCALE", default=1.0)
HIMS_TRUSTED_PROXIES = env.read.int("HIMS_TRUSTED_PROXIES", default=0)
HIMS_REQUIRE_IF_MATCH = env.read.list("HIMS_REQUIRE_IF_MATCH", default=[])  # resources, like patient, whose changes need If-Match
HIMS_MFA_REQUIRED_ROLES = env.roles("HIMS_MFA_REQUIRED_ROLES", default=("admin", "doctor", "pharmacist", "billing"))
REAUTHENTICATION_LIFETIME = timedelta(minutes=5)
HIMS_MOVE_UNDO = timedelta(seconds=env.read.int("HIMS_MOVE_UNDO_SECONDS", default=600))  # until a bulk reschedule is final
# Doctors are notified of changes by others to their schedule of so many days, beginning today.
HIMS_NOTICE_DAYS = env.read.int("HIMS_NOTICE_DAYS", default=2)
HIMS_WAITLIST_OFFERS = env.read.int("HIMS_WAITLIST_OFFERS", default=3)  # patients who are offered a freed time at once
HIMS_WAITLIST_OFFER = timedelta(minutes=env.read.int("HIMS_WAITLIST_OFFER_MINUTES", default=30))  # how long an offer is open
HIMS_QUEUE_AMBER_MINUTES, HIMS_QUEUE_RED_MINUTES = env.queue_limits()  # from how many minutes on a wait is marked
HIMS_ADMIN_CLINICAL = env.read.bool("HIMS_ADMIN_CLINICAL", default=HIMS_ENV in ("sandbox", "development", "test"))
# /health/ready says `degraded` once an event has waited for a worker, or an audit row for its seal, for more seconds than this.
HIMS_BACKLOG_LIMIT_SECONDS = env.read.int("HIMS_BACKLOG_LIMIT_SECONDS", default=60)
HIMS_UNUSUAL_READING_CHARTS = env.read.int("HIMS_UNUSUAL_READING_CHARTS", default=200)  # by one user within an hour
# The file outside the database with the chain's beginning and anchors; copy it to another machine.
HIMS_AUDIT_ANCHOR_FILE = env.read.str("HIMS_AUDIT_ANCHOR_FILE", default=str(HIMS_DATA_DIR / "audit" / "anchors.jsonl"))
# A request verifies at most so many rows after those that the worker has verified; how often the worker verifies all rows.
HIMS_AUDIT_VERIFY_ROWS = env.whole_number("HIMS_AUDIT_VERIFY_ROWS", default=10_000, least=100, most=100_000)
HIMS_AUDIT_VERIFY = timedelta(hours=env.whole_number("HIMS_AUDIT_VERIFY_HOURS", default=24, least=1, most=24 * 31))
# How long rows that are not clinical, financial or audit rows are stored (docs/retention.md).
HIMS_KEEP_EVENTS = timedelta(days=env.whole_number("HIMS_KEEP_EVENTS_DAYS", default=30, least=7, most=3_650))
HIMS_KEEP_SESSIONS = timedelta(days=env.whole_number("HIMS_KEEP_SESSIONS_DAYS", default=90, least=30, most=3_650))
HIMS_KEEP_NOTIFICATIONS = timedelta(
    days=env.whole_number("HIMS_KEEP_NOTIFICATIONS_DAYS", default=2_557, least=2_192, most=36_500)
)
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # usernames are unique in any case: a constraint on lower(username)
    *("security.W001", "security.W002", "security.W003"),  # they look for Django's middleware by name; ours are subclasses of it
]

CELERY_BROKER_URL = env.broker_url()
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever: a worker outlives any outage of Redis
# Tasks share a database connection (by default each opens one); `hims.celery` checks it before each task.
CELERY_DB_REUSE_MAX = 1_000_000_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # workers log like all processes: one line, secrets masked
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 2,
    "socket_connect_timeout": 1,
    "visibility_timeout": 300,
    # Sending a task to a dead broker fails at once (by default after six seconds), because the outbox does not need the broker.
    **{"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0},
}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_BEAT_SCHEDULE = domain.beat_schedule(HIMS_APPS)

# Mail: sent by workers, never within a request (`apps.notifications.mail.mailer`).
globals().update(env.email())
EMAIL_TIMEOUT = 5  # seconds to wait for a mail server at each step
DEFAULT_FROM_EMAIL = env.mail_from(CLINIC_NAME)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "apps.common.logs.LineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"django.server": {"level": "WARNING"}, "django.request": {"level": "ERROR"}},
}
