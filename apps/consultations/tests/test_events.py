"""What each write of a consultation announces, audits and adds to its history, field by field."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.appointments.models import Appointment
from apps.audit.models import AuditEvent
from apps.common.errors import HimsError
from apps.consultations import selectors, services
from apps.consultations.models import Acknowledgement, Addendum, Consultation, ConsultationStatusChange, VitalAlert
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services import Acknowledged
from apps.consultations.tests.factories import booked, fill, save, start_consultation
from apps.events.models import OutboxEvent
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db

CRITICAL = {"bp": "210/130"}


@pytest.fixture
def visit(staff: dict[str, User]) -> ConsultationDetails:
    """A visit with an appointment that the nurse started for its doctor."""
    appointment = booked(register_patient(), staff["doctor"])
    return start_consultation(
        staff["doctor"], appointment.patient, by=staff["nurse"], appointment_id=appointment.pk, workflow="adaptive"
    )


def announced(name: str) -> dict[str, Any]:
    """The payload of the latest event of this name."""
    payload: dict[str, Any] = OutboxEvent.objects.filter(name=f"consultation.{name}").latest("id").payload
    return payload


def wire(value: Any) -> Any:
    """A time as the outbox stores it."""
    return value.isoformat().replace("+00:00", "Z")


def about(visit: ConsultationDetails, status: str = "in_progress", **fields: Any) -> dict[str, Any]:
    """The fields that every event of the visit has, and its own."""
    row = visit.row
    return {
        "consultation_id": str(row.pk),
        "patient_id": str(row.patient_id),
        "doctor_id": str(row.doctor_id),
        "appointment_id": str(row.appointment_id) if row.appointment_id else None,
        "status": status,
        **fields,
    }


def same(payload: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Whether the payload has exactly these fields; times are compared to the millisecond, as the outbox stores them."""
    return {name: _short(value) for name, value in payload.items()} == {name: _short(value) for name, value in expected.items()}


def _short(value: Any) -> Any:
    return value[:23] if isinstance(value, str) and value[10:11] == "T" else value


def test_a_start_announces_who_entered_it_for_which_doctor(staff: dict[str, User], visit: ConsultationDetails) -> None:
    row = visit.row
    expected = about(visit, workflow_type="adaptive", started_at=wire(row.started_at), entered_by_id=str(staff["nurse"].pk))
    assert same(announced("started"), expected)


@pytest.mark.parametrize(
    ("number", "data", "completed", "version", "state"),
    [
        (2, {"symptoms": [{"description": "Cough"}]}, None, 1, "in_progress"),
        (2, {"chief_complaint": "Cough"}, None, 1, "completed"),
        (7, {"plan": "Rest"}, False, 1, "in_progress"),
    ],
)
def test_a_saved_step_announces_its_version_and_state_and_no_content(
    staff: dict[str, User],
    visit: ConsultationDetails,
    number: int,
    data: dict[str, Any],
    completed: bool | None,
    version: int,
    state: str,
) -> None:
    save(staff["doctor"], visit, number, data, completed=completed)
    expected = about(visit, step_number=number, step_version=version, step_state=state, acknowledged=[])
    assert announced("step_saved") == expected
    save(staff["doctor"], visit, 0)
    save(staff["doctor"], visit, number, data, completed=completed if state == "completed" else None)
    more = save(staff["doctor"], visit, 7, {"plan": "Rest, and a sling"})
    assert announced("step_saved")["step_version"] == more.saves[7].version


def test_an_urgent_value_is_announced_by_rule_and_cleared_by_alert(staff: dict[str, User], visit: ConsultationDetails) -> None:
    (alert,) = save(staff["nurse"], visit, 1, CRITICAL).alerts
    assert announced("alert_raised") == about(visit, rule_ids=["redflag.pressure"], alert_ids=[alert["id"]])
    save(staff["nurse"], visit, 1, {"bp": "120/80"})
    assert announced("alert_cleared") == about(visit, alert_ids=[alert["id"]])


def test_the_history_of_an_alert_says_what_who_and_when(staff: dict[str, User], visit: ConsultationDetails) -> None:
    saved = save(staff["nurse"], visit, 1, CRITICAL)
    (alert,) = saved.alerts
    row = VitalAlert.objects.get()
    assert (row.alert_id, row.rule_id, row.because, row.message) == (
        alert["id"],
        "redflag.pressure",
        "The blood pressure is 210/130, at or above 180/120.",
        "Very high blood pressure: look for organ damage before the patient leaves.",
    )
    assert (row.raised_by, row.cleared_at, row.cleared_by) == (staff["nurse"], None, None)
    save(staff["doctor"], visit, 1, {"bp": "120/80"})
    row.refresh_from_db()
    assert (row.cleared_by, row.cleared_at is not None) == (staff["doctor"], True)


def test_an_alert_that_comes_back_a_third_time_has_a_third_id(staff: dict[str, User], visit: ConsultationDetails) -> None:
    ids = []
    for _ in range(3):
        (alert,) = save(staff["nurse"], visit, 1, CRITICAL).alerts
        ids.append(alert["id"])
        save(staff["nurse"], visit, 1, {"bp": "120/80"})
    assert ids == [ids[0], f"{ids[0]}.2", f"{ids[0]}.3"]
    assert VitalAlert.objects.filter(cleared_at=None).count() == 0


def test_the_mark_in_the_queue_keeps_the_time_of_the_first_alert(staff: dict[str, User], visit: ConsultationDetails) -> None:
    save(staff["nurse"], visit, 1, CRITICAL)
    first = Appointment.objects.get().alert_since
    assert first is not None
    save(staff["nurse"], visit, 1, {"spo2": 85})
    assert Appointment.objects.get().alert_since == first
    assert selectors.vital_alerts(visit.row.pk, ["nothing"]) == []
    assert len(selectors.vital_alerts(visit.row.pk)) == 2


def test_an_acknowledgement_is_stored_with_its_reason_and_announced_once(
    staff: dict[str, User], visit: ConsultationDetails
) -> None:
    (alert,) = save(staff["nurse"], visit, 1, CRITICAL).alerts
    for reason in ("Repeated: 150/90", "Another reason"):
        save(staff["doctor"], visit, 2, acknowledged=[Acknowledged(id="redflag.pressure", reason=reason)])
    row = Acknowledgement.objects.get()
    assert (row.alert_id, row.rule_id, row.reason, row.by) == (alert["id"], alert["rule_id"], "Repeated: 150/90", staff["doctor"])
    assert row.because == alert["because"]
    events = OutboxEvent.objects.filter(name="consultation.step_saved").order_by("id").values_list("payload", flat=True)
    assert [event["acknowledged"] for event in events] == [[], ["redflag.pressure"], []]
    assert selectors.vital_alerts(visit.row.pk) == []


def test_the_alert_of_the_value_before_can_be_acknowledged_with_the_new_one(
    staff: dict[str, User], visit: ConsultationDetails
) -> None:
    (alert,) = save(staff["nurse"], visit, 1, CRITICAL).alerts
    after = save(
        staff["doctor"], visit, 1, {"bp": "120/80"}, acknowledged=[Acknowledged(id=alert["id"], reason="Cuff too small")]
    )
    assert (after.alerts, Acknowledgement.objects.get().alert_id) == ([], alert["id"])


def test_a_nurse_acknowledges_an_alert_that_does_not_call_the_doctor(staff: dict[str, User], visit: ConsultationDetails) -> None:
    (alert,) = save(staff["nurse"], visit, 2, {"chief_complaint": "Slurred speech"}).alerts
    assert alert["urgent"] is False
    save(staff["nurse"], visit, 2, {}, acknowledged=[Acknowledged(id=alert["id"], reason="Always so")])
    assert Acknowledgement.objects.get().by == staff["nurse"]


def test_a_signature_announces_what_was_missing_and_what_was_open(staff: dict[str, User], visit: ConsultationDetails) -> None:
    doctor = staff["doctor"]
    save(staff["nurse"], visit, 1, CRITICAL)
    done = services.complete(
        by=doctor, consultation_id=visit.row.pk, override_incomplete=True, reason=" Sent to hospital ", notify_patient=False
    )
    expected = about(
        visit,
        "completed",
        completed_at=wire(done.row.completed_at),
        signed_by_id=str(doctor.pk),
        chart_entries=2,
        missing_steps=[2, 4, 6],
        open_alerts=["redflag.pressure"],
        notify_patient=False,
    )
    assert same(announced("completed"), expected)
    detail = AuditEvent.objects.get(action="consultation.completed")
    assert (detail.user_id, detail.patient_id, detail.object_id) == (doctor.pk, visit.row.patient_id, visit.row.pk)
    stored = Consultation.objects.get()
    assert (stored.override_reason, stored.signed_by, stored.current_step) == ("Sent to hospital", doctor, 10)
    assert ConsultationStatusChange.objects.latest("id").reason == "Sent to hospital"


def test_a_complete_visit_has_no_override_even_if_one_is_sent(staff: dict[str, User], visit: ConsultationDetails) -> None:
    fill(staff["doctor"], visit)
    services.complete(by=staff["doctor"], consultation_id=visit.row.pk, override_incomplete=True, reason="In case")
    assert Consultation.objects.get().override_reason == ""
    assert (announced("completed")["missing_steps"], announced("completed")["open_alerts"]) == ([], [])


def test_an_open_alert_alone_keeps_a_visit_from_being_signed_and_says_so(
    staff: dict[str, User], visit: ConsultationDetails
) -> None:
    ready = fill(staff["doctor"], save(staff["nurse"], visit, 1, CRITICAL))
    with pytest.raises(services.Incomplete, match=r"^Some alerts have not been acknowledged\.$") as refused:
        services.complete(by=staff["doctor"], consultation_id=visit.row.pk)
    (alert,) = ready.alerts
    assert refused.value.details["alerts"] == [
        {
            "id": alert["id"],
            "rule_id": "redflag.pressure",
            "because": alert["because"],
            "message": alert["message"],
            "urgent": True,
            "acknowledged": None,
            "step_number": 1,
            "step_name": "vitals",
        }
    ]


def test_a_missing_step_is_named_in_the_refusal_of_a_signature(staff: dict[str, User], visit: ConsultationDetails) -> None:
    with pytest.raises(services.Incomplete, match=r"^Not completed yet: 2 symptoms, 6 assessment\.$"):
        services.complete(by=staff["doctor"], consultation_id=visit.row.pk)


def test_the_administrator_who_signs_is_named_and_not_the_doctor(staff: dict[str, User], visit: ConsultationDetails) -> None:
    admin = staff["admin"]
    done = services.complete(by=admin, consultation_id=visit.row.pk, override_incomplete=True, reason="Doctor is ill")
    assert (done.row.signed_by_id, done.saves[10].saved_by_id) == (admin.pk, admin.pk)
    assert announced("completed")["signed_by_id"] == str(admin.pk)
    services.add(by=admin, consultation_id=visit.row.pk, text="  The patient called \n")
    addendum = Addendum.objects.get()
    assert (addendum.text, addendum.signed_by) == ("The patient called", admin)
    assert announced("amended") == about(visit, "amended", addendum_id=str(addendum.pk))


@pytest.mark.parametrize(
    ("act", "name", "status", "by"),
    [
        (lambda by, pk: services.hold(by=by, consultation_id=pk, reason=" X-ray "), "held", "on_hold", "nurse"),
        (lambda by, pk: services.cancel(by=by, consultation_id=pk, reason=" X-ray "), "cancelled", "cancelled", "nurse"),
    ],
)
def test_a_pause_and_an_end_are_announced_audited_and_in_the_history(
    staff: dict[str, User], visit: ConsultationDetails, act: Callable[..., Any], name: str, status: str, by: str
) -> None:
    before = visit.row.version
    after = act(staff[by], visit.row.pk)
    assert announced(name) == about(visit, status)
    line = ConsultationStatusChange.objects.latest("id")
    assert (line.from_status, line.to_status, line.reason, line.by) == ("in_progress", status, "X-ray", staff[by])
    assert (line.from_doctor, line.to_doctor) == (None, staff["doctor"])
    row = AuditEvent.objects.get(action=f"consultation.{name}")
    assert (row.user_id, row.outcome, row.object_id, row.patient_id) == (
        *(staff[by].pk, "success", visit.row.pk, visit.row.patient_id),
    )
    assert (after.row.version, Consultation.objects.get().version) == (before + 1, before + 1)


def test_a_resumed_visit_says_so(staff: dict[str, User], visit: ConsultationDetails) -> None:
    services.hold(by=staff["nurse"], consultation_id=visit.row.pk)
    services.resume(by=staff["doctor"], consultation_id=visit.row.pk)
    assert announced("resumed") == about(visit)
    assert [(line.from_status, line.to_status) for line in ConsultationStatusChange.objects.order_by("id")] == [
        ("", "in_progress"),
        ("in_progress", "on_hold"),
        ("on_hold", "in_progress"),
    ]


@pytest.mark.parametrize("paused", [False, True])
def test_a_handover_names_both_doctors(staff: dict[str, User], colleague: User, visit: ConsultationDetails, paused: bool) -> None:
    doctor = staff["doctor"]
    if paused:
        services.hold(by=doctor, consultation_id=visit.row.pk)
    after = services.hand_over(by=doctor, consultation_id=visit.row.pk, doctor_id=colleague.pk, reason=" End of the shift ")
    status = "on_hold" if paused else "in_progress"
    assert announced("handed_over") == about(after, status, from_doctor_id=str(doctor.pk))
    assert announced("handed_over")["doctor_id"] == str(colleague.pk)
    line = ConsultationStatusChange.objects.latest("id")
    assert (line.from_doctor, line.to_doctor, line.reason, line.by) == (doctor, colleague, "End of the shift", doctor)
    assert Appointment.objects.get().doctor == doctor
    assert AuditEvent.objects.filter(action="consultation.handed_over", object_id=visit.row.pk).count() == 1


def test_a_visit_is_handed_over_to_another_active_doctor_only(staff: dict[str, User], visit: ConsultationDetails) -> None:
    doctor = staff["doctor"]
    for other, issue in (
        (doctor.pk, "The consultation already belongs to this doctor."),
        (staff["nurse"].pk, "There is no such doctor here."),
    ):
        with pytest.raises(HimsError) as refused:
            services.hand_over(by=doctor, consultation_id=visit.row.pk, doctor_id=other)
        assert (refused.value.details["field"], refused.value.details["issue"]) == ("doctor_id", issue)
    services.cancel(by=doctor, consultation_id=visit.row.pk)
    with pytest.raises(services.NotOngoing) as late:
        services.hand_over(by=doctor, consultation_id=visit.row.pk, doctor_id=staff["admin"].pk)
    assert late.value.details["status"] == "cancelled"


def test_a_patient_who_is_ready_is_announced_with_the_time(staff: dict[str, User], visit: ConsultationDetails) -> None:
    after = services.ready(by=staff["nurse"], consultation_id=visit.row.pk)
    assert same(announced("ready"), about(visit, ready_at=wire(after.row.ready_at)))
    assert (after.row.ready_by_id, Consultation.objects.get().ready_by) == (staff["nurse"].pk, staff["nurse"])
    save(staff["doctor"], visit, 2)
    stored = Consultation.objects.get()
    assert (stored.ready_at, stored.ready_by) == (None, None)


@pytest.mark.parametrize("end", ["complete", "cancel"])
def test_a_visit_that_ended_is_no_longer_ready(staff: dict[str, User], visit: ConsultationDetails, end: str) -> None:
    services.ready(by=staff["nurse"], consultation_id=visit.row.pk)
    if end == "complete":
        services.complete(by=staff["doctor"], consultation_id=visit.row.pk, override_incomplete=True, reason="Left")
    else:
        services.cancel(by=staff["doctor"], consultation_id=visit.row.pk)
    stored, appointment = Consultation.objects.get(), Appointment.objects.get()
    assert (stored.ready_at, stored.ready_by, appointment.ready_since) == (None, None, None)


def test_the_doctor_of_a_visit_cannot_mark_it_as_ready_even_as_an_administrator(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient(), by=SYSTEM, doctor_id=staff["doctor"].pk)  # type: ignore[arg-type]  # as the system
    Consultation.objects.filter(pk=visit.row.pk).update(doctor=staff["admin"])
    with pytest.raises(services.OwnConsultation):
        services.ready(by=staff["admin"], consultation_id=visit.row.pk)


def test_a_refused_write_announces_and_stores_nothing(
    staff: dict[str, User], visit: ConsultationDetails, colleague: User
) -> None:
    counted = (OutboxEvent, ConsultationStatusChange, Acknowledgement, VitalAlert)
    before = [model._default_manager.count() for model in counted]
    pk = visit.row.pk
    for act in (
        lambda: services.hold(by=colleague, consultation_id=pk),
        lambda: services.resume(by=staff["doctor"], consultation_id=pk),
        lambda: services.cancel(by=colleague, consultation_id=pk),
        lambda: services.complete(by=staff["doctor"], consultation_id=pk),
        lambda: services.add(by=staff["doctor"], consultation_id=pk, text="Too early"),
        lambda: services.hand_over(by=colleague, consultation_id=pk, doctor_id=colleague.pk),
        lambda: services.ready(by=staff["doctor"], consultation_id=pk),
        lambda: save(colleague, visit, 1, CRITICAL),
        lambda: save(staff["doctor"], visit, 1, CRITICAL, acknowledged=[Acknowledged(id="nothing", reason="x")]),
    ):
        with pytest.raises(HimsError):
            act()
    assert [model._default_manager.count() for model in counted] == before
    assert Consultation.objects.get().version == visit.row.version
