"""The port to the audit log."""

import pytest

from apps.rest import audit_log


def test_without_a_registered_log_nothing_is_audited_and_the_request_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "_log", None)
    with pytest.raises(RuntimeError, match=r"install apps\.audit"):
        audit_log.record(by=None, action="lamp.read")


def test_the_audit_log_says_which_right_reads_it() -> None:
    assert audit_log.get().view_permission == "audit.view"
