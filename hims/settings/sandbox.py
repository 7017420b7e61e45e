"""The sandbox: sample data, levers for tests, relaxed limits, embedded servers."""

from hims import env
from hims.settings.base import *  # noqa: F403

CLINIC_PHONE = env.read.str("HIMS_CLINIC_PHONE", default="(213) 555-0142")  # 555-01XX is reserved for fiction
HIMS_RATE_LIMIT_SCALE = env.read.float("HIMS_RATE_LIMIT_SCALE", default=10.0)
