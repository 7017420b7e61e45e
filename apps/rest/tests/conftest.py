"""What several tests of the kit share."""

import pytest

from apps.rest import audit_log
from apps.rest.tests.callers import KeptAuditLog


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> KeptAuditLog:
    """An audit log that keeps its rows: the real one is an app of a higher floor, which registers itself at the kit's port."""
    kept = KeptAuditLog()
    monkeypatch.setattr(audit_log, "_log", kept)
    return kept
