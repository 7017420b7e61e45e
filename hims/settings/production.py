"""The clinic itself. Half-configured, it refuses to boot."""

import os

from django.core.exceptions import ImproperlyConfigured

from hims import env
from hims.settings.base import *  # noqa: F403
from hims.settings.base import HIMS_JWT_KEY, SECRET_KEY

_LEVERS = (
    "HIMS_RATE_LIMIT_SCALE",
    "HIMS_WEBHOOK_TIME_SCALE",
    "HIMS_WEBHOOK_ALLOW_CIDRS",
    "HIMS_SESSION_IDLE_SECONDS",
    "HIMS_DEBUG",
)
_pulled = [lever for lever in _LEVERS if lever in os.environ]
if _pulled and env.name() == "production":
    raise ImproperlyConfigured(f"{', '.join(_pulled)}: levers for tests are refused in production. Unset them.")

DEBUG = False
if SECRET_KEY == HIMS_JWT_KEY:
    raise ImproperlyConfigured("HIMS_JWT_KEY must differ from HIMS_SECRET_KEY.")
env.required("DATABASE_URL", because="production has no embedded database.")
env.required("REDIS_URL", because="production has no embedded Redis.")
ALLOWED_HOSTS = env.read.list("HIMS_ALLOWED_HOSTS", default=[])
if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("HIMS_ALLOWED_HOSTS must name the host names this installation answers to, without '*'.")

SESSION_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-hims"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_SSL_REDIRECT = False  # the proxy in front ends TLS; /v1 never redirects
WHITENOISE_USE_FINDERS = False
STATIC_ROOT = env.BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if env.read.bool("HIMS_BEHIND_TLS_PROXY", default=True):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
