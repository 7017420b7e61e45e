"""Tests: the sandbox's apps on real servers, a cheap password hash, connections that end with the request."""

import os
from pathlib import Path

os.environ.setdefault("HIMS_ENV", "test")
os.environ.setdefault("HIMS_DATA_DIR", str(Path(__file__).resolve().parent.parent.parent / ".hims-test"))

from hims.settings.sandbox import *  # noqa: F403
from hims.settings.sandbox import DATABASES

DATABASES["default"]["CONN_MAX_AGE"] = 0
PASSWORD_HASHERS = ["apps.accounts.hashers.CheapArgon2id"]
HIMS_RATE_LIMIT_SCALE = 1.0
