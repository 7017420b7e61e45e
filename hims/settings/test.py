"""Tests: the sandbox's apps on real servers, a cheap password hash, connections that end with the request."""

import os

from hims.launch import paths

os.environ.setdefault("HIMS_ENV", "test")  # read when the settings below are

# A worker of pytest-xdist has servers of its own, below the common data folder. Its name is removed from the environment:
# what its tests start stays in this folder, or in the one they name.
if _worker := os.environ.pop("PYTEST_XDIST_WORKER", ""):
    os.environ["HIMS_DATA_DIR"] = str(paths.data_dir() / _worker)

from hims.settings.sandbox import *  # noqa: F403
from hims.settings.sandbox import DATABASES, HIMS_DATA_DIR, MIDDLEWARE

DATABASES["default"]["CONN_MAX_AGE"] = 0
# Django empties every table between tests. Only the audit log's tables refuse that, unless the connection names itself as upkeep.
DATABASES["default"]["OPTIONS"]["options"] += " -c hims.audit_upkeep=TRUNCATE"
HIMS_AUDIT_ANCHOR_FILE = str(HIMS_DATA_DIR / "audit" / "anchors.jsonl")  # never one that .env names: every test begins without
PASSWORD_HASHERS = ["apps.accounts.passwords.hashers.CheapArgon2id"]
HIMS_RATE_LIMIT_SCALE = 1.0
MIDDLEWARE = ["hims.tests.declared_replies.DeclaredReplies", *MIDDLEWARE]
WHITENOISE_AUTOREFRESH = True  # finds a static file when a request asks for it; else every test client lists them all
