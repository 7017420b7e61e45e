"""Production's rules on a rehearsal machine."""

from hims.settings.production import *  # noqa: F403
