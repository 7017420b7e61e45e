"""Staging: the rules of production."""

from hims.settings.production import *  # noqa: F403
