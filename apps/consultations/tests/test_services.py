"""A visit from its start to its signature."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.appointments.models import Appointment
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.common.errors import Conflict, Forbidden, Invalid, NotFound
from apps.common.ids import new_id
from apps.consultations import selectors, services
from apps.consultations.models import Consultation, ConsultationStatusChange, StepSave
from apps.consultations.services import (
    AlreadyStarted,
    ChangedSinceRead,
    IllegalMove,
    Incomplete,
    NewConsultation,
    SeenByDoctor,
    StepChanged,
)
from apps.consultations.steps.definitions import Step
from apps.consultations.tests.factories import FILLED, booked, fill, save, signed, start_consultation
from apps.events.models import OutboxEvent
from apps.patients.chart.dates import years_between
from apps.patients.confidentiality.models import CareTeamMember
from apps.patients.models import ChartEntry
from apps.patients.tests.factories import chart, merge, register_patient, restrict
from apps.rest.paging import Page, Total

pytestmark = pytest.mark.django_db


def facts(name: str) -> list[dict[str, Any]]:
    return list(OutboxEvent.objects.filter(name=name).order_by("id").values_list("payload", flat=True))


# --- starting


def test_a_visit_of_an_appointment_checks_the_patient_in_and_takes_the_appointment_along(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    appointment = booked(patient, doctor)
    visit = start_consultation(doctor, patient, appointment_id=appointment.pk)
    appointment.refresh_from_db()
    assert (appointment.status, appointment.checked_in_at is not None) == ("in_progress", True)
    assert (visit.row.doctor_id, visit.row.entered_by_id, visit.row.status) == (doctor.pk, doctor.pk, "in_progress")
    (fact,) = facts("consultation.started")
    assert (fact["appointment_id"], fact["workflow_type"]) == (str(appointment.pk), "adaptive")
    assert AuditEvent.objects.filter(action="consultation.started", patient_id=patient.pk, object_id=visit.row.pk).count() == 1


def test_one_appointment_has_one_live_visit(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    appointment = booked(patient, doctor)
    visit = start_consultation(doctor, patient, appointment_id=appointment.pk)
    with pytest.raises(AlreadyStarted) as refused:
        start_consultation(doctor, patient, appointment_id=appointment.pk)
    assert refused.value.details["consultation_id"] == visit.row.pk


def test_a_signed_appointment_is_over(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    appointment = booked(patient, doctor)
    signed(doctor, patient, appointment_id=appointment.pk)
    appointment.refresh_from_db()
    assert appointment.status == "completed"
    with pytest.raises(Conflict):
        start_consultation(doctor, patient, appointment_id=appointment.pk)


def test_a_cancelled_visit_puts_the_patient_back_into_the_waiting_room_and_can_begin_anew(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    appointment = booked(patient, doctor)
    visit = start_consultation(doctor, patient, appointment_id=appointment.pk)
    services.cancel(by=staff["nurse"], consultation_id=visit.row.pk, reason="Left unseen")
    appointment.refresh_from_db()
    assert appointment.status == "checked_in"
    assert ConsultationStatusChange.objects.filter(consultation=visit.row).order_by("-id")[0].reason == "Left unseen"
    assert start_consultation(doctor, patient, appointment_id=appointment.pk).row.pk != visit.row.pk
    assert len(facts("consultation.cancelled")) == 1


@pytest.mark.parametrize("handed_over", [False, True])
@pytest.mark.parametrize("number", [0, 4])
def test_a_nurse_cancels_no_visit_that_the_doctor_has_worked_on(
    staff: dict[str, User], colleague: User, number: int, handed_over: bool
) -> None:
    doctor, nurse = staff["doctor"], staff["nurse"]
    visit = save(doctor, save(nurse, start_consultation(doctor, register_patient()), 1), number)
    save(nurse, visit, 0, {"identity_confirmed": None})  # a later save hides nothing
    if handed_over:
        services.hand_over(by=doctor, consultation_id=visit.row.pk, doctor_id=colleague.pk)
    with pytest.raises(SeenByDoctor):
        services.cancel(by=nurse, consultation_id=visit.row.pk)
    assert Consultation.objects.get().status == "in_progress"
    done = services.cancel(by=colleague if handed_over else doctor, consultation_id=visit.row.pk)
    assert done.row.status == "cancelled"


def test_a_nurse_cancels_a_visit_with_the_saves_of_nurses_alone(staff: dict[str, User]) -> None:
    visit = fill(staff["nurse"], start_consultation(staff["doctor"], register_patient()), 0, 1, 2, 3)
    assert services.cancel(by=staff["nurse"], consultation_id=visit.row.pk).row.status == "cancelled"


def test_a_nurse_starts_for_the_booked_doctor_and_names_one_for_a_walk_in(staff: dict[str, User]) -> None:
    patient, doctor, nurse = register_patient(), staff["doctor"], staff["nurse"]
    appointment = booked(patient, doctor)
    begun = services.start(by=nurse, new=NewConsultation(patient_id=patient.pk, appointment_id=appointment.pk))
    assert (begun.row.doctor_id, begun.row.entered_by_id) == (doctor.pk, nurse.pk)
    walked_in = services.start(by=nurse, new=NewConsultation(patient_id=patient.pk, doctor_id=doctor.pk))
    assert walked_in.row.doctor_id == doctor.pk
    with pytest.raises(Invalid) as refused:
        services.start(by=nurse, new=NewConsultation(patient_id=patient.pk))
    assert refused.value.details["field"] == "doctor_id"
    with pytest.raises(Invalid):
        services.start(by=nurse, new=NewConsultation(patient_id=patient.pk, doctor_id=nurse.pk))


def test_a_doctor_cannot_start_the_visit_of_another_doctor(staff: dict[str, User], colleague: User) -> None:
    patient = register_patient()
    theirs = booked(patient, colleague)
    for more in ({"doctor_id": colleague.pk}, {"appointment_id": theirs.pk}):
        with pytest.raises(Forbidden):
            start_consultation(staff["doctor"], patient, **more)


def test_the_administrator_starts_a_visit_on_behalf_of_a_doctor(staff: dict[str, User]) -> None:
    patient, admin, doctor = register_patient(), staff["admin"], staff["doctor"]
    visit = services.start(by=admin, new=NewConsultation(patient_id=patient.pk, doctor_id=doctor.pk))
    assert (visit.row.doctor_id, visit.row.entered_by_id) == (doctor.pk, admin.pk)
    with pytest.raises(Invalid):
        services.start(by=admin, new=NewConsultation(patient_id=patient.pk))


def test_what_a_start_names_must_be_there_and_belong_together(staff: dict[str, User]) -> None:
    patient, other, doctor = register_patient(), register_patient("Ann", "Roe"), staff["doctor"]
    elsewhere = booked(other, doctor)
    for field, more in {
        "patient_id": {"patient_id": new_id()},
        "appointment_id": {"patient_id": patient.pk, "appointment_id": new_id()},
    }.items():
        with pytest.raises(Invalid) as refused:
            services.start(by=doctor, new=NewConsultation(**more))
        assert refused.value.details["field"] == field
    with pytest.raises(Invalid) as refused:
        start_consultation(doctor, patient, appointment_id=elsewhere.pk)
    assert refused.value.details["field"] == "appointment_id"


def test_a_visit_puts_its_doctor_on_the_care_team(staff: dict[str, User], colleague: User) -> None:
    patient = register_patient()
    visit = start_consultation(staff["doctor"], patient)
    services.hand_over(by=staff["doctor"], consultation_id=visit.row.pk, doctor_id=colleague.pk)
    team = set(CareTeamMember.objects.filter(patient=patient, because="visit").values_list("user_id", flat=True))
    assert team == {staff["doctor"].pk, colleague.pk}


def test_the_visits_of_a_closed_chart_are_there_for_its_care_team_alone(staff: dict[str, User], colleague: User) -> None:
    patient = register_patient()
    visit = start_consultation(staff["doctor"], patient)
    restrict(patient)
    assert selectors.consultation(staff["doctor"], visit.row.pk)
    for stranger in (colleague, staff["nurse"], staff["admin"]):
        with pytest.raises(NotFound):
            selectors.consultation(stranger, visit.row.pk)
        with pytest.raises(NotFound):
            save(stranger, visit, 0)
        assert selectors.list_page(visible_to=stranger) == Page([], None, Total(0))


# --- saving


def test_every_save_is_a_version_and_none_is_lost(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    save(staff["nurse"], visit, 1, {"bp": "120/80"})
    after = save(staff["doctor"], visit, 1, {"pulse": 71, "bp": "118/79"})
    assert after.saves[1].data == {"bp": "118/79", "pulse": 71}
    kept = StepSave.objects.filter(consultation=visit.row, number=1).order_by("version")
    assert [(one.version, one.data, one.saved_by_id) for one in kept] == [
        (1, {"bp": "120/80"}, staff["nurse"].pk),
        (2, {"bp": "118/79", "pulse": 71}, staff["doctor"].pk),
    ]
    assert after.saves[1].parsed == {"systolic": 118, "diastolic": 79, "pulse": 71}


def test_a_save_that_changes_nothing_does_nothing(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    first = save(staff["doctor"], visit, 7)
    again = save(staff["doctor"], visit, 7)
    assert again.row.version == first.row.version
    assert len(facts("consultation.step_saved")) == 1


def test_null_clears_a_field_and_reopens_the_step_that_needs_it(staff: dict[str, User]) -> None:
    visit = save(staff["doctor"], start_consultation(staff["doctor"], register_patient()), 7)
    assert visit.saves[7].state == "completed"
    assert save(staff["doctor"], visit, 7, {"plan": None}).saves[7].state == "in_progress"


def test_a_step_is_completed_when_all_it_requires_is_there_unless_one_says_otherwise(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    visit = start_consultation(doctor, register_patient())
    assert save(doctor, visit, 2, {"symptoms": [{"description": "Cough"}]}).saves[2].state == "in_progress"
    assert save(doctor, visit, 2, {"chief_complaint": "Cough"}).saves[2].state == "completed"
    assert save(doctor, visit, 2, {}, completed=False).saves[2].state == "in_progress"
    with pytest.raises(Invalid) as refused:
        save(doctor, visit, 7, {}, completed=True)
    assert refused.value.details["field"] == "step_data.plan"


def test_a_caller_who_names_another_version_than_the_stored_gets_the_stored_one(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    visit = start_consultation(doctor, register_patient())
    save(doctor, visit, 7, {"plan": "Rest"}, version=0)
    with pytest.raises(StepChanged) as refused:
        save(doctor, visit, 7, {"plan": "Antibiotics"}, version=0)
    assert refused.value.details["current"]["data"] == {"plan": "Rest"}
    assert refused.value.details["current"]["version"] == 1
    assert save(doctor, visit, 7, {"plan": "Antibiotics"}, version=1).saves[7].version == 2


def test_a_nurse_saves_the_first_four_steps_of_any_visit(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    fill(staff["nurse"], visit, 0, 1, 2, 3)
    for number in range(4, 10):
        with pytest.raises(Forbidden):
            save(staff["nurse"], visit, number)


def test_a_doctor_acts_in_visits_of_their_own_alone(staff: dict[str, User], colleague: User) -> None:
    visit = start_consultation(staff["doctor"], register_patient())
    pk = visit.row.pk
    for act in (
        lambda: save(colleague, visit, 0),
        lambda: services.complete(by=colleague, consultation_id=pk),
        lambda: services.hold(by=colleague, consultation_id=pk),
        lambda: services.cancel(by=colleague, consultation_id=pk),
        lambda: services.hand_over(by=colleague, consultation_id=pk, doctor_id=colleague.pk),
    ):
        with pytest.raises(Forbidden):
            act()
    services.hand_over(by=staff["doctor"], consultation_id=pk, doctor_id=colleague.pk)
    save(colleague, visit, 0)
    with pytest.raises(Forbidden):
        save(staff["doctor"], visit, 0)


def test_a_standard_visit_goes_in_order(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    visit = start_consultation(doctor, register_patient(), "standard")
    with pytest.raises(Conflict) as refused:
        save(doctor, visit, 2)
    assert refused.value.details["open_step"] == 0
    visit = fill(doctor, visit, 0, 1, 2, 3, 4)
    visit = save(doctor, visit, 6)  # 5 is not required: it is passed over
    assert [one.state.value for one in visit.progress.steps[4:8]] == ["completed", "skipped", "completed", "in_progress"]
    assert save(doctor, visit, 5).progress.steps[5].state.value == "completed"


@pytest.mark.parametrize(("workflow", "required"), [("standard", [0, 1, 2, 3, 4, 6, 7]), ("quick", [2, 7]), ("adaptive", [2, 6])])
def test_each_kind_of_visit_completes_by_its_own_required_steps(
    staff: dict[str, User], workflow: str, required: list[int]
) -> None:
    doctor = staff["doctor"]
    visit = start_consultation(doctor, register_patient(), workflow)
    assert [int(step) for step in visit.progress.required] == required
    left = list(required)
    for number in required:
        with pytest.raises(Incomplete) as refused:
            services.complete(by=doctor, consultation_id=visit.row.pk)
        assert refused.value.details["missing_steps"] == left
        visit = save(doctor, visit, number)
        left.remove(number)
    done = services.complete(by=doctor, consultation_id=visit.row.pk)
    assert (done.row.status, done.row.current_step, done.progress.missing) == ("completed", 10, ())
    assert {one.state.value for one in done.progress.steps} == {"completed", "skipped"}


def test_vital_signs_are_read_and_questioned(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    visit = start_consultation(doctor, register_patient())
    for wrong in ({"bp": "80/120"}, {"bp": "high"}, {"temperature_c": 98.6}, {"spo2": 101}, {"pulse": "fast"}, {"bmi": 22}):
        with pytest.raises(Invalid) as refused:
            save(doctor, visit, 1, wrong)
        assert refused.value.details["field"] == f"step_data.{next(iter(wrong))}"
    with pytest.raises(Invalid):
        save(doctor, visit, 1, {"pulse": 12})
    sure = save(doctor, visit, 1, {"pulse": 12, "confirmed_implausible": True})
    assert sure.saves[1].parsed == {"pulse": 12}
    save(doctor, visit, 1, {"spo2": 98})  # the pulse was confirmed and is not asked about again
    with pytest.raises(Invalid):
        save(doctor, visit, 1, {"pulse": 13})


def test_diagnoses_are_codes_of_the_day_that_can_be_billed(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    visit = start_consultation(doctor, register_patient())
    for codes, place in ((["E11"], 0), (["I10", "X00.0"], 1)):
        with pytest.raises(Invalid) as refused:
            save(doctor, visit, 6, {"diagnoses": [{"code": code} for code in codes]})
        assert refused.value.details["field"] == f"step_data.diagnoses[{place}].code"
    saved = save(doctor, visit, 6, {"diagnoses": [{"code": "i10"}, {"code": "E119", "primary": True}]}).saves[6]
    assert saved.data["diagnoses"] == [{"code": "i10"}, {"code": "E119", "primary": True}]
    assert [(one["code"], one["primary"]) for one in saved.parsed["diagnoses"]] == [("I10", False), ("E11.9", True)]
    assert saved.parsed["diagnoses"][0]["display"] == "Essential (primary) hypertension"
    assert save(doctor, visit, 6, {"diagnoses": [{"code": "I10"}, {"code": "R51.9"}]}).saves[6].parsed["diagnoses"][0]["primary"]


# --- signing


def test_a_version_that_is_no_longer_the_current_one_is_not_signed(staff: dict[str, User]) -> None:
    read = fill(staff["doctor"], start_consultation(staff["doctor"], register_patient(), "quick"), 2, 7)
    latest = save(staff["nurse"], read, 1)
    with pytest.raises(ChangedSinceRead):
        services.complete(by=staff["doctor"], consultation_id=read.row.pk, version=read.row.version)
    assert Consultation.objects.get().status == "in_progress"
    done = services.complete(by=staff["doctor"], consultation_id=read.row.pk, version=latest.row.version)
    assert done.row.status == "completed"


def test_what_is_signed_stands_in_the_chart(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    visit = start_consultation(doctor, patient)
    visit = fill(doctor, visit, 0, 1, 2, 6, 7)
    services.complete(by=doctor, consultation_id=visit.row.pk)
    rows = ChartEntry.objects.filter(patient=patient, source="consultation")
    assert {(row.type, row.code, row.value) for row in rows} == {
        ("diagnosis", "R51.9", None),
        ("vital_sign", "8480-6", 120),
        ("vital_sign", "8462-4", 80),
        ("vital_sign", "8867-4", 70),
        ("note", "", None),
    }
    note = rows.get(type="note")
    assert "Back pain" in note.detail["text"]
    assert "Rest and fluids" in note.detail["text"]
    assert {row.recorded_by_id for row in rows} == {doctor.pk}
    (fact,) = facts("consultation.completed")
    assert (fact["chart_entries"], fact["missing_steps"], fact["notify_patient"]) == (5, [], True)


def test_a_doctor_signs_in_spite_of_what_is_missing_and_says_why(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    visit = start_consultation(doctor, register_patient(), "quick")
    with pytest.raises(Invalid) as refused:
        services.complete(by=doctor, consultation_id=visit.row.pk, override_incomplete=True, reason="  ")
    assert refused.value.details["field"] == "reason"
    done = services.complete(by=doctor, consultation_id=visit.row.pk, override_incomplete=True, reason="Called away")
    assert (done.row.status, done.row.override_reason) == ("completed", "Called away")
    assert facts("consultation.completed")[0]["missing_steps"] == [2, 7]


def test_a_visit_is_signed_once(staff: dict[str, User]) -> None:
    visit = signed(staff["doctor"], register_patient())
    with pytest.raises(IllegalMove) as refused:
        services.complete(by=staff["doctor"], consultation_id=visit.row.pk)
    assert refused.value.details == {"reason": "illegal_move", "from": "completed", "to": "completed", "allowed": ["amended"]}


def test_after_signing_only_addenda_are_added(staff: dict[str, User]) -> None:
    doctor, patient = staff["doctor"], register_patient()
    live = start_consultation(doctor, patient)
    with pytest.raises(IllegalMove):
        services.add(by=doctor, consultation_id=live.row.pk, text="Too early")
    visit = signed(doctor, patient)
    for act in (
        lambda: save(doctor, visit, 7, {"plan": "Other"}),
        lambda: services.hold(by=doctor, consultation_id=visit.row.pk),
        lambda: services.cancel(by=doctor, consultation_id=visit.row.pk),
        lambda: services.hand_over(by=doctor, consultation_id=visit.row.pk, doctor_id=doctor.pk),
    ):
        with pytest.raises(Conflict):
            act()
    services.add(by=doctor, consultation_id=visit.row.pk, text="The culture grew streptococci")
    twice = services.add(by=doctor, consultation_id=visit.row.pk, text="The patient was called")
    assert (twice.row.status, len(twice.addenda)) == ("amended", 2)
    assert ChartEntry.objects.filter(patient=patient, type="note", display__startswith="Addendum").count() == 2
    assert len(facts("consultation.amended")) == 2


def test_a_visit_waits_and_goes_on(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    visit = save(doctor, start_consultation(doctor, register_patient()), 2)
    services.hold(by=staff["nurse"], consultation_id=visit.row.pk, reason="X-ray")
    for act in (
        lambda: save(doctor, visit, 7),
        lambda: services.complete(by=doctor, consultation_id=visit.row.pk),
        lambda: services.hold(by=doctor, consultation_id=visit.row.pk),
    ):
        with pytest.raises(Conflict):
            act()
    on = services.resume(by=doctor, consultation_id=visit.row.pk)
    assert (on.row.status, on.saves[2].data) == ("in_progress", FILLED[2])
    assert [fact["status"] for fact in [*facts("consultation.held"), *facts("consultation.resumed")]] == [
        "on_hold",
        "in_progress",
    ]


def test_visits_follow_their_patient_into_a_merge_signed_ones_too(staff: dict[str, User]) -> None:
    retired, survivor, doctor = register_patient(), register_patient(), staff["doctor"]
    over, live = signed(doctor, retired), start_consultation(doctor, retired)
    merge(retired, survivor)
    assert set(Consultation.objects.filter(patient=survivor).values_list("pk", flat=True)) == {over.row.pk, live.row.pk}
    fill(doctor, live, 2, 6)
    services.complete(by=doctor, consultation_id=live.row.pk)
    assert ChartEntry.objects.filter(patient=survivor, source="consultation").exists()


def test_an_adaptive_visit_says_what_it_saw_and_offers_what_is_on_record(staff: dict[str, User]) -> None:
    patient = register_patient()
    chart(patient, "allergy", "Penicillin")
    chart(patient, "medication", "Lisinopril 10 mg")
    chart(patient, "diagnosis", "Essential hypertension", code_system="ICD-10-CM", code="I10")
    visit = start_consultation(staff["doctor"], patient)
    assert [int(step) for step in visit.progress.required] == [1, 2, 6]
    assert visit.row.guidance["facts"]["years"] == years_between(patient.date_of_birth, clock.today())
    offered = visit.row.guidance["prefill"]["history_review"]
    assert [entry["display"] for entry in offered["allergies"]] == ["Penicillin"]
    assert [entry["display"] for entry in offered["medications"]] == ["Lisinopril 10 mg"]


def test_a_red_flag_is_acknowledged_before_the_visit_is_signed(staff: dict[str, User]) -> None:
    doctor = staff["doctor"]
    visit = start_consultation(doctor, register_patient())
    save(doctor, visit, 1, {"bp": "190/125"})
    visit = save(doctor, visit, 2, {"chief_complaint": "Headache"})
    assert visit.progress.recommended == 4
    assert {"redflag.pressure", "redflag.headache-pressure"} <= {line["rule_id"] for line in visit.row.guidance["prompts"]}
    visit = fill(doctor, visit)
    with pytest.raises(Incomplete) as refused:
        services.complete(by=doctor, consultation_id=visit.row.pk)
    assert (refused.value.details["missing_steps"], len(refused.value.details["alerts"])) == ([], 1)
    with pytest.raises(Invalid):
        services.complete(by=doctor, consultation_id=visit.row.pk, acknowledged=[services.Acknowledged(id="nothing", reason="x")])
    (alert,) = refused.value.details["alerts"]
    acknowledged = [services.Acknowledged(id=alert["id"], reason="Repeated: 150/90")]
    done = services.complete(by=doctor, consultation_id=visit.row.pk, acknowledged=acknowledged)
    assert done.acknowledged[alert["id"]].reason == "Repeated: 150/90"


def test_the_system_acts_too(staff: dict[str, User]) -> None:
    visit = services.start(
        by=SYSTEM, new=NewConsultation(patient_id=register_patient().pk, doctor_id=staff["doctor"].pk, workflow_type="quick")
    )
    fill(SYSTEM, visit)
    assert services.complete(by=SYSTEM, consultation_id=visit.row.pk).row.status == "completed"
    assert Appointment.objects.count() == 0


def test_a_follow_up_is_not_in_the_past_and_a_stored_date_may_go_by(staff: dict[str, User]) -> None:
    doctor, visit = staff["doctor"], start_consultation(staff["doctor"], register_patient())
    for day in ("2020-01-01", (clock.today() - timedelta(days=1)).isoformat()):
        with pytest.raises(Invalid) as refused:
            save(doctor, visit, 9, {"follow_up": {"date": day}})
        assert refused.value.details["errors"][0]["field"] == "step_data.follow_up.date"
        assert "past" in refused.value.details["errors"][0]["issue"]
    assert not StepSave.objects.filter(number=9).exists()
    today = clock.today()
    save(doctor, visit, 9, {"follow_up": {"date": today.isoformat()}})
    with time_machine.travel(clock.now() + timedelta(days=3)):
        after = save(
            doctor, visit, 9, {"instructions": "Drink more", "follow_up": {"date": today.isoformat(), "reason": "Wound"}}
        )
        assert after.saves[9].data["follow_up"] == {"date": today.isoformat(), "reason": "Wound"}
        with pytest.raises(Invalid):
            save(doctor, visit, 9, {"follow_up": {"date": (today + timedelta(days=1)).isoformat()}})


@pytest.mark.parametrize("empty", [{}, {"confirmed_implausible": True}, {"bp": None}])
def test_vital_signs_that_hold_no_value_are_not_done(staff: dict[str, User], empty: dict[str, Any]) -> None:
    doctor, visit = staff["doctor"], start_consultation(staff["doctor"], register_patient(), "standard")
    save(doctor, visit, 0)
    after = save(doctor, visit, 1, empty)
    assert after.saves[1].state == "in_progress"
    assert Step.VITALS in after.progress.missing
    with pytest.raises(Invalid) as refused:
        save(doctor, visit, 1, empty, completed=True)
    assert "empty" in refused.value.details["errors"][0]["issue"]
    assert save(doctor, visit, 1, {"pain": 0}).saves[1].state == "completed"


@pytest.mark.parametrize(("number", "empty"), [(3, {"allergies_reviewed": False}), (3, {}), (4, {"findings": []}), (4, {})])
def test_a_review_or_an_examination_of_nothing_is_not_done(staff: dict[str, User], number: int, empty: dict[str, Any]) -> None:
    assert (
        save(staff["doctor"], start_consultation(staff["doctor"], register_patient()), number, empty).saves[number].state
        == "in_progress"
    )


def test_a_visit_of_a_woman_of_54_says_nothing_of_pregnancy(staff: dict[str, User]) -> None:
    def prompted(years: int) -> bool:
        born = clock.today().replace(year=clock.today().year - years, day=1)
        visit = start_consultation(staff["doctor"], register_patient("Ann", f"Of{years}", born=born, gender="female"))
        return "pregnancy.possible" in [line["rule_id"] for line in visit.row.guidance["prompts"]]

    assert [prompted(years) for years in (9, 10, 49, 50, 54)] == [False, True, True, False, False]
