"""Sample charts in the form of the patients app: reads the hand-written files and the generated patients into its dataclasses."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.patients.services import NewEntry, Registration
from apps.prescriptions.catalogue.services import loading as drugs
from apps.sandbox.samples import appointments, consultations, notices, staff, waitlist
from apps.sandbox.samples.generated_patients import generate_patients
from apps.sandbox.samples.sample_ids import PATIENTS, fixed_id

_FOLDER = Path(__file__).parent.parent / "data"
Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Sample:
    """One sample patient: `ref` is the patient's name in the sandbox, with the same id on every machine."""

    ref: str
    patient_id: UUID
    registration: Registration
    entries: tuple[NewEntry, ...]


def handwritten_patients() -> list[dict[str, Any]]:
    """Returns the three hand-written histories."""
    return [json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in PATIENTS]


def all_patients() -> list[dict[str, Any]]:
    """Returns all sample patients, the hand-written ones last, so that they come first in the lists."""
    return [*reversed(generate_patients()), *reversed(handwritten_patients())]


def fingerprint() -> str:
    """Returns the SHA-256 over all seeded data; it changes when the sample data change."""
    people = [[member.username, str(member.id), member.role, member.totp_seed] for member in staff.STAFF]
    keys = [[key.role, key.text] for key in staff.KEYS]
    notices_content = [[notice.ref, notice.title] for notice in notices.NOTICES]
    restricted = [staff.RESTRICTED, staff.CARE_TEAM]
    schedules = [appointments.DOCTORS, appointments.ROOMS, appointments.SAMPLES]
    stories = [[story.complaint, story.plan, *story.codes] for story in consultations.STORIES]
    waiting = [[one.note, one.doctor, one.kind, one.priority, one.days] for one in waitlist.SAMPLE_WAITS]
    medicines = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(drugs.SEED.parent.glob("*.csv"))]
    seeded = [people, keys, all_patients(), notices_content, restricted, schedules, stories, waiting, medicines]
    return hashlib.sha256(json.dumps(seeded, sort_keys=True).encode()).hexdigest()


def read(raw: Raw) -> Sample:
    """Returns the sample as a dataclass of the patients app."""
    ref = raw["alias"]
    entries = tuple(_entry(ref, line) for line in raw["entries"])
    return Sample(ref=ref, patient_id=fixed_id(ref), registration=_registration(raw["registration"]), entries=entries)


def _registration(card: Raw) -> Registration:
    fields = {key: value for key, value in card.items() if not isinstance(value, Mapping)}
    fields |= card.get("address", {})
    fields |= {f"emergency_{key}": value for key, value in card.get("emergency_contact", {}).items()}
    fields |= {f"insurance_{key}": value for key, value in card.get("insurance", {}).items()}
    fields["date_of_birth"] = date.fromisoformat(fields["date_of_birth"])
    if "deceased_at" in fields:
        fields["deceased_at"] = moment(fields["deceased_at"])
    return Registration(**fields)


def _entry(ref: str, line: Raw) -> NewEntry:
    return NewEntry(
        type=line["type"],
        code_system=line["code_system"],
        code=line["code"],
        display=line["display"],
        status=line["status"],
        occurred_at=moment(line["occurred_at"]),
        occurred_on=line.get("occurred_on", ""),  # if only the year or the month is known
        ended_at=moment(line["ended_at"]) if "ended_at" in line else None,
        value=Decimal(str(line["value"])) if "value" in line else None,
        unit=line.get("unit", ""),
        detail=dict(line["detail"]),
        source_ref=source_ref(ref, line),
        recorded_by_id=staff.ID_OF[line["recorded_by"]],
    )


def source_ref(ref: str, line: Raw) -> str:
    """Returns the identity of the line, wherever it is in the file."""
    what = "|".join(str(line[key]) for key in ("type", "code_system", "code", "display", "occurred_at"))
    return f"{ref}:{hashlib.sha256(what.encode()).hexdigest()[:16]}"


def moment(text: str) -> datetime:
    """Returns an instant as written; a bare date is its midnight at the clinic."""
    if "T" in text:
        return datetime.fromisoformat(text)
    return datetime.combine(date.fromisoformat(text), time(), tzinfo=ZoneInfo(settings.CLINIC_TIME_ZONE))
