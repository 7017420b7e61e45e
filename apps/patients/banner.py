"""The patient banner: who this is, in one line on top of every page of a patient, so that nobody writes into the wrong chart."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.common import clock
from apps.patients import chart, rules
from apps.patients.chart import EntryType
from apps.patients.models import AllergyStatus, ChartEntry, Patient


@dataclass(frozen=True)
class Banner:
    """`allergy_status` is empty where the reader may not know of allergies; `allergies` are named where he may read them."""

    patient_id: UUID
    last_name: str
    first_name: str
    born: date
    age: int
    gender: str
    mrn: str
    is_active: bool
    is_deceased: bool
    is_restricted: bool
    allergy_status: str
    allergies: tuple[str, ...]


def of(patient: Patient, reader: Actor) -> Banner:
    """The banner as this reader may see it. The age of the dead is that at death."""
    until = patient.deceased_at.date() if patient.deceased_at else clock.today()
    sees = reader.may(Permission.PATIENT_SEE_ALLERGY_STATUS)
    return Banner(
        patient_id=patient.pk,
        last_name=patient.last_name,
        first_name=" ".join(filter(None, [patient.first_name, patient.middle_name])),
        born=patient.date_of_birth,
        age=rules.age(patient.date_of_birth, until),
        gender=patient.get_gender_display(),
        mrn=patient.mrn,
        is_active=patient.is_active,
        is_deceased=patient.deceased_at is not None,
        is_restricted=patient.restricted,
        allergy_status=patient.allergy_status if sees else "",
        allergies=_allergies(patient, reader) if sees and patient.allergy_status == AllergyStatus.LISTED else (),
    )


def _allergies(patient: Patient, reader: Actor) -> tuple[str, ...]:
    rows = ChartEntry.objects.visible_to(reader).filter(patient=patient, type=EntryType.ALLERGY).standing()
    system, code, _ = chart.NO_KNOWN_ALLERGY
    listed = rows.exclude(status__in=["inactive", "resolved"]).exclude(code_system=system, code=code)
    return tuple(dict.fromkeys(listed.order_by("display").values_list("display", flat=True)))
