"""How many clicks the jobs of nurses, doctors and managers take, by pointer and by keyboard alone; see `desk_jobs`."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.appointments import services as appointments
from apps.appointments.models import Appointment, BulkReschedule
from apps.common import clock
from apps.consultations.models import Consultation, StepSave
from apps.consultations.steps.definitions import Step
from apps.patients import services as patients
from apps.patients.chart import vitals
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.models import Patient
from apps.terminology.tests import factories as terminology
from hims.tests import factories
from hims.tests.journeys.desk_jobs import HANDS, HANDS_FULL, IN_A_BROWSER, Desk, Hands

pytestmark = IN_A_BROWSER

VISIT = "admin:consultations_consultation_"
SAVE = "#visit-form .bar-end .primary"
READINGS = ("132/84", "72", "36.8", "97", "14", "78", "176", "2")  # in the order of the boxes
PROBLEMS = ("Essential hypertension", "Type 2 diabetes", "Asthma", "Migraine", "Gout", "Back pain")
MEDICINES = ("Amlodipine 5 mg", "Metformin 500 mg", "Salbutamol inhaler", "Allopurinol 100 mg", "Ibuprofen 400 mg")
# What a doctor reads in ten seconds.
CORE = ("problems", "allergies", "medicines", "last-visit", "next", "trends", "events")
_OUT_OF_SIGHT = """names => names.filter(name => {
  const box = document.getElementById(name)?.closest("section").getBoundingClientRect();
  return !box || box.top < 0 || box.bottom > innerHeight || box.right > innerWidth || box.height < 20;
})"""


@pytest.fixture
def chart(john: Patient, staff: dict[str, User]) -> Patient:
    """John's record, with more of each kind than the summary shows."""
    for name in PROBLEMS:
        factories.chart(john, "diagnosis", name)
    for name in ("Penicillin", "Peanuts", "Latex"):
        factories.chart(john, "allergy", name, detail={"severity": "severe", "reaction": "Rash"})
    for name in MEDICINES:
        factories.chart(john, "medication", name, detail={"dosage": "1 tablet", "frequency": "once a day"})
    now = clock.now()
    for days, *values in ((90, 142, 91, 80, 81), (30, 138, 88, 76, 79), (3, 130, 85, 74, 78)):
        for name, value in zip(("systolic", "diastolic", "pulse", "weight_kg"), values, strict=True):
            code, display, unit = vitals.LOINC[name]
            reading = {"code": code, "unit": unit, "value": Decimal(value), "occurred_at": now - timedelta(days=days)}
            factories.chart(john, "vital_sign", display, code_system="LOINC", **reading)
    return john


@pytest.fixture
def waiting(chart: Patient, staff: dict[str, User]) -> Appointment:
    """John, in the waiting room."""
    row = factories.book(chart, staff["doctor"], factories.at("10:15", clock.today()))
    return appointments.check_in(by=SYSTEM, appointment_id=row.pk, early=True)


def section(desk: Desk, visit: Consultation, step: Step) -> None:
    """Opens the page of a section."""
    desk.open(f"{VISIT}step", "", visit.pk, int(step))


def measure(hands: Hands) -> None:
    """Types the readings down the column."""
    first, *others = READINGS
    hands.go_to("#id_bp")
    hands.type(first)
    for reading in others:
        hands.press("Tab")
        hands.type(reading)


def enter(hands: Hands, box: str, text: str) -> None:
    """Types into a box of a section, and goes on."""
    hands.go_to(f"#id_{box}")
    hands.type(text)
    hands.click(SAVE)


def saved(visit: Consultation, step: Step) -> Any:
    return StepSave.objects.filter(consultation=visit, number=step).order_by("-version")[0]


# Nurses


@HANDS
def test_a_nurse_calls_a_patient_in_and_the_vitals_open(desk: Desk, staff: dict[str, User], waiting: Appointment) -> None:
    desk.sign_in(staff["nurse"])
    with desk.job("nurse", "room the next patient", clicks=1) as hands:
        hands.click(f"form:has(input[value='{waiting.pk}']) button")
    assert desk.page.locator("h1").inner_text() == "Vitals"
    waiting.refresh_from_db()
    assert waiting.status == "in_progress"


@HANDS
def test_a_nurse_types_the_vitals_down_the_column_and_saves(desk: Desk, staff: dict[str, User], chart: Patient) -> None:
    visit = factories.start_consultation(staff["doctor"], chart, by=staff["nurse"]).row
    desk.sign_in(staff["nurse"])
    section(desk, visit, Step.VITALS)
    with desk.job("nurse", "vitals", clicks=1) as hands:
        assert hands.go_to("#id_bp") <= 3
        measure(hands)
        hands.click(SAVE)
    data = saved(visit, Step.VITALS).data
    assert (data["bp"], data["pulse"], data["weight_kg"], data["pain"]) == ("132/84", 72, 78, 2)


@HANDS_FULL
def test_a_nurse_confirms_allergies_and_medicines_next_to_the_vitals(desk: Desk, staff: dict[str, User], chart: Patient) -> None:
    visit = factories.start_consultation(staff["doctor"], chart, by=staff["nurse"]).row
    desk.sign_in(staff["nurse"])
    section(desk, visit, Step.VITALS)
    with desk.job("nurse", "allergies and medicines unchanged", clicks=1) as hands:
        hands.click("button[name=_still]")
    assert saved(visit, Step.HISTORY_REVIEW).state == "completed"


@HANDS_FULL
def test_a_nurse_hands_a_patient_to_the_doctor(desk: Desk, staff: dict[str, User], chart: Patient) -> None:
    visit = factories.start_consultation(staff["doctor"], chart, by=staff["nurse"]).row
    desk.sign_in(staff["nurse"])
    section(desk, visit, Step.VITALS)
    with desk.job("nurse", "vitals, and ready for the doctor", clicks=1) as hands:
        measure(hands)
        hands.click("button[name=_ready]")
    visit.refresh_from_db()
    assert visit.ready_at


@HANDS_FULL
def test_a_nurse_marks_a_waiting_patient_as_urgent(desk: Desk, staff: dict[str, User], waiting: Appointment) -> None:
    desk.sign_in(staff["nurse"])
    desk.open("admin:queue")
    with desk.job("nurse", "raise the priority", clicks=2) as hands:
        hands.click(f"#visit-{waiting.pk} summary")
        hands.go_to(f"#why-{waiting.pk}")
        hands.type("Short of breath")
        hands.click(f"#visit-{waiting.pk} button[value=urgent]")
    waiting.refresh_from_db()
    assert (waiting.triage, waiting.triage_reason) == ("urgent", "Short of breath")


# Doctors


@HANDS_FULL
def test_a_doctor_opens_a_chart_and_reads_it_without_a_click(desk: Desk, staff: dict[str, User], waiting: Appointment) -> None:
    factories.signed(staff["doctor"], waiting.patient)
    factories.book(waiting.patient, staff["doctor"], factories.at("10:30"))
    desk.sign_in(staff["doctor"])
    with desk.job("doctor", "open a chart from the day", clicks=1) as hands:
        hands.click(f"a.name[href*='{waiting.patient_id}']")
        desk.page.wait_for_url(f"**{reverse('admin:patients_patient_change', args=[waiting.patient_id])}*")
    with desk.job("doctor", "read the chart", clicks=0):
        assert desk.page.evaluate(_OUT_OF_SIGHT, CORE) == []
        shown = desk.page.inner_text("main")
    for text in ("Penicillin", PROBLEMS[-1], MEDICINES[-1], "1 tablet", "Rest and fluids", "130/85"):
        assert text in shown


@HANDS
def test_a_doctor_does_a_whole_visit_with_one_click_a_section(desk: Desk, staff: dict[str, User], waiting: Appointment) -> None:
    terminology.restore()
    desk.sign_in(staff["doctor"])
    with desk.job("doctor", "whole visit, all eleven sections", clicks=11) as hands:
        hands.click(f"form:has(input[value='{waiting.pk}']) button")
        hands.click("button[name=_match][value=all]")  # the overview, and the history with it
        measure(hands)
        hands.click(SAVE)
        enter(hands, "chief_complaint", "Headache for three days")
        enter(hands, "findings_0_description", "Neck supple, no fever")
        enter(hands, "tests_0_test_type", "Complete blood count")
        enter(hands, "diagnoses_0_code", "R51.9")
        enter(hands, "plan", "Rest and fluids")
        enter(hands, "medications_0_name", "Paracetamol")
        enter(hands, "instructions", "Come back if it gets worse")
        hands.click(SAVE)
    visit = Consultation.objects.get(appointment=waiting)
    assert visit.status == "completed"
    saves = StepSave.objects.filter(consultation=visit, state="completed").values_list("number", flat=True)
    assert {*saves} >= {*range(10)}


@HANDS_FULL
def test_a_doctor_signs_a_visit_from_the_home(desk: Desk, staff: dict[str, User], chart: Patient) -> None:
    terminology.restore()
    visit = factories.fill(staff["doctor"], factories.start_consultation(staff["doctor"], chart), *range(10)).row
    desk.sign_in(staff["doctor"])
    with desk.job("doctor", "review and sign", clicks=2) as hands:
        hands.click(f"a.btn[href*='{visit.pk}']")
        hands.click(SAVE)
    visit.refresh_from_db()
    assert visit.status == "completed"


# Managers


@HANDS_FULL
def test_a_manager_moves_the_appointments_of_an_absent_doctor(desk: Desk, staff: dict[str, User], john: Patient) -> None:
    factories.book(john, staff["doctor"], factories.at("14:00", clock.today()))
    desk.sign_in(staff["manager"])
    desk.open("admin:appointments_bulkreschedule_changelist")
    with desk.job("manager", "cover for an absence", clicks=3) as hands:
        hands.click(".object-tools .addlink")
        hands.choose("#id_doctor_id", staff["doctor"].full_name)
        hands.go_to("#id_reason")
        hands.type("Ill")
        hands.click(".submit-row button[name=look]")
        hands.click(".submit-row input[name=_save]")
    assert BulkReschedule.objects.get().doctor == staff["doctor"]


@HANDS_FULL
def test_a_manager_says_that_two_records_are_two_people(desk: Desk, staff: dict[str, User], john: Patient) -> None:
    twin = factories.register_patient("Jhon", phone="(415) 555-0134")
    patients.refresh_duplicate_candidates(by=SYSTEM, patient_id=twin.pk)
    desk.sign_in(staff["manager"])
    desk.open("admin:patients_duplicatecandidate_changelist")
    with desk.job("manager", "not the same person", clicks=2) as hands:
        hands.click("a[href*='/not-same/']")
        hands.click("form.question .bar-end button")
    assert not DuplicateCandidate.objects.exists()
