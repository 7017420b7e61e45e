"""Who looked at a patient's record, in plain language: from the audit log, with names, merged records included."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.access.roles import Role
from apps.accounts.models import User
from apps.audit import selectors as audit_log
from apps.audit.models import AuditEvent
from apps.common.errors import NotFound
from apps.patients.lists.patient_queries import surviving_id
from apps.patients.models import Patient

_ACTION_TEXTS: Final = {
    "patient.read": "Opened the record",
    "patient.update": "Tried to change the record",
    "patient.retrieve": "Tried to open the record",
    "patient.registered": "Registered the patient",
    "patient.updated": "Changed the record",
    "patient.deactivated": "Removed the patient from the active list",
    "patient.reactivated": "Returned the patient to the active list",
    "patient.transferred_in": "Imported records from another system",
    "patient.told_apart": "Recorded that a similar record is another person's",
    "patient.merge_requested": "Asked for a merge with a similar record",
    "patient.merge_previewed": "Compared the record with another",
    "patient.merged": "Merged another record into this one",
    "patient.merge_undone": "Undid a merge",
    "patient.merge_triage_settled": "Decided what belongs to which record after a merge",
    "merge.read": "Looked at a merge",
    "patient.restricted": "Restricted the chart, or changed its care team",
    "patient.restriction_lifted": "Lifted the restriction of the chart",
    "patient.care_team_joined": "Joined the care team",
    "patient.care_team_left": "Left the care team",
    "patient.glass_broken": "Opened the restricted chart in an emergency",
    "patient.glass_reviewed": "Reviewed an emergency access",
    "patient.access_log_read": "Read who looked at the record",
    "patient.history_read": "Read who looked at the record",
    "chart.read": "Read the chart",
    "chart.list": "Tried to read the chart",
    "chart.recorded": "Added to the chart",
    "chart.entries_recorded": "Added to the chart",
    "chart.retracted": "Marked a chart entry as entered in error",
    "chart.asked_for": "Opened the form for a chart entry",
    "appointment.searched": "Listed the appointments",
    "consultation.searched": "Listed the visits",
    "waitlist.searched": "Listed the entries of the waiting list",
    "appointment.asked_for": "Opened the form for an appointment",
    "series.asked_for": "Opened the form for a repeat booking",
    "waitlist.asked_for": "Opened the form for the waiting list",
    "consultation.asked_for": "Opened the form for a visit",
    "page.refused": "Tried to open a page of the record",
}
# The purpose of an access, unless the audit log names another: HL7's PurposeOfUse in plain language.
_TREATMENT, _PAYMENT, _OPERATIONS = "treatment", "payment", "operations"
_PURPOSES: Final = {
    Role.DOCTOR: _TREATMENT,
    Role.NURSE: _TREATMENT,
    Role.PHARMACIST: _TREATMENT,
    Role.LAB_TECHNICIAN: _TREATMENT,
    Role.BILLING: _PAYMENT,
}


@dataclass(frozen=True)
class AccessLogEntry:
    """One row: who, in which role, did what, with which outcome and why. `person_id` is None for the system and for anonymous
    callers."""

    id: UUID
    at: datetime
    person_id: UUID | None
    name: str
    role: str
    action: str
    in_words: str
    outcome: str
    purpose: str


def of(patient_id: UUID, *, since: datetime | None = None, until: datetime | None = None) -> tuple[UUID, QuerySet[AuditEvent]]:
    """Returns the survivor of the patient, and the rows about that record and all that were merged into it, the latest first.

    Raises NotFound. Works for a restricted chart too: the access log is not part of the chart. The caller has checked the
    permission.
    """
    family = Patient.objects.filter(Q(pk=surviving_id(patient_id)) | Q(merged_into=surviving_id(patient_id)))
    merged_into_of = dict(family.values_list("pk", "merged_into"))
    if not merged_into_of:
        raise NotFound("There is no such patient.")
    survivor = next(pk for pk, merged_into in merged_into_of.items() if merged_into is None)
    return survivor, audit_log.about_patient(list(merged_into_of), since=since, until=until)


def entries(rows: Iterable[AuditEvent]) -> list[AccessLogEntry]:
    """Returns the rows with names and descriptions. One query for all names."""
    rows = list(rows)
    people = User.objects.in_bulk({row.user_id for row in rows if row.user_id})
    return [_entry(row, people.get(row.user_id)) for row in rows]


def _entry(row: AuditEvent, person: User | None) -> AccessLogEntry:
    return AccessLogEntry(
        id=row.pk,
        at=row.at,
        person_id=row.user_id,
        name=person.full_name if person else row.role or "stranger",
        role=row.role,
        action=row.action,
        in_words=_ACTION_TEXTS.get(row.action, row.action.replace(".", " ").replace("_", " ").capitalize()),
        outcome=row.outcome,
        purpose=row.purpose or _PURPOSES.get(row.role, _OPERATIONS),  # type: ignore[call-overload]  # a role is its word
    )
