"""What a signed visit puts into the chart: its diagnoses, each measured value, and a note of complaint, assessment and plan."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.consultations import vitals
from apps.consultations.models import Addendum, Consultation
from apps.consultations.selectors import Visit
from apps.consultations.steps import Step
from apps.patients.chart import TEXT_MAX, CodeSystem, EntryType
from apps.patients.models import ChartEntry
from apps.patients.services import NewEntry

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
    for name, value in save.parsed.items() if save else ():
        code, display, unit = vitals.LOINC[name]
        yield NewEntry(
            type=EntryType.VITAL_SIGN,
            code_system=CodeSystem.LOINC,
            code=code,
            display=display,
            occurred_at=save.saved_at if save else None,
            value=Decimal(str(value)),
            unit=unit,
            source_ref=_ref(visit.row, f"vital:{name}"),
            recorded_by_id=_measured_by(visit),
        )


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
