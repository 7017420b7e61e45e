"""What a signed consultation adds to the chart: its diagnoses, each measured value, and a note of complaint, assessment and
plan."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from apps.consultations.models import Addendum, Consultation, StepSave
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.steps.definitions import Step
from apps.patients.chart import vitals
from apps.patients.chart.entry_types import TEXT_MAX, CodeSystem, EntryType
from apps.patients.chart.vitals.parsing import UNIT_SIGNS
from apps.patients.models import ChartEntry
from apps.patients.services import NewEntry

SOURCE = ChartEntry.Source.CONSULTATION.value
_PRESSURE = ("systolic", "diastolic")
_MORE = " … (more in the consultation)"


def entries(consultation: ConsultationDetails, measured: Sequence[StepSave]) -> list[NewEntry]:
    """Returns the chart entries of a consultation that is being signed. `measured` are all saves of its vital signs, the first
    first."""
    return [*_diagnoses(consultation), *_measured(consultation.row, measured), *_note(consultation)]


def addendum(row: Consultation, added: Addendum) -> NewEntry:
    """Returns the chart entry of an addendum."""
    return _text(row, f"addendum:{added.pk}", "Addendum to a consultation", added.text, added.signed_at)


def _diagnoses(consultation: ConsultationDetails) -> Iterator[NewEntry]:
    save = consultation.saves.get(Step.ASSESSMENT)
    for diagnosis in save.parsed.get("diagnoses", ()) if save else ():
        yield NewEntry(
            type=EntryType.DIAGNOSIS,
            code_system=CodeSystem.ICD_10_CM,
            code=diagnosis["code"],
            display=diagnosis["display"],
            occurred_at=consultation.row.started_at,
            detail={"note": "Primary diagnosis of the visit"} if diagnosis["primary"] else {},
            source_ref=_ref(consultation.row, f"diagnosis:{diagnosis['code']}"),
            recorded_by_id=consultation.row.doctor_id,
        )


def _measured(row: Consultation, saves: Sequence[StepSave]) -> Iterator[NewEntry]:
    """Returns each current value, and the readings of the blood pressure that a later one replaced.

    A save contains the values of the earlier ones too, so a value is of the time and the user of the first save with it.
    """
    if not saves:
        return
    for name in saves[-1].parsed:
        yield _number(row, _first_saves(saves, name)[-1], name)
    for name in vitals.not_measurable(saves[-1].data):
        sign = "systolic" if name == "bp" else name
        yield _vital_sign(row, _first_saves(saves, sign)[-1], sign, detail={"value_text": "not measurable"})
    for save, following in pairwise(_first_saves(saves, "systolic")):
        if following.data.get("bp"):  # one that was emptied was entered in error
            for name in _PRESSURE:
                if name in save.parsed:
                    yield _number(row, save, name, version=f":{save.version}", remark="An earlier reading of the visit")


def _first_saves(saves: Sequence[StepSave], name: str) -> list[StepSave]:
    """Returns the first save of each run of saves with the same value; the last of these has the current value."""
    values = [_value(save, name) for save in saves]
    return [save for place, save in enumerate(saves) if place == 0 or values[place - 1] != values[place]]


def _value(save: StepSave, name: str) -> tuple[object, ...]:
    """Returns what a save says of a vital sign. The two numbers of a blood pressure are one reading."""
    if name in _PRESSURE:
        return (save.data.get("bp") == vitals.NOT_MEASURABLE, *map(save.parsed.get, _PRESSURE))
    return (save.data.get(name) == vitals.NOT_MEASURABLE, save.parsed.get(name))


def _number(row: Consultation, save: StepSave, name: str, *, version: str = "", remark: str = "") -> NewEntry:
    note = "; ".join(filter(None, (_measured_how(save, name), remark)))
    value, unit = Decimal(str(save.parsed[name])), vitals.LOINC[name][2]
    return _vital_sign(row, save, name + version, value=value, unit=unit, detail={"note": note} if note else {})


def _vital_sign(
    row: Consultation, save: StepSave, ref: str, *, detail: dict[str, str], value: Decimal | None = None, unit: str = ""
) -> NewEntry:
    """Returns the entry of a value that this save entered: a nurse may have saved it."""
    code, display, _ = vitals.LOINC[ref.partition(":")[0]]
    return NewEntry(
        type=EntryType.VITAL_SIGN,
        code_system=CodeSystem.LOINC,
        code=code,
        display=display,
        occurred_at=save.saved_at,
        value=value,
        unit=unit,
        detail=detail,
        source_ref=_ref(row, f"vital:{ref}"),
        recorded_by_id=save.saved_by_id or row.doctor_id,
    )


def _measured_how(save: StepSave, name: str) -> str:
    """Returns what was entered if it was another unit, and how a pressure without a diastolic value was taken."""
    if name == "systolic" and "diastolic" not in save.parsed:
        return "By palpation"
    typed = save.data.get("entered", {}).get(name)
    return f"Entered as {typed['value']:g} {UNIT_SIGNS.get(typed['unit'], typed['unit'])}" if typed else ""


def _note(consultation: ConsultationDetails) -> Iterator[NewEntry]:
    data = {step: save.data for step, save in consultation.saves.items()}
    coded = consultation.saves[Step.ASSESSMENT].parsed.get("diagnoses", ()) if Step.ASSESSMENT in consultation.saves else ()
    lines = [
        ("Complaint", data.get(Step.SYMPTOMS, {}).get("chief_complaint", "")),
        ("Assessment", "; ".join(f"{one['code']} {one['display']}" for one in coded)),
        ("Plan", data.get(Step.TREATMENT_PLAN, {}).get("plan", "")),
    ]
    text = "\n".join(f"{name}: {content}" for name, content in lines if content)
    if text:
        yield _text(consultation.row, "note", "Consultation note", text, consultation.row.completed_at)


def _text(row: Consultation, which: str, title: str, text: str, at: datetime | None) -> NewEntry:
    shortened = text if len(text) <= TEXT_MAX else text[: TEXT_MAX - len(_MORE)] + _MORE
    return NewEntry(
        type=EntryType.NOTE,
        display=title,
        occurred_at=at,
        detail={"title": title, "text": shortened},
        source_ref=_ref(row, which),
        recorded_by_id=row.doctor_id,
    )


def _ref(row: Consultation, which: str) -> str:
    return f"consultation:{row.pk}:{which}"
