"""Production: a clinic. `hims.production` refuses to boot an unsafe configuration, named in `base`."""

from hims import env
from hims.settings.base import *  # noqa: F403

DEBUG = False
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
