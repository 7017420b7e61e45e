"""A developer's machine: tracebacks in the console, embedded servers, no sample data."""

from hims import env
from hims.settings.base import *  # noqa: F403

DEBUG = env.read.bool("HIMS_DEBUG", default=False)
