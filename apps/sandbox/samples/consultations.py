"""The sample consultations: one for each appointment that took place, ongoing ones, and some walk-ins.

They are generated like the schedule: the same on every machine on a day. Each story is consistent (complaint, findings,
diagnosis, plan); no clinician has reviewed them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from apps.access.actor import Actor
from apps.appointments.models import Appointment, StatusChange
from apps.common import clock
from apps.consultations import services
from apps.consultations.models import Consultation
from apps.consultations.services import ImportedConsultation, ImportedSave
from apps.consultations.steps.definitions import Step
from apps.patients.chart.dates import years_between
from apps.patients.chart.entry_types import CodeSystem
from apps.patients.models import ChartEntry, Patient
from apps.sandbox.samples.sample_ids import SAMPLE_IDS, fixed_id
from apps.sandbox.samples.staff import ID_OF

StepData = dict[Step, dict[str, Any]]

_MINUTE = timedelta(minutes=1)
_ADULT = 18
_WEIGHT = "29463-7"  # LOINC: body weight
_ADAPTIVE_SHARE, _QUICK_SHARE = 0.2, 0.35  # the rest is standard


@dataclass(frozen=True)
class Story:
    """The content of one kind of consultation. `codes` with their names in ICD-10-CM, the primary one first."""

    complaint: str
    findings: tuple[str, ...]
    codes: Mapping[str, str]
    plan: str
    symptoms: tuple[tuple[str, str, str], ...] = ()  # what, how bad, how long
    tests: tuple[tuple[str, str], ...] = ()
    follow_up: str = "Come back if it does not get better"


_FATIGUE = Story(
    "Tired for some weeks",
    ("Pale conjunctivae: no", "Thyroid not enlarged", "Heart and lungs clear"),
    {"R53.83": "Other fatigue"},
    "Blood count and thyroid test; sleep diary for two weeks",
    (("Fatigue", "moderate", "5 weeks"),),
    (("CBC", "Complete Blood Count"),),
    "Results by telephone in three days",
)
_BACK = Story(
    "Back pain after lifting",
    ("Tender paraspinal muscles", "Straight leg raise negative", "Strength and feeling in the legs normal"),
    {"M54.50": "Low back pain, unspecified"},
    "Keep moving, heat, paracetamol as needed; no imaging now",
    (("Low back pain", "moderate", "4 days"),),
)
_HEADACHE = Story(
    "Headaches",
    ("Neurological examination normal", "Neck supple", "Temples not tender"),
    {"G44.209": "Tension-type headache, unspecified, not intractable"},
    "Headache diary, regular sleep, fewer painkillers; back in four weeks",
    (("Headache", "moderate", "3 weeks"),),
)
_SLEEP = Story(
    "Cannot sleep",
    ("Mood reactive, no thoughts of harm",),
    {"G47.00": "Insomnia, unspecified"},
    "Sleep hygiene, no screens after ten, referral for cognitive behavioral therapy",
    (("Difficulty falling asleep", "moderate", "2 months"),),
)
_PRESSURE = Story(
    "Blood pressure check",
    ("No ankle swelling", "Heart sounds regular"),
    {"I10": "Essential (primary) hypertension"},
    "Go on with the medicines as they are; measure at home twice a week",
    follow_up="Blood pressure check in three months",
)
_WOUND = Story(
    "Wound check",
    ("Wound clean and dry, edges closed", "No redness around it"),
    {"Z48.00": "Encounter for change or removal of nonsurgical wound dressing"},
    "New dressing; it may be left open from the day after tomorrow",
)
_MEDICINE = Story(
    "New medicine: how is it going",
    ("No rash", "Pulse regular"),
    {"Z79.899": "Other long term (current) drug therapy"},
    "Well tolerated: go on; blood test in six weeks",
)
_RESULTS = Story(
    "Results of last week",
    ("Not examined",),
    {"Z71.2": "Person consulting for explanation of examination or test findings"},
    "Results explained, all within range; nothing further needed",
)
_MOLE = Story(
    "Mole on the back, removed today",
    ("Pigmented mole, 6 mm, regular edge",),
    {"D22.5": "Melanocytic nevi of trunk"},
    "Removed under local anesthesia, sent to pathology; stitches out in ten days",
)
_JOINT = Story(
    "Knee injection",
    ("Right knee: slight effusion, no warmth",),
    {"M17.11": "Unilateral primary osteoarthritis, right knee"},
    "Injected without difficulty; rest for a day",
)
_VACCINE = Story(
    "Here for a vaccine",
    ("Well today, no fever",),
    {"Z23": "Encounter for immunization"},
    "Vaccine given in the left upper arm, watched for fifteen minutes",
)
_COLD = Story(
    "Cold and cough",
    ("Throat slightly red", "Lungs clear", "Eardrums normal"),
    {"J06.9": "Acute upper respiratory infection, unspecified"},
    "Fluids and rest; no antibiotics",
    (("Cough", "mild", "3 days"), ("Runny nose", "mild", "4 days")),
)
_CHILD = Story(
    "Well-child visit",
    ("Growth along its line", "Heart and lungs normal", "Development as expected of the age"),
    {"Z00.129": "Encounter for routine child health examination without abnormal findings"},
    "Everything as it should be; talked about sleep, screens and helmets",
)
_EAR = Story(
    "Earache",
    ("Right eardrum red and bulging", "No discharge"),
    {"H66.91": "Otitis media, unspecified, right ear"},
    "Pain relief by weight, look again in two days",
    (("Ear pain", "moderate", "2 days"),),
)

_BY_NOTE = {
    "Tired for some weeks": _FATIGUE,
    "Back pain after lifting": _BACK,
    "Headaches": _HEADACHE,
    "Wants to talk about sleep": _SLEEP,
    "Blood pressure check": _PRESSURE,
    "Results of last week": _RESULTS,
    "Wound check": _WOUND,
    "New medicine: how is it going": _MEDICINE,
    "Removal of a mole": _MOLE,
    "Joint injection": _JOINT,
}
_OF_CHILDREN = (_CHILD, _EAR, _COLD)
STORIES: Sequence[Story] = (*_BY_NOTE.values(), _VACCINE, *_OF_CHILDREN)


def create_samples(by: Actor) -> int:
    """Creates the consultations, where none exists yet. Returns how many."""
    if Consultation.objects.exists():
        return 0
    now = clock.now()
    random = Random(f"visits of {clock.today()}")  # noqa: S311  # a sample, not a secret
    started_at = dict(StatusChange.objects.filter(to_status="in_progress").values_list("appointment", "at"))
    ended_at = dict(StatusChange.objects.filter(to_status="completed").values_list("appointment", "at"))
    rows = list(Appointment.objects.filter(pk__in=started_at).select_related("patient").order_by("scheduled_time", "id"))
    weights = _last_weights({row.patient_id for row in rows})
    signed = [
        _signed(random, row, (started_at[row.pk], ended_at[row.pk]), weights.get(row.patient_id))
        for row in rows
        if row.pk in ended_at
    ]
    doctors = {ID_OF[name]: name for name in _ONGOING_BY_DOCTOR}
    ongoing_appointments = [row for row in rows if row.status == "in_progress" and row.doctor_id in doctors]
    ongoing = [_ongoing(row, _ONGOING_BY_DOCTOR[doctors[row.doctor_id]], started_at[row.pk], now) for row in ongoing_appointments]
    return services.import_records(by=by, consultations=[*signed, *ongoing, *_walk_ins(now)])


def _last_weights(patient_ids: Collection[UUID]) -> dict[UUID, float]:
    """Returns the last weight in each patient's chart, in kg, so that the visits of the fortnight go on from it."""
    entries = ChartEntry.objects.filter(patient__in=patient_ids, code_system=CodeSystem.LOINC, code=_WEIGHT)
    rows = entries.order_by("occurred_at").values_list("patient", "value")
    return {patient_id: float(value) for patient_id, value in rows if value is not None}


def _signed(random: Random, row: Appointment, period: tuple[datetime, datetime], weight: float | None) -> ImportedConsultation:
    """Creates a signed consultation; some have an addendum. `weight` is the last one in the chart."""
    started_at, ended_at = period
    story, chance = _story(random, row), random.random()
    sample = row.patient_id in SAMPLE_IDS.values()
    workflow = "adaptive" if sample or chance < _ADAPTIVE_SHARE else "quick" if chance < _QUICK_SHARE else "standard"
    return ImportedConsultation(
        id=fixed_id(f"consultation.{row.pk}"),
        patient_id=row.patient_id,
        doctor_id=row.doctor_id,
        appointment_id=row.pk,
        workflow_type=workflow,
        started_at=started_at,
        ended_at=ended_at,
        saves=_saves(_step_data(random, row.patient, story, weight), row, story, started_at, ended_at),
        addendum="Results are in, all within range; the patient was called." if story.tests and chance > 0.5 else "",
    )


def _story(random: Random, row: Appointment) -> Story:
    if row.appointment_type == "vaccination":
        return _VACCINE
    if _age(row.patient) < _ADULT:
        return random.choice(_OF_CHILDREN)
    return _BY_NOTE.get(row.notes, _COLD)


def _saves(step_data: StepData, row: Appointment, story: Story, started_at: datetime, ended_at: datetime) -> list[ImportedSave]:
    """Saves every step of the consultation, one after another within its time."""
    each, nurse = (ended_at - started_at) / (len(step_data) + 1), ID_OF["nurse.jones"]
    return [
        ImportedSave(
            step=step,
            data=data,
            at=started_at + place * each,
            by_id=nurse if step <= Step.VITALS else row.doctor_id,
            displays=story.codes,
        )
        for place, (step, data) in enumerate(step_data.items(), start=1)
    ]


def _step_data(random: Random, patient: Patient, story: Story, weight: float | None) -> StepData:
    symptoms = [{"description": what, "severity": how, "duration": long} for what, how, long in story.symptoms]
    tests = [{"test_code": code, "test_type": name, "priority": "routine"} for code, name in story.tests]
    step_data: StepData = {
        Step.PATIENT_OVERVIEW: {"identity_confirmed": True},
        Step.VITALS: vital_signs(random, _age(patient), weight or _usual_weight(patient)),
        Step.SYMPTOMS: {"chief_complaint": story.complaint} | ({"symptoms": symptoms} if symptoms else {}),
        Step.HISTORY_REVIEW: {"allergies_reviewed": True, "medications_reviewed": True, "problems_reviewed": True},
        Step.EXAMINATION: {"findings": [*story.findings]},
        Step.INVESTIGATIONS: {"tests": tests},
        Step.ASSESSMENT: {"diagnoses": [{"code": code} for code in story.codes]},
        Step.TREATMENT_PLAN: {"plan": story.plan},
        Step.FOLLOW_UP: {"follow_up": story.follow_up},
    }
    return {step: data for step, data in step_data.items() if data != {"tests": []}}


def _usual_weight(patient: Patient) -> float:
    """Returns the weight of a patient whose chart has none: by age, and the same at each visit."""
    age, share = _age(patient), Random(f"weight of {patient.pk}").random()  # noqa: S311  # a sample, not a secret
    return 4 + 2.6 * age + (8 if age > 12 else 0) + share if age < _ADULT else 58 + share * 35


def vital_signs(random: Random, age: int, weight: float) -> dict[str, Any]:
    """Returns normal measurements for that age, and a weight near the given one; children have no blood pressure."""
    values: dict[str, Any] = {"temperature_c": round(36.3 + random.random() * 0.8, 1), "spo2": random.randint(96, 99)}
    values["weight_kg"] = round(weight * (1 + (random.random() - 0.5) / 100), 1)  # half a percent up or down
    if age < _ADULT:
        return values | {"pulse": 125 - 3 * age, "respiratory_rate": 28 - age // 2}
    top, low = random.randint(112, 138), random.randint(66, 86)
    return values | {"bp": f"{top}/{low}", "pulse": random.randint(58, 88)}


_RED_FLAG: Mapping[Step, dict[str, Any]] = {
    Step.PATIENT_OVERVIEW: {"identity_confirmed": True},
    Step.VITALS: {"bp": "188/122", "pulse": 92, "spo2": 97},
    Step.SYMPTOMS: {"chief_complaint": "Headache since this morning"},
}
_DIZZINESS: Mapping[Step, dict[str, Any]] = {
    Step.PATIENT_OVERVIEW: {"identity_confirmed": True},
    Step.VITALS: {"bp": "128/82", "pulse": 74, "temperature_c": 36.8},
    Step.SYMPTOMS: {"symptoms": [{"description": "Dizzy when standing up", "severity": "mild", "duration": "1 week"}]},
}
_CHILD_EARACHE: Mapping[Step, dict[str, Any]] = {
    Step.PATIENT_OVERVIEW: {"identity_confirmed": True},
    Step.SYMPTOMS: {"chief_complaint": "Earache and fever since yesterday"},
}
_ONGOING_BY_DOCTOR = {"dr.smith": _DIZZINESS, "dr.patel": _RED_FLAG, "dr.lee": _CHILD_EARACHE}


def _ongoing(
    row: Appointment, step_data: Mapping[Step, dict[str, Any]], started_at: datetime, now: datetime
) -> ImportedConsultation:
    """Creates the ongoing consultations: each doctor has one that triggers another rule."""
    return ImportedConsultation(
        id=fixed_id(f"consultation.{row.pk}"),
        patient_id=row.patient_id,
        doctor_id=row.doctor_id,
        appointment_id=row.pk,
        workflow_type="adaptive",
        status="in_progress",
        started_at=started_at,
        saves=[
            ImportedSave(step=step, data=data, at=min(started_at + (place + 1) * _MINUTE, now), by_id=ID_OF["nurse.jones"])
            for place, (step, data) in enumerate(step_data.items())
        ],
    )


def _walk_ins(now: datetime) -> Iterator[ImportedConsultation]:
    """Creates two walk-ins: one who waits for a result, and one who left unseen."""
    patients = [*Patient.objects.unmerged().filter(is_active=True, restricted=False).exclude(pk__in=SAMPLE_IDS.values())[:40]]
    adults = [patient for patient in patients if _age(patient) >= _ADULT and patient.deceased_at is None]
    for patient, doctor, status, reason in zip(
        adults, ("dr.smith", "dr.patel"), ("on_hold", "cancelled"), ("Waits for the X-ray", "Left unseen"), strict=False
    ):
        started_at = now - 55 * _MINUTE
        at, nurse = started_at + 4 * _MINUTE, ID_OF["nurse.jones"]
        saves = [ImportedSave(step=step, data=data, at=at, by_id=nurse) for step, data in _DIZZINESS.items()]
        yield ImportedConsultation(
            id=fixed_id(f"consultation.walk-in.{doctor}"),
            patient_id=patient.pk,
            doctor_id=ID_OF[doctor],
            workflow_type="quick",
            status=status,
            started_at=started_at,
            ended_at=now - 20 * _MINUTE,
            reason=reason,
            saves=saves if status == "on_hold" else saves[:1],
        )


def _age(patient: Patient) -> int:
    return years_between(patient.date_of_birth, clock.today())
