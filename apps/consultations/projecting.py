"""What a signed visit puts into the chart: its diagnoses, each measured value, and a note of complaint, assessment and plan."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.consultations.models import Addendum, Consultation, StepSave
from apps.consultations.selectors import Visit
from apps.consultations.steps import Step
from apps.patients import vitals
from apps.patients.chart import TEXT_MAX, CodeSystem, EntryType
from apps.patients.models import ChartEntry
from apps.patients.services import NewEntry
from apps.patients.vitals.reading import UNIT_SIGNS

SOURCE = ChartEntry.Source.CONSULTATION.value
_MORE = " … (more in the consultation)"


def entries(visit: Visit) -> list[NewEntry]:
    """The chart's rows of a visit that is being signed."""
    return [*_diagnoses(visit), *_measured(visit), *_note(visit)]


def addendum(row: Consultation, added: Addendum) -> NewEntry:
    """The chart's row of what was added later."""
    return _text(row, f"addendum:{added.pk}", "Addendum to a consultation", added.text, added.signed_at)


def _diagnoses(visit: Visit) -> Iterator[NewEntry]:
    save = visit.saves.get(Step.ASSESSMENT)
    for diagnosis in save.parsed.get("diagnoses", ()) if save else ():
        yield NewEntry(
            type=EntryType.DIAGNOSIS,
            code_system=CodeSystem.ICD_10_CM,
            code=diagnosis["code"],
            display=diagnosis["display"],
            occurred_at=visit.row.started_at,
            detail={"note": "Primary diagnosis of the visit"} if diagnosis["primary"] else {},
            source_ref=_ref(visit.row, f"diagnosis:{diagnosis['code']}"),
            recorded_by_id=visit.row.doctor_id,
        )


def _measured(visit: Visit) -> Iterator[NewEntry]:
    save = visit.saves.get(Step.VITALS)
    if save is None:
        return
    for name, value in save.parsed.items():
        yield _vital_sign(visit, save, name, value=Decimal(str(value)), unit=vitals.LOINC[name][2], note=_how(save, name))
    for name in vitals.not_measurable(save.data):
        yield _vital_sign(visit, save, "systolic" if name == "bp" else name, text="not measurable")


def _vital_sign(
    visit: Visit, save: StepSave, name: str, *, value: Decimal | None = None, unit: str = "", note: str = "", text: str = ""
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
        detail={key: told for key, told in (("note", note), ("value_text", text)) if told},
        source_ref=_ref(visit.row, f"vital:{name}"),
        recorded_by_id=_measured_by(visit),
    )


def _how(save: StepSave, name: str) -> str:
    """What was typed where it was another unit, and how a pressure without a diastolic value was taken."""
    if name == "systolic" and "diastolic" not in save.parsed:
        return "By palpation"
    typed = save.data.get("entered", {}).get(name)
    return f"Entered as {typed['value']:g} {UNIT_SIGNS.get(typed['unit'], typed['unit'])}" if typed else ""


def _measured_by(visit: Visit) -> UUID:
    """Whoever saved the values; they may be a nurse's."""
    return visit.saves[Step.VITALS].saved_by_id or visit.row.doctor_id


def _note(visit: Visit) -> Iterator[NewEntry]:
    data = {step: save.data for step, save in visit.saves.items()}
    coded = visit.saves[Step.ASSESSMENT].parsed.get("diagnoses", ()) if Step.ASSESSMENT in visit.saves else ()
    lines = [
        ("Complaint", data.get(Step.SYMPTOMS, {}).get("chief_complaint", "")),
        ("Assessment", "; ".join(f"{one['code']} {one['display']}" for one in coded)),
        ("Plan", data.get(Step.TREATMENT_PLAN, {}).get("plan", "")),
    ]
    text = "\n".join(f"{name}: {said}" for name, said in lines if said)
    if text:
        yield _text(visit.row, "note", "Consultation note", text, visit.row.completed_at)


def _text(row: Consultation, which: str, title: str, text: str, at: datetime | None) -> NewEntry:
    kept = text if len(text) <= TEXT_MAX else text[: TEXT_MAX - len(_MORE)] + _MORE
    return NewEntry(
        type=EntryType.NOTE,
        display=title,
        occurred_at=at,
        detail={"title": title, "text": kept},
        source_ref=_ref(row, which),
        recorded_by_id=row.doctor_id,
    )


def _ref(row: Consultation, which: str) -> str:
    return f"consultation:{row.pk}:{which}"
