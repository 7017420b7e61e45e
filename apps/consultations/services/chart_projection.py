"""What a signed consultation adds to the chart: its diagnoses, each measured value, and a note of complaint, assessment and
plan."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.consultations.models import Addendum, Consultation, StepSave
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.steps.definitions import Step
from apps.patients.chart import vitals
from apps.patients.chart.entry_types import TEXT_MAX, CodeSystem, EntryType
from apps.patients.chart.vitals.parsing import UNIT_SIGNS
from apps.patients.models import ChartEntry
from apps.patients.services import NewEntry

SOURCE = ChartEntry.Source.CONSULTATION.value
_MORE = " … (more in the consultation)"


def entries(consultation: ConsultationDetails) -> list[NewEntry]:
    """Returns the chart entries of a consultation that is being signed."""
    return [*_diagnoses(consultation), *_measured(consultation), *_note(consultation)]


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


def _measured(consultation: ConsultationDetails) -> Iterator[NewEntry]:
    save = consultation.saves.get(Step.VITALS)
    if save is None:
        return
    for name, value in save.parsed.items():
        yield _vital_sign(
            consultation, save, name, value=Decimal(str(value)), unit=vitals.LOINC[name][2], note=_measured_how(save, name)
        )
    for name in vitals.not_measurable(save.data):
        yield _vital_sign(consultation, save, "systolic" if name == "bp" else name, text="not measurable")


def _vital_sign(
    consultation: ConsultationDetails,
    save: StepSave,
    name: str,
    *,
    value: Decimal | None = None,
    unit: str = "",
    note: str = "",
    text: str = "",
) -> NewEntry:
    code, display, _ = vitals.LOINC[name]
    return NewEntry(
        type=EntryType.VITAL_SIGN,
        code_system=CodeSystem.LOINC,
        code=code,
        display=display,
        occurred_at=save.saved_at,
        value=value,
        unit=unit,
        detail={key: content for key, content in (("note", note), ("value_text", text)) if content},
        source_ref=_ref(consultation.row, f"vital:{name}"),
        recorded_by_id=_measured_by(consultation),
    )


def _measured_how(save: StepSave, name: str) -> str:
    """Returns what was entered if it was another unit, and how a pressure without a diastolic value was taken."""
    if name == "systolic" and "diastolic" not in save.parsed:
        return "By palpation"
    typed = save.data.get("entered", {}).get(name)
    return f"Entered as {typed['value']:g} {UNIT_SIGNS.get(typed['unit'], typed['unit'])}" if typed else ""


def _measured_by(consultation: ConsultationDetails) -> UUID:
    """Returns the user who saved the values, who may be a nurse."""
    return consultation.saves[Step.VITALS].saved_by_id or consultation.row.doctor_id


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
