"""What a signature writes to the chart and hashes, what an import keeps, and what the adaptive rules read of the chart."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.common import clock
from apps.common.errors import Invalid
from apps.consultations import selectors, services
from apps.consultations.models import Consultation, ConsultationStatusChange, StepSave, VitalAlert
from apps.consultations.queries import prepared
from apps.consultations.services import ImportedSave, NewConsultation, chart_projection
from apps.consultations.steps.definitions import Step
from apps.consultations.tests.factories import booked, fill, save, signed, start_consultation
from apps.consultations.tests.test_importing import imported_visit
from apps.events.models import OutboxEvent
from apps.patients.chart.entry_types import TEXT_MAX
from apps.patients.models import ChartEntry, Patient
from apps.patients.tests.factories import chart, register_patient

pytestmark = pytest.mark.django_db

NIGHT = datetime(2026, 12, 1, 2, 30, tzinfo=UTC)  # the evening of 30 November in the clinic


def entries(patient: Patient) -> dict[str, ChartEntry]:
    """The chart entries that visits wrote, by what they refer to within their visit."""
    rows = ChartEntry.objects.filter(patient=patient, source="consultation")
    return {row.source_ref.split(":", 2)[2]: row for row in rows}


# --- the chart


def test_each_entry_says_what_when_and_who(staff: dict[str, User]) -> None:
    doctor, nurse, patient = staff["doctor"], staff["nurse"], register_patient()
    visit = start_consultation(doctor, patient, "quick")
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        measured = save(nurse, visit, 1, {"bp": "120/80", "weight_kg": 158, "weight_unit": "lb", "pulse": "not_measurable"})
    with time_machine.travel(clock.now() + timedelta(minutes=10), tick=False):
        fill(doctor, visit, 2, 7)
        save(doctor, visit, 6, {"diagnoses": [{"code": "R51.9"}, {"code": "I10", "primary": True}]})
        more = {"override_incomplete": True, "reason": "Referred at once"}
        done = services.complete(by=doctor, consultation_id=visit.row.pk, **more).row
    rows = entries(patient)
    assert set(rows) == {
        *("diagnosis:R51.9", "diagnosis:I10", "vital:systolic", "vital:diastolic", "vital:weight_kg", "vital:pulse", "note"),
    }
    assert {row.occurred_at for name, row in rows.items() if name.startswith("vital")} == {measured.saves[1].saved_at}
    assert {row.recorded_by for name, row in rows.items() if name.startswith("vital")} == {nurse}
    assert {row.occurred_at for name, row in rows.items() if name.startswith("diagnosis")} == {visit.row.started_at}
    assert {row.recorded_by for name, row in rows.items() if name.startswith("diagnosis")} == {doctor}
    assert (rows["diagnosis:I10"].detail, rows["diagnosis:R51.9"].detail) == ({"note": "Primary diagnosis of the visit"}, {})
    assert (rows["diagnosis:I10"].code_system, rows["diagnosis:I10"].display) == ("ICD-10-CM", "Essential (primary) hypertension")
    weight = rows["vital:weight_kg"]
    assert (weight.value, weight.unit, weight.code_system) == (Decimal("71.668"), "kg", "LOINC")
    assert weight.detail == {"note": "Entered as 158 lb"}
    assert (rows["vital:systolic"].unit, rows["vital:systolic"].detail) == ("mm[Hg]", {})
    assert (rows["vital:pulse"].value, rows["vital:pulse"].detail) == (None, {"value_text": "not measurable"})
    note = rows["note"]
    assert (note.occurred_at, note.recorded_by, note.display) == (done.completed_at, doctor, "Consultation note")
    assert note.detail == {
        "title": "Consultation note",
        "text": "Complaint: Back pain\n"
        "Assessment: R51.9 Headache, unspecified; I10 Essential (primary) hypertension\n"
        "Plan: Rest and fluids",
    }


def test_a_pressure_that_cannot_be_measured_is_one_entry(staff: dict[str, User]) -> None:
    patient = register_patient()
    visit = fill(staff["doctor"], start_consultation(staff["doctor"], patient, "quick"))
    visit = save(staff["doctor"], visit, 1, {"bp": "not_measurable"})
    services.complete(by=staff["doctor"], consultation_id=visit.row.pk, override_incomplete=True, reason="Referred")
    assert set(entries(patient)) == {"vital:systolic", "note"}
    assert entries(patient)["vital:systolic"].detail == {"value_text": "not measurable"}


def measure(by: User, visit: Any, minutes: int, data: dict[str, Any]) -> datetime:
    """Saves vital signs so many minutes after the start of the visit, and returns when."""
    with time_machine.travel(visit.row.started_at + timedelta(minutes=minutes), tick=False):
        at: datetime = save(by, visit, 1, data).saves[1].saved_at
    return at


def sign_later(doctor: User, visit: Any) -> None:
    with time_machine.travel(visit.row.started_at + timedelta(hours=1), tick=False):
        services.complete(by=doctor, consultation_id=visit.row.pk, override_incomplete=True, reason="Referred at once")


def test_each_value_is_of_the_time_and_the_user_of_the_first_save_with_it(staff: dict[str, User]) -> None:
    doctor, nurse, patient = staff["doctor"], staff["nurse"], register_patient()
    visit = start_consultation(doctor, patient, "quick")
    first = measure(nurse, visit, 5, {"bp": "190/110", "pulse": 80, "temperature_c": 37.0, "spo2": "not_measurable"})
    second = measure(nurse, visit, 10, {"bp": "185/105", "temperature_c": 37.5})
    third = measure(doctor, visit, 15, {"bp": "160/95", "temperature_c": 37.0, "pain": 2})
    measure(doctor, visit, 20, {"pain": 2})
    sign_later(doctor, visit)
    assert {name: (row.value, row.occurred_at, row.recorded_by) for name, row in entries(patient).items() if "vital" in name} == {
        "vital:systolic:1": (190, first, nurse),
        "vital:diastolic:1": (110, first, nurse),
        "vital:systolic:2": (185, second, nurse),
        "vital:diastolic:2": (105, second, nurse),
        "vital:systolic": (160, third, doctor),
        "vital:diastolic": (95, third, doctor),
        "vital:pulse": (80, first, nurse),
        "vital:spo2": (None, first, nurse),
        "vital:temperature_c": (37, third, doctor),  # measured again: as at first, but not the first value
        "vital:pain": (2, third, doctor),
    }
    assert entries(patient)["vital:systolic:1"].detail == {"note": "An earlier reading of the visit"}


def test_a_pressure_that_was_emptied_is_not_charted_and_one_that_can_no_longer_be_measured_is(staff: dict[str, User]) -> None:
    doctor, patient = staff["doctor"], register_patient()
    visit = start_consultation(doctor, patient, "quick")
    for minutes, pressure in enumerate(("120/80", None, "80/P", "not_measurable")):
        measure(doctor, visit, minutes, {"bp": pressure, "pulse": 90})
    sign_later(doctor, visit)
    rows = {name: (row.value, row.detail) for name, row in entries(patient).items() if "systolic" in name or "diastolic" in name}
    assert rows == {
        "vital:systolic:3": (80, {"note": "By palpation; An earlier reading of the visit"}),
        "vital:systolic": (None, {"value_text": "not measurable"}),
    }


def test_a_visit_without_content_writes_no_note(staff: dict[str, User]) -> None:
    patient = register_patient()
    visit = start_consultation(staff["doctor"], patient)
    services.complete(by=staff["doctor"], consultation_id=visit.row.pk, override_incomplete=True, reason="Left")
    assert entries(patient) == {}


@pytest.mark.parametrize(("length", "is_cut"), [(TEXT_MAX - 1, False), (TEXT_MAX, False), (TEXT_MAX + 1, True)])
def test_a_text_that_is_too_long_for_the_chart_says_where_the_rest_is(length: int, is_cut: bool) -> None:
    row = Consultation(doctor_id=None)
    text = chart_projection._text(row, "note", "Note", "x" * length, clock.now()).detail["text"]
    assert len(text) == min(length, TEXT_MAX)
    assert text.endswith("… (more in the consultation)") is is_cut


def test_each_addendum_is_an_entry_of_its_own_time(staff: dict[str, User]) -> None:
    patient, doctor = register_patient(), staff["doctor"]
    visit = signed(doctor, patient)
    with time_machine.travel(clock.now() + timedelta(days=2), tick=False):
        services.add(by=doctor, consultation_id=visit.row.pk, text="The culture grew streptococci")
        later = clock.now()
    (row,) = ChartEntry.objects.filter(patient=patient, display="Addendum to a consultation")
    assert (row.occurred_at, row.recorded_by) == (later, doctor)
    assert row.detail == {"title": "Addendum to a consultation", "text": "The culture grew streptococci"}


# --- the hash of what was signed


def _saves() -> list[StepSave]:
    return [
        StepSave(number=2, version=1, state="completed", data={"chief_complaint": "Cough"}),
        StepSave(number=6, version=2, state="completed", data={}, parsed={"diagnoses": []}),
    ]


@pytest.mark.parametrize(
    ("name", "value"), [("number", 7), ("version", 3), ("state", "in_progress"), ("data", {"a": 1}), ("parsed", {"a": 1})]
)
def test_the_hash_covers_every_part_of_a_step(name: str, value: Any) -> None:
    row, changed = Consultation(), _saves()
    setattr(changed[1], name, value)
    assert services.content_sha256(row.pk, changed) != services.content_sha256(row.pk, _saves())


def test_the_hash_is_of_one_visit_and_of_no_order() -> None:
    row = Consultation()
    assert services.content_sha256(row.pk, reversed(_saves())) == services.content_sha256(row.pk, _saves())
    assert services.content_sha256(Consultation().pk, _saves()) != services.content_sha256(row.pk, _saves())
    one, other = _saves(), _saves()
    one[0].data, other[0].data = {"bp": "120/80", "pulse": 70}, {"pulse": 70, "bp": "120/80"}  # the database orders keys anew
    assert services.content_sha256(row.pk, one) == services.content_sha256(row.pk, other)


# --- starting


def test_a_doctor_who_names_another_doctor_or_their_appointment_is_refused_by_field(
    staff: dict[str, User], colleague: User
) -> None:
    patient = register_patient()
    theirs = booked(patient, colleague)
    for more, field in (({"doctor_id": colleague.pk}, "doctor_id"), ({"appointment_id": theirs.pk}, "appointment_id")):
        with pytest.raises(services.OtherDoctor) as refused:
            start_consultation(staff["doctor"], patient, **more)
        assert refused.value.details["field"] == field
    with pytest.raises(Invalid) as wrong:
        services.start(
            by=staff["nurse"],
            new=NewConsultation(patient_id=patient.pk, appointment_id=theirs.pk, doctor_id=staff["doctor"].pk),
        )
    assert wrong.value.details["issue"] == "The appointment is with another doctor."


def test_the_first_line_of_the_history_names_who_started_the_visit(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient(), by=staff["nurse"])
    line = ConsultationStatusChange.objects.get()
    assert (line.from_status, line.to_status, line.from_doctor, line.to_doctor, line.by, line.at) == (
        *("", "in_progress", None, staff["doctor"], staff["nurse"], visit.row.started_at),
    )


@pytest.mark.parametrize(("workflow", "current"), [("adaptive", 0), ("standard", 0), ("quick", 2)])
def test_a_new_visit_is_stored_at_its_first_step(staff: dict[str, User], workflow: str, current: int) -> None:
    start_consultation(staff["doctor"], register_patient(), workflow)
    row = Consultation.objects.get()
    assert (row.current_step, row.version, row.created_at, row.updated_at) == (current, 1, row.started_at, row.started_at)
    assert bool(row.rule_version) is (workflow == "adaptive")


def test_a_save_moves_the_stored_step_version_and_time(staff: dict[str, User]) -> None:
    visit = start_consultation(staff["doctor"], register_patient(), "standard")
    after = save(staff["nurse"], visit, 0)
    row, step = Consultation.objects.get(), StepSave.objects.get()
    assert (row.current_step, row.version, row.updated_at) == (1, 2, step.saved_at)
    assert (step.saved_by, after.row.updated_at) == (staff["nurse"], step.saved_at)


# --- what the rules read


def facts(visit: Any) -> dict[str, Any]:
    stored: dict[str, Any] = visit.row.guidance["facts"]
    return stored


def test_the_facts_are_those_of_the_patient_the_chart_and_the_steps(staff: dict[str, User]) -> None:
    doctor, patient = staff["doctor"], register_patient(gender="female", born=date(1990, 5, 15))
    with time_machine.travel(clock.now() - timedelta(days=20)):
        signed(doctor, patient)
    chart(patient, "allergy", "Penicillin")
    for name in ("Lisinopril 10 mg", "Aspirin"):
        chart(patient, "medication", name)
    chart(patient, "diagnosis", "Diabetes", code_system="ICD-10-CM", code="E11.9")
    chart(patient, "diagnosis", "Something without a code")
    visit = start_consultation(doctor, patient, appointment_id=booked(patient, doctor, "follow_up").pk)
    save(doctor, visit, 1, {"bp": "150/95", "pulse": 88, "temperature_c": 37.5, "spo2": 97, "respiratory_rate": 14})
    save(doctor, visit, 1, {"weight_kg": 70, "pain": 3})
    save(doctor, visit, 2, {"chief_complaint": "Cough", "symptoms": [{"description": "Chest PAIN"}]})
    save(doctor, visit, 5)
    known = facts(save(doctor, visit, 8))
    assert {name: known[name] for name in known if name not in ("age_days", "years", "age")} == {
        "sex": "female",
        "appointment_type": "follow_up",
        "last_visit_days": 20,
        "systolic": 150,
        "diastolic": 95,
        "pulse": 88,
        "temperature_c": 37.5,
        "spo2": 97,
        "respiratory_rate": 14,
        "weight_kg": 70,
        "pain": 3,
        "not_measurable": [],
        "complaint": "cough . chest pain",
        "allergy_status": "listed",
        "allergies": ["Penicillin"],
        "medications": ["Aspirin", "Lisinopril 10 mg"],
        "problems": ["ICD-10-CM:E11.9"],
        "tests_wanted": True,
        "drugs_wanted": True,
    }


def test_a_walk_in_without_an_earlier_visit_has_no_facts_of_one(staff: dict[str, User]) -> None:
    known = facts(start_consultation(staff["doctor"], register_patient()))
    assert (known["appointment_type"], known["last_visit_days"], known["complaint"]) == ("walk_in", None, "")
    assert (known["systolic"], known["medications"], known["tests_wanted"]) == (None, [], False)


def test_the_last_visit_is_the_newest_signed_one_before_this(staff: dict[str, User]) -> None:
    doctor, patient = staff["doctor"], register_patient()
    for days in (9, 4):
        with time_machine.travel(clock.now() - timedelta(days=days)):
            signed(doctor, patient)
    with time_machine.travel(clock.now() - timedelta(days=2)):
        start_consultation(doctor, patient)  # never signed
    visit = start_consultation(doctor, patient)
    assert facts(visit)["last_visit_days"] == 4
    with time_machine.travel(clock.now() + timedelta(days=1)):
        signed(doctor, patient)
        assert facts(save(doctor, visit, 2))["last_visit_days"] == 4  # a later visit is not an earlier one


def test_only_what_is_active_in_the_chart_is_offered_newest_first_with_its_day(staff: dict[str, User]) -> None:
    patient = register_patient()
    chart(patient, "medication", "Old", occurred_on="2015-06")
    chart(patient, "medication", "New", occurred_at=NIGHT - timedelta(days=30))
    chart(patient, "medication", "Stopped", status="stopped")
    with time_machine.travel(NIGHT):
        offered = start_consultation(staff["doctor"], patient).row.guidance["prefill"]["history_review"]
    assert [(entry["display"], entry["since"]) for entry in offered["medications"]] == [("New", "2026-10-31"), ("Old", "2015-06")]
    assert set(offered) == {"medications"}


def test_days_are_counted_in_the_time_zone_of_the_clinic(staff: dict[str, User], settings: Any) -> None:
    settings.CLINIC_TIME_ZONE = "America/New_York"
    doctor, patient = staff["doctor"], register_patient(born=date(2020, 12, 1))
    with time_machine.travel(datetime(2026, 11, 30, 15, tzinfo=UTC)):
        signed(doctor, patient)
    with time_machine.travel(NIGHT):
        known = facts(start_consultation(doctor, patient))
    assert (known["last_visit_days"], known["years"]) == (0, 5)


def test_the_chart_and_the_last_visit_are_read_for_a_patient_who_has_neither(staff: dict[str, User]) -> None:
    assert prepared.chart_and_last_visit(register_patient().pk, before=clock.now()) == ([], None)


# --- diagnoses


@pytest.mark.parametrize(
    ("marks", "primary"), [([False, False], [True, False]), ([True, False], [True, False]), ([False, True], [False, True])]
)
def test_the_marked_diagnosis_is_primary_or_else_the_first(
    staff: dict[str, User], marks: list[bool], primary: list[bool]
) -> None:
    sent = [{"code": code} | ({"primary": True} if mark else {}) for code, mark in zip(("R51.9", "I10"), marks, strict=True)]
    visit = start_consultation(staff["doctor"], register_patient())
    coded = save(staff["doctor"], visit, 6, {"diagnoses": sent}).saves[6].parsed["diagnoses"]
    assert [one["primary"] for one in coded] == primary
    names = {"R51.9": "Headache", "I10": "Hypertension"}
    step = ImportedSave(step=Step.ASSESSMENT, data={"diagnoses": sent}, at=clock.now(), by_id=staff["doctor"].pk, displays=names)
    imported = imported_visit(register_patient(), staff["doctor"], saves=[step])
    services.import_records(by=SYSTEM, consultations=[imported])
    kept = StepSave.objects.get(consultation=imported.id).parsed["diagnoses"]
    assert [(one["display"], one["primary"]) for one in kept] == list(zip(names.values(), primary, strict=True))


# --- importing


def test_an_imported_visit_keeps_its_times_people_and_states(staff: dict[str, User]) -> None:
    doctor, nurse = staff["doctor"], staff["nurse"]
    began = clock.now() - timedelta(days=3)
    saves = [
        ImportedSave(step=Step.VITALS, data={"pulse": 70}, at=began + timedelta(minutes=1), by_id=nurse.pk),
        ImportedSave(step=Step.HISTORY_REVIEW, data={"allergies_reviewed": False}, at=began, by_id=nurse.pk),
        ImportedSave(step=Step.ASSESSMENT, data={}, at=began + timedelta(minutes=2), by_id=doctor.pk),
    ]
    more = {"started_at": began, "ended_at": began + timedelta(minutes=9), "workflow_type": "adaptive", "addendum": "Called"}
    imported = imported_visit(register_patient(), doctor, saves=saves, **more)
    services.import_records(by=SYSTEM, consultations=[imported])
    row = Consultation.objects.get()
    assert (row.created_at, row.started_at, row.completed_at, row.updated_at) == (
        began,
        began,
        imported.ended_at,
        imported.ended_at,
    )
    assert (row.entered_by, row.signed_by, row.current_step, row.version) == (doctor, doctor, 10, 4)
    assert row.rule_version == row.guidance["version"]
    kept = selectors.latest_saves(row)
    assert {int(step): (one.state, one.saved_by_id) for step, one in kept.items()} == {
        1: ("completed", nurse.pk),
        3: ("in_progress", nurse.pk),
        6: ("in_progress", doctor.pk),
    }
    (addendum,) = selectors.details(row).addenda
    assert (addendum.signed_at, addendum.signed_by) == (imported.ended_at, doctor)


@pytest.mark.parametrize("status", ["on_hold", "cancelled"])
def test_an_imported_visit_that_was_not_signed_is_not_in_the_chart(staff: dict[str, User], status: str) -> None:
    patient = register_patient()
    imported = imported_visit(patient, staff["doctor"], status=status, reason="Waits for a result")
    services.import_records(by=SYSTEM, consultations=[imported])
    row = Consultation.objects.get()
    assert (row.status, row.completed_at, row.signed_by) == (status, None, None)
    assert row.cancelled_at == (imported.ended_at if status == "cancelled" else None)
    assert not ChartEntry.objects.filter(patient=patient).exists()
    last = ConsultationStatusChange.objects.latest("id")
    assert (last.from_status, last.to_status, last.reason, last.at, last.by) == (
        *("in_progress", status, "Waits for a result", imported.ended_at, staff["doctor"]),
    )


def test_only_new_visits_are_imported_and_counted(staff: dict[str, User]) -> None:
    patient = register_patient()
    first, second = imported_visit(patient, staff["doctor"]), imported_visit(patient, staff["doctor"])
    services.import_records(by=SYSTEM, consultations=[first])
    assert services.import_records(by=SYSTEM, consultations=[first, second]) == 1
    assert services.import_records(by=SYSTEM, consultations=[]) == 0
    assert [event.payload for event in OutboxEvent.objects.filter(name="consultation.taken_over").order_by("id")] == [
        {"visits": 1},
        {"visits": 1},
    ]


def test_an_imported_alert_names_who_measured_it_and_ended_visits_have_none(staff: dict[str, User]) -> None:
    at, patient = clock.now() - timedelta(hours=1), register_patient()
    measured = [ImportedSave(step=Step.VITALS, data={"bp": "188/122"}, at=at, by_id=staff["nurse"].pk)]
    ended = imported_visit(patient, staff["doctor"], saves=measured)
    going_on = imported_visit(patient, staff["doctor"], saves=measured, started_at=at, status="in_progress", ended_at=None)
    services.import_records(by=SYSTEM, consultations=[ended, going_on])
    alert = VitalAlert.objects.get()
    assert (alert.consultation_id, alert.raised_by, alert.raised_at) == (going_on.id, staff["nurse"], at)
