"""What the database refuses to every caller: the triggers and constraints, tested without the service."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from apps.accounts.models import User
from apps.common import clock
from apps.consultations import services
from apps.consultations.models import Acknowledgement, Addendum, Consultation, StepSave
from apps.consultations.tests.factories import booked, fill, save, signed, start_consultation
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


def refuses(act: Callable[[], Any], *words: str) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        act()
    assert all(word in str(refused.value) for word in words), str(refused.value)


def sql(statement: str, *values: Any) -> Callable[[], None]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)

    return run


@pytest.mark.parametrize(
    "change",
    [
        "status = 'in_progress', completed_at = NULL, signed_by_id = NULL, content_sha256 = ''",
        "override_reason = 'other'",
        "guidance = '{\"prompts\": []}'",
        "doctor_id = signed_by_id, started_at = now() - interval '1 day'",
        "current_step = 3",
        "status = 'completed', version = version + 1",
    ],
)
def test_an_update_of_a_signed_visit_by_sql_fails(staff: dict[str, User], change: str) -> None:
    visit = signed(staff["doctor"], register_patient())
    update = f"UPDATE consultations_consultation SET {change} WHERE id = %s"
    refuses(sql(update, visit.row.pk), "stays as it was signed")
    amended = services.add(by=staff["doctor"], consultation_id=visit.row.pk, text="More")
    refuses(sql(update, amended.row.pk))


def test_a_cancelled_visit_stays_as_it_is(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    services.cancel(by=staff["doctor"], consultation_id=visit.row.pk)
    refuses(sql("UPDATE consultations_consultation SET status = 'in_progress', cancelled_at = NULL WHERE id = %s", visit.row.pk))
    refuses(sql("UPDATE consultations_consultation SET status = 'amended' WHERE id = %s", visit.row.pk))


def test_no_visit_is_deleted(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    refuses(sql("DELETE FROM consultations_consultation WHERE id = %s", visit.row.pk), "never deleted")


@pytest.mark.parametrize("table", ["stepsave", "addendum", "consultationstatuschange", "acknowledgement"])
def test_what_was_written_once_is_neither_changed_nor_removed(staff: dict[str, User], table: str) -> None:
    doctor = staff["doctor"]
    visit = save(doctor, start_consultation(doctor, register_patient()), 1, {"bp": "190/125"})
    visit = fill(doctor, visit)
    acknowledged = [services.Acknowledged(id=alert["id"], reason="Seen") for alert in visit.alerts]
    services.complete(by=doctor, consultation_id=visit.row.pk, acknowledged=acknowledged)
    services.add(by=doctor, consultation_id=visit.row.pk, text="More")
    for statement in (f"UPDATE consultations_{table} SET id = id", f"DELETE FROM consultations_{table}"):
        refuses(sql(statement), "only added to")


def test_no_step_is_saved_behind_a_signature(staff: dict[str, User]) -> None:
    visit = signed(staff["doctor"], register_patient())
    late = StepSave(consultation=visit.row, number=7, version=9, state="completed", data={"plan": "Other"})
    refuses(late.save, "steps stay as they are")
    refuses(Acknowledgement(consultation=visit.row, alert_id="a", rule_id="r", because="b", reason="c").save)


def test_an_addendum_follows_a_signature(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    refuses(Addendum(consultation=visit.row, text="Too early").save, "follows a signature")
    over = signed(staff["doctor"], register_patient())
    refuses(Addendum(consultation=over.row, text="  ").save, "addendum_says_something")


def test_an_appointment_has_one_live_visit_even_by_raw_sql(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    appointment = booked(patient, doctor)
    start_consultation(doctor, patient, appointment_id=appointment.pk)
    twin = Consultation(patient=patient, doctor=doctor, appointment=appointment, workflow_type="quick")
    refuses(lambda: twin.save(force_insert=True), "consultation_one_live_of_appointment")


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"status": "paused"}, "consultation_status_known"),
        ({"workflow_type": "free"}, "consultation_workflow_known"),
        ({"current_step": 11}, "consultation_step_exists"),
        ({"status": "completed"}, "consultation_signed_whole"),
        ({"override_reason": "x"}, "consultation_signed_whole"),
        ({"status": "cancelled"}, "consultation_cancelled_whole"),
        ({"workflow_type": "adaptive"}, "consultation_guided_by_a_version"),
        ({"rule_version": "1"}, "consultation_guided_by_a_version"),
    ],
)
def test_a_visit_is_whole(staff: dict[str, User], columns: dict[str, Any], constraint: str) -> None:
    row = Consultation(**{"patient": register_patient(), "doctor": staff["doctor"], "workflow_type": "quick", **columns})
    refuses(lambda: row.save(force_insert=True), constraint)


def test_a_visit_does_not_end_before_it_begins(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient(), "quick")
    early = "status = 'completed', completed_at = started_at - interval '1 s', content_sha256 = %s"
    refuses(sql(f"UPDATE consultations_consultation SET {early}", "0" * 64), "consultation_ends_later")
    assert visit.row.started_at <= clock.now()


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"number": 11}, "step_save_step_exists"),
        ({"version": 0}, "step_save_version_counts"),
        ({"state": "skipped"}, "step_save_state_known"),
        ({"number": 2, "version": 1}, "step_save_version_once"),
    ],
)
def test_a_save_is_whole(staff: dict[str, User], columns: dict[str, Any], constraint: str) -> None:
    visit = save(staff["doctor"], start_consultation(staff["doctor"], register_patient()), 2)
    row = StepSave(**{"consultation": visit.row, "number": 7, "version": 1, "state": "completed", **columns})
    refuses(lambda: row.save(force_insert=True), constraint)


def test_the_signature_is_of_the_steps_as_they_stand(staff: dict[str, User]) -> None:
    visit = signed(staff["doctor"], register_patient())
    rows = {save.number: save for save in StepSave.objects.filter(consultation=visit.row)}
    stored = Consultation.objects.get(pk=visit.row.pk).content_sha256
    assert services.content_sha256(visit.row.pk, rows.values()) == stored
    rows[7].data = {"plan": "Something else"}
    assert services.content_sha256(visit.row.pk, rows.values()) != stored
