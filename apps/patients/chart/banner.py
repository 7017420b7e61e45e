"""The patient banner: the patient's identity in one line on top of every page of a patient, so that entries go into the correct
chart."""

from dataclasses import dataclass
from uuid import UUID

from apps.access.actor import Actor
from apps.common.text import isolated
from apps.patients.chart import ages, entry_types
from apps.patients.chart.entry_types import EntryType
from apps.patients.models import AllergyStatus, ChartEntry, Patient
from apps.patients.rights import Permission

_LAST_DIGITS = 3  # of the MRN, in a title


@dataclass(frozen=True)
class Banner:
    """`name` (in a title `title_name`), `born` and `age` as text; `title` begins the title of a page: `DOE, John (…001)`.
    `allergy_status` is empty if the reader may not know of allergies; `allergies` are named if the reader may read them."""

    patient_id: UUID
    name: str
    title_name: str
    title: str
    born: str
    age: str
    gender: str
    mrn: str
    phone: str
    is_active: bool
    is_deceased: bool
    is_restricted: bool
    allergy_status: str
    allergies: tuple[str, ...]


def of(patient: Patient, reader: Actor) -> Banner:
    """Returns the banner for this reader. The age of a deceased patient is that at death."""
    sees_details = reader.has_permission(Permission.PATIENT_SEE_DETAILS)
    sees_allergies = reader.has_permission(Permission.PATIENT_SEE_ALLERGY_STATUS)
    return Banner(
        patient_id=patient.pk,
        name=patient.filed_name,
        title_name=isolated(patient.filed_name),
        title=f"{isolated(patient.filed_name)} (…{patient.mrn[-_LAST_DIGITS:]})",
        born=patient.born,
        age=ages.age_on_page(patient),
        gender=patient.get_gender_display() if sees_details else "",
        mrn=patient.mrn,
        phone=patient.phone if reader.has_permission(Permission.PATIENT_VIEW) else "",
        is_active=patient.is_active,
        is_deceased=sees_details and patient.deceased_at is not None,
        is_restricted=patient.restricted,
        allergy_status=patient.allergy_status if sees_allergies else "",
        allergies=_allergies(patient, reader) if sees_allergies and patient.allergy_status == AllergyStatus.LISTED else (),
    )


def _allergies(patient: Patient, reader: Actor) -> tuple[str, ...]:
    rows = ChartEntry.objects.visible_to(reader).filter(patient=patient, type=EntryType.ALLERGY).not_in_error()
    system, code, _ = entry_types.NO_KNOWN_ALLERGY
    active = rows.exclude(status__in=["inactive", "resolved"]).exclude(code_system=system, code=code)
    return tuple(dict.fromkeys(active.order_by("display").values_list("display", flat=True)))
