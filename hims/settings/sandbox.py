"""The toy hospital: sample data, levers for tests, relaxed limits, embedded servers."""

from hims import env
from hims.settings.base import *  # noqa: F403
from hims.settings.base import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "apps.sandbox"]
SECRET_KEY = env.read.str("HIMS_SECRET_KEY", default="sandbox-only-" + "0" * 40)
HIMS_JWT_KEY = env.read.str("HIMS_JWT_KEY", default="sandbox-only-signing-key-" + "0" * 40)
HIMS_RATE_LIMIT_SCALE = env.read.float("HIMS_RATE_LIMIT_SCALE", default=10.0)
