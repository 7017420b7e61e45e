"""A vital sign that calls the doctor: in the reply, on every page, in the queue, with its history; and a patient who is ready."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser, hire
from apps.appointments.models import Appointment
from apps.audit.models import AuditEvent
from apps.common import clinic_times, clock
from apps.common.errors import Forbidden
from apps.consultations import services
from apps.consultations.models import ConsultationStatusChange, VitalAlert
from apps.consultations.services import Acknowledged, AlreadyReady, Incomplete, NotOpen
from apps.consultations.tests.factories import booked, fill, save, start_consultation
from apps.events.models import OutboxEvent
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db

CRITICAL = {"bp": "210/130", "spo2": 88}
NORMAL = {"bp": "130/80", "spo2": 97}
WORKFLOWS = pytest.mark.parametrize("workflow", ["adaptive", "standard", "quick"])


def nurse_visit(staff: dict[str, User], workflow: str = "adaptive") -> Any:
    """A visit that the nurse began for the booked doctor; the first step is saved."""
    appointment = booked(register_patient(), staff["doctor"])
    visit = start_consultation(staff["doctor"], appointment.patient, workflow, by=staff["nurse"], appointment_id=appointment.pk)
    return save(staff["nurse"], visit, 0)


def put(user: User, visit: Any, number: int, data: dict[str, Any], **more: Any) -> Any:
    return api_client(user).put(f"/consultations/{visit.row.pk}/step", {"step_number": number, "step_data": data} | more)


def queue(user: User) -> dict[str, Any]:
    queue_data: dict[str, Any] = api_client(user).get("/queue").json()["data"]
    return queue_data


def since(instant: str) -> str:
    """Returns the time of an instant of the API as the pages write it."""
    return clinic_times.clock_time(datetime.fromisoformat(instant))


def facts(name: str) -> list[dict[str, Any]]:
    return list(OutboxEvent.objects.filter(name=name).order_by("id").values_list("payload", flat=True))


@WORKFLOWS
def test_a_nurse_who_enters_210_130_and_88_percent_sees_the_alert_and_calls_the_doctor(
    staff: dict[str, User], workflow: str
) -> None:
    visit = nurse_visit(staff, workflow)
    reply = put(staff["nurse"], visit, 1, CRITICAL).json()
    alerts = {alert["rule_id"]: alert for alert in reply["data"]["consultation"]["alerts"]}
    assert set(alerts) == {"redflag.pressure", "redflag.oxygen"}
    assert all(alert["urgent"] and alert["acknowledged"] is None for alert in alerts.values())
    assert "not been reviewed" in reply["data"]["consultation"]["rules_note"]
    assert [(one["code"], one["field"]) for one in reply["warnings"]] == [("vital_alert", "step_data.vitals")] * 2
    assert "210/130" in reply["warnings"][0]["message"]
    (raised,) = facts("consultation.alert_raised")
    assert (raised["doctor_id"], set(raised["rule_ids"])) == (str(staff["doctor"].pk), set(alerts))
    assert not {"210", "130", "88", "210/130"} & {str(value) for value in raised.values()}  # an id may contain these digits
    assert AuditEvent.objects.filter(action="consultation.alert_raised").exists()


@WORKFLOWS
def test_the_queue_row_is_marked_until_a_doctor_acknowledges(staff: dict[str, User], workflow: str) -> None:
    visit = nurse_visit(staff, workflow)
    assert queue(staff["nurse"])["queue"] == []
    put(staff["nurse"], visit, 1, CRITICAL)
    for reader in ("doctor", "nurse", "receptionist"):
        data = queue(staff[reader])
        (row,) = data["queue"]
        assert (row["appointment_id"], row["status"]) == (str(visit.row.appointment_id), "in_progress")
        assert row["alert_since"] is not None
        assert (data["summary"]["alerts"], data["summary"]["waiting"]) == (1, 0)
        assert data["summary"]["longest_wait_minutes"] is None
    shown = browser(staff["receptionist"]).get("/admin/queue/").content.decode()
    assert f"Alert: vital signs, {since(row['alert_since'])}" in shown
    assert "210/130" not in shown
    one, other = (alert["id"] for alert in save(staff["doctor"], visit, 2).alerts)
    put(staff["doctor"], visit, 2, {}, acknowledged_alerts=[{"id": one, "reason": "Repeated: 150/90"}])
    assert len(queue(staff["doctor"])["queue"]) == 1
    put(staff["doctor"], visit, 2, {}, acknowledged_alerts=[{"id": other, "reason": "Oxygen given"}])
    assert queue(staff["doctor"])["queue"] == []


def test_those_with_an_alert_stand_in_front_of_those_who_are_ready_and_those_who_wait(staff: dict[str, User]) -> None:
    waits = booked(register_patient("Wal", "Waits"), staff["doctor"], minutes_ahead=60)
    api_client(staff["receptionist"]).post(f"/appointments/{waits.pk}/check-in", {"early": True})
    ready = booked(register_patient("Rea", "Ready"), staff["doctor"], minutes_ahead=30)
    begun = start_consultation(staff["doctor"], ready.patient, by=staff["nurse"], appointment_id=ready.pk, early=True)
    services.ready(by=staff["nurse"], consultation_id=begun.row.pk)
    put(staff["nurse"], nurse_visit(staff), 1, CRITICAL)
    data = queue(staff["doctor"])
    assert [(row["position"], row["patient_name"]) for row in data["queue"]] == [
        (1, "John Doe"),
        (2, "Rea Ready"),
        (3, "Wal Waits"),
    ]
    assert [row["status"] for row in data["queue"]] == ["in_progress", "in_progress", "checked_in"]
    numbers = data["summary"]
    assert (numbers["waiting"], numbers["in_progress"], numbers["alerts"], numbers["ready"]) == (1, 2, 1, 1)
    assert data["pagination"]["total"] == 3


def test_an_unchanged_value_calls_once_and_another_one_again(staff: dict[str, User]) -> None:
    visit = nurse_visit(staff)
    put(staff["nurse"], visit, 1, CRITICAL)
    put(staff["nurse"], visit, 1, CRITICAL)
    put(staff["nurse"], visit, 1, {"pulse": 90})
    put(staff["nurse"], visit, 2, {"chief_complaint": "Headache"})
    assert len(facts("consultation.alert_raised")) == 1
    put(staff["nurse"], visit, 1, {"bp": "220/130"})
    assert [fact["rule_ids"] for fact in facts("consultation.alert_raised")[1:]] == [["redflag.pressure"]]


@WORKFLOWS
def test_a_normal_value_clears_the_mark_and_the_history_stays(staff: dict[str, User], workflow: str) -> None:
    visit = nurse_visit(staff, workflow)
    put(staff["nurse"], visit, 1, CRITICAL)
    reply = put(staff["nurse"], visit, 1, NORMAL).json()
    assert (reply["data"]["consultation"]["alerts"], "warnings" in reply) == ([], False)
    assert queue(staff["doctor"])["queue"] == []
    assert Appointment.objects.get(pk=visit.row.appointment_id).alert_since is None
    history = VitalAlert.objects.filter(consultation=visit.row)
    assert [(one.rule_id, one.raised_by, one.cleared_by) for one in history] == [
        (rule, staff["nurse"], staff["nurse"]) for rule in ("redflag.pressure", "redflag.oxygen")
    ]
    assert len(facts("consultation.alert_cleared")[0]["alert_ids"]) == 2


def test_an_alert_that_comes_back_calls_and_is_acknowledged_anew(staff: dict[str, User]) -> None:
    visit = nurse_visit(staff)
    (first,) = put(staff["nurse"], visit, 1, {"bp": "210/130"}).json()["data"]["consultation"]["alerts"]
    put(staff["doctor"], visit, 2, {"chief_complaint": "Dizzy"}, acknowledged_alerts=[{"id": first["id"], "reason": "Treated"}])
    put(staff["nurse"], visit, 1, {"bp": "130/80"})
    (again,) = put(staff["nurse"], visit, 1, {"bp": "210/130"}).json()["data"]["consultation"]["alerts"]
    assert (again["id"] != first["id"], again["acknowledged"]) == (True, None)
    assert len(facts("consultation.alert_raised")) == 2
    assert len(queue(staff["doctor"])["queue"]) == 1
    (kept,) = put(staff["nurse"], visit, 3, {"allergies_reviewed": True}).json()["data"]["consultation"]["alerts"]
    assert kept["id"] == again["id"]


def test_a_nurse_cannot_acknowledge_what_calls_the_doctor(staff: dict[str, User]) -> None:
    visit = nurse_visit(staff)
    (alert,) = put(staff["nurse"], visit, 1, {"spo2": 88}).json()["data"]["consultation"]["alerts"]
    acknowledged = [{"id": alert["id"], "reason": "Cold hands"}]
    refused = put(staff["nurse"], visit, 1, {}, acknowledged_alerts=acknowledged)
    assert (refused.status_code, refused.json()["error"]["details"]["field"]) == (403, "acknowledged_alerts[0].id")
    assert put(staff["doctor"], visit, 1, {}, acknowledged_alerts=acknowledged).status_code == 200


@WORKFLOWS
def test_no_visit_is_signed_with_an_alert_that_no_doctor_acknowledged(staff: dict[str, User], workflow: str) -> None:
    visit = nurse_visit(staff, workflow)
    visit = fill(staff["doctor"], save(staff["nurse"], visit, 1, CRITICAL))
    with pytest.raises(Incomplete) as refused:
        services.complete(by=staff["doctor"], consultation_id=visit.row.pk)
    answers = [Acknowledged(id=alert["id"], reason="Referred") for alert in refused.value.details["alerts"]]
    assert len(answers) == 2
    services.complete(by=staff["doctor"], consultation_id=visit.row.pk, acknowledged=answers)
    assert Appointment.objects.get(pk=visit.row.appointment_id).alert_since is None


def test_what_the_doctor_enters_marks_nothing(staff: dict[str, User]) -> None:
    visit = nurse_visit(staff)
    put(staff["doctor"], visit, 1, CRITICAL)
    assert queue(staff["doctor"])["queue"] == []


def test_an_alert_stays_in_the_queue_when_the_visit_is_given_up_and_goes_with_the_next_one(staff: dict[str, User]) -> None:
    visit = nurse_visit(staff)
    put(staff["nurse"], visit, 1, CRITICAL)
    services.cancel(by=staff["nurse"], consultation_id=visit.row.pk, reason="Begun in the wrong room")
    (row,) = queue(staff["doctor"])["queue"]
    assert (row["status"], row["alert_since"] is not None) == ("checked_in", True)
    start_consultation(staff["doctor"], visit.row.patient, appointment_id=visit.row.appointment_id)
    assert queue(staff["doctor"])["queue"] == []


def test_a_handed_over_visit_that_is_given_up_waits_for_the_booked_doctor_again(staff: dict[str, User]) -> None:
    visit, other = nurse_visit(staff), hire("dr.other", "doctor", last_name="Okafor")
    put(staff["nurse"], visit, 1, CRITICAL)
    services.hand_over(by=staff["doctor"], consultation_id=visit.row.pk, doctor_id=other.pk)
    services.cancel(by=other, consultation_id=visit.row.pk)
    assert queue(other)["queue"] == []
    (row,) = queue(staff["doctor"])["queue"]
    assert (row["status"], row["doctor_id"], row["alert_since"] is not None) == ("checked_in", str(staff["doctor"].pk), True)


def test_a_visit_that_comes_back_to_the_booked_doctor_is_in_their_queue(staff: dict[str, User]) -> None:
    visit, other = nurse_visit(staff), hire("dr.other", "doctor", last_name="Okafor")
    put(staff["nurse"], visit, 1, CRITICAL)
    services.hand_over(by=staff["doctor"], consultation_id=visit.row.pk, doctor_id=other.pk)
    services.hand_over(by=other, consultation_id=visit.row.pk, doctor_id=staff["doctor"].pk)
    assert (len(queue(staff["doctor"])["queue"]), queue(other)["queue"]) == (1, [])
    assert Appointment.objects.get(pk=visit.row.appointment_id).attending_doctor is None


def test_an_alert_that_the_former_doctor_entered_is_marked_for_the_next_one(staff: dict[str, User]) -> None:
    visit, other = nurse_visit(staff), hire("dr.other", "doctor", last_name="Okafor")
    put(staff["doctor"], visit, 1, CRITICAL)
    assert queue(staff["doctor"])["queue"] == []
    services.hand_over(by=staff["doctor"], consultation_id=visit.row.pk, doctor_id=other.pk)
    (row,) = queue(other)["queue"]
    assert row["alert_since"] is not None
    services.complete(by=other, consultation_id=visit.row.pk, override_incomplete=True, reason="Sent to hospital")
    done = Appointment.objects.get(pk=visit.row.appointment_id)
    assert (done.status, done.attending_doctor, done.alert_since, done.doctor) == ("completed", None, None, staff["doctor"])


@pytest.mark.parametrize("columns", [{"alert_id": "a1"}, {"alert_id": "a2", "cleared_at": clock.now() - timedelta(days=1)}])
def test_the_database_keeps_the_history_of_alerts_whole(staff: dict[str, User], columns: dict[str, Any]) -> None:
    row = nurse_visit(staff).row
    alert = {"consultation": row, "rule_id": "r", "because": "b", "message": "m"}
    VitalAlert.objects.create(alert_id="a1", **alert)
    with pytest.raises(IntegrityError, match="vital_alert"), transaction.atomic():
        VitalAlert.objects.create(**alert, **columns)


# --- ready for the doctor


def test_a_nurse_hands_a_patient_to_the_doctor_who_sees_it_in_the_queue(staff: dict[str, User]) -> None:
    visit = nurse_visit(staff)
    address = f"/consultations/{visit.row.pk}/ready"
    shown = api_client(staff["nurse"]).post(address).json()["data"]["consultation"]
    assert (shown["ready_at"] is not None, shown["ready_by"]) == (True, str(staff["nurse"].pk))
    (row,) = queue(staff["doctor"])["queue"]
    assert (row["status"], row["alert_since"], row["ready_since"]) == ("in_progress", None, shown["ready_at"])
    page = browser(staff["doctor"]).get("/admin/queue/").content.decode()
    assert f"Ready for the doctor since {since(row['ready_since'])}" in page
    assert [fact["ready_at"] is not None for fact in facts("consultation.ready")] == [True]
    assert AuditEvent.objects.filter(action="consultation.ready").exists()
    assert ConsultationStatusChange.objects.filter(
        consultation=visit.row, reason="Ready for the doctor", by=staff["nurse"]
    ).exists()
    again = api_client(staff["nurse"]).post(address)
    assert (again.status_code, "ready_at" in again.json()["error"]["details"]) == (409, True)


def test_a_patient_is_no_longer_ready_once_the_doctor_is_at_work(staff: dict[str, User]) -> None:
    visit = nurse_visit(staff)
    services.ready(by=staff["nurse"], consultation_id=visit.row.pk)
    save(staff["nurse"], visit, 3)
    assert len(queue(staff["doctor"])["queue"]) == 1
    assert save(staff["doctor"], visit, 2).row.ready_at is None
    assert queue(staff["doctor"])["queue"] == []
    assert services.ready(by=staff["nurse"], consultation_id=visit.row.pk).row.ready_at is not None


def test_only_a_nurse_hands_over_and_only_a_visit_that_goes_on(staff: dict[str, User]) -> None:
    visit = nurse_visit(staff)
    for role in ("doctor", "receptionist", "billing"):
        assert api_client(staff[role]).post(f"/consultations/{visit.row.pk}/ready").status_code == 403
    with pytest.raises(Forbidden):
        services.ready(by=staff["doctor"], consultation_id=visit.row.pk)
    services.hold(by=staff["nurse"], consultation_id=visit.row.pk)
    with pytest.raises(NotOpen):
        services.ready(by=staff["nurse"], consultation_id=visit.row.pk)
    services.resume(by=staff["nurse"], consultation_id=visit.row.pk)
    services.ready(by=staff["nurse"], consultation_id=visit.row.pk)
    with time_machine.travel(clock.now() + timedelta(minutes=1)), pytest.raises(AlreadyReady):
        services.ready(by=staff["nurse"], consultation_id=visit.row.pk)
