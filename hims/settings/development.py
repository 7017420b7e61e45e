"""A developer's own machine: traces in the console, embedded servers, no sample data."""

from hims import env
from hims.settings.base import *  # noqa: F403

DEBUG = env.read.bool("HIMS_DEBUG", default=False)
SECRET_KEY = env.read.str("HIMS_SECRET_KEY", default="development-only-" + "0" * 40)
HIMS_JWT_KEY = env.read.str("HIMS_JWT_KEY", default="development-only-signing-key-" + "0" * 40)
