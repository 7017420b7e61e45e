"""The audit rows of conditional reads: one in ten minutes for an unchanged record."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from apps.common import redis_client
from apps.rest import audit_log, conditional_reads
from apps.rest.tests.callers import Caller, KeptAuditLog, user

pytestmark = pytest.mark.usefixtures("log")

PATIENT, OTHER = uuid4(), uuid4()
ANN = user("nurse")


def read(by: Caller = ANN, action: str = "patient.read", patient: UUID | None = PATIENT, row: UUID | None = None) -> None:
    conditional_reads.record_not_modified(by, action, patient_id=patient, object_id=row, who=f"user:{by.id}", step=2)


def test_a_record_that_is_read_again_and_again_is_one_row(log: KeptAuditLog) -> None:
    for _ in range(3):
        read()
    (row,) = log.rows
    assert (row["by"], row["action"], row["patient_id"], row["not_modified"], row["step"]) == (
        ANN,
        "patient.read",
        PATIENT,
        True,
        2,
    )


@pytest.mark.parametrize(
    "other",
    [
        {"by": user("nurse")},
        {"by": Caller(id=ANN.id, role="nurse", session_id="another")},
        {"action": "patient.listed"},
        {"patient": OTHER},
        {"patient": None},
        {"row": OTHER},
    ],
)
def test_another_caller_session_action_or_record_is_a_row_of_its_own(log: KeptAuditLog, other: dict[str, Any]) -> None:
    read()
    read(**other)
    read(**other)
    assert len(log.rows) == 2


def test_the_row_is_remembered_for_ten_minutes() -> None:
    read()
    (key,) = redis_client.run(lambda client: client.keys("hims:unchanged:*"))
    assert 590 < redis_client.run(lambda client: client.ttl(key)) <= 600


def test_without_redis_every_read_is_a_row(log: KeptAuditLog, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    read()
    read()
    assert len(log.rows) == 2


def test_a_row_that_could_not_be_written_is_written_the_next_time(log: KeptAuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    class FullAuditLog:
        def record(self, **_: Any) -> UUID:
            raise OSError("no space")

    with monkeypatch.context() as broken:
        broken.setattr(audit_log, "_log", FullAuditLog())
        with pytest.raises(OSError, match="no space"):
            read()
    read()
    assert len(log.rows) == 1
