"""Serializers of patients and chart entries, within the reader's permissions."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.accounts.rights import Permission as AccountPermission
from apps.patients import rights, selectors, services
from apps.patients.api.serializers.details import DetailShape
from apps.patients.chart.ages import age_of
from apps.patients.chart.dates import Precision
from apps.patients.chart.entry_types import CodeSystem, EntryType
from apps.patients.lists.patient_queries import LIST_COLUMNS
from apps.patients.matching.duplicates import Match
from apps.patients.matching.scoring import Reason
from apps.patients.models import AllergyStatus, ChartEntry, Gender, NotDuplicate, Patient
from apps.patients.rights import Permission
from apps.rest.sparse_fields import Expansion

_AS_ENTERED = "An RFC 3339 time, or the date as it was entered: YYYY-MM-DD, YYYY-MM or YYYY"


class PatientRow(serializers.Serializer):
    """A patient in a list: exactly these eight keys."""

    reads = Permission.PATIENT_VIEW

    id = serializers.UUIDField()
    mrn = serializers.CharField()
    first_name = serializers.CharField(allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)
    date_of_birth = serializers.DateField()
    phone = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    is_active = serializers.BooleanField()


class CandidateShape(serializers.Serializer):
    """A recorded patient who may be the described person."""

    patient = PatientRow()
    score = serializers.FloatField(min_value=0, max_value=1, help_text="From 0.5 (even odds) to 1 (nothing differs)")
    reasons = serializers.ListField(child=serializers.ChoiceField(choices=[reason.value for reason in Reason]))


class CandidatesShape(serializers.Serializer):
    """At most ten, the most likely first."""

    candidates = CandidateShape(many=True)


class PairShape(serializers.Serializer):
    """Two records that a user marked as two people's."""

    patient_id = serializers.UUIDField()
    other_id = serializers.UUIDField()
    said_by = serializers.UUIDField(allow_null=True)
    said_at = serializers.DateTimeField()


class DemographicsShape(serializers.Serializer):
    first_name = serializers.CharField(allow_blank=True)
    middle_name = serializers.CharField(required=False, allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)
    date_of_birth = serializers.DateField(help_text="The first day of the period that is known")
    date_of_birth_precision = serializers.ChoiceField(
        choices=list(Precision), required=False, help_text="How exactly it is known"
    )
    time_of_birth = serializers.CharField(required=False, allow_null=True, help_text="By the clinic's clock, like 14:05")
    age_in_words = serializers.CharField(
        required=False, help_text="Now, or at death, by the clinic's clock: 5 hours, 20 days, 51 years, about 51 years"
    )
    gender = serializers.ChoiceField(choices=Gender.choices)
    language = serializers.CharField(required=False, allow_blank=True, help_text="A BCP 47 code, like es")
    deceased_at = serializers.DateTimeField(required=False, allow_null=True)


class AddressShape(serializers.Serializer):
    street = serializers.CharField(allow_blank=True)
    city = serializers.CharField(allow_blank=True)
    state = serializers.CharField(allow_blank=True)
    zip = serializers.CharField(allow_blank=True)
    country = serializers.CharField(required=False, help_text="If one is recorded: a name or an ISO 3166-1 code")


class ContactShape(serializers.Serializer):
    phone = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    address = AddressShape(required=False, help_text="Hidden from pharmacists and laboratory")


class EmergencyContactShape(serializers.Serializer):
    name = serializers.CharField(allow_blank=True)
    relationship = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)


class InsuranceShape(serializers.Serializer):
    provider = serializers.CharField(allow_blank=True)
    policy_number = serializers.CharField(allow_blank=True)
    group_number = serializers.CharField(allow_blank=True)


class PatientShape(serializers.Serializer):
    """A patient in full. Fields that the reader's role may not see are absent; required are the reference's keys that all roles
    see."""

    reads = Permission.PATIENT_VIEW

    id = serializers.UUIDField()
    mrn = serializers.CharField()
    is_active = serializers.BooleanField(required=False)
    demographics = DemographicsShape()
    contact = ContactShape()
    emergency_contact = EmergencyContactShape(required=False)
    insurance = InsuranceShape(required=False)
    allergy_status = serializers.ChoiceField(choices=AllergyStatus.choices, required=False)
    created_at = serializers.DateTimeField(required=False)
    updated_at = serializers.DateTimeField(required=False)


class ColleagueShape(serializers.Serializer):
    """A member of staff by name."""

    reads = AccountPermission.DOCTOR_VIEW

    id = serializers.UUIDField()
    first_name = serializers.CharField(allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)
    role = serializers.CharField()


class ChartEntryShape(serializers.Serializer):
    """One entry of the chart."""

    reads = Permission.CHART_VIEW

    id = serializers.UUIDField()
    type = serializers.ChoiceField(choices=[kind.value for kind in EntryType])
    code = serializers.CharField(allow_blank=True)
    code_system = serializers.ChoiceField(choices=[system.value for system in CodeSystem], allow_blank=True)
    display = serializers.CharField()
    status = serializers.CharField()
    recorded_at = serializers.DateTimeField()
    recorded_by = serializers.UUIDField(allow_null=True, help_text="A staff member's id; null if no person recorded it")
    occurred_at = serializers.CharField(help_text=f"Onset, effective time, or when it was done. {_AS_ENTERED}")
    ended_at = serializers.CharField(allow_null=True, help_text=_AS_ENTERED)
    detail = DetailShape(help_text="Additional fields of this kind of entry; `value` and `unit` for measurements")
    source = serializers.ChoiceField(choices=ChartEntry.Source.choices)  # type: ignore[assignment]  # DRF has an attribute so called
    recorder = ColleagueShape(required=False, allow_null=True, help_text="Who `recorded_by` is; with `expand=recorder`")


def colleagues(reader: Actor, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Returns members of staff by name, within the reader's permissions; for expansions."""
    return {
        user.pk: {"id": user.pk, "first_name": user.first_name, "last_name": user.last_name, "role": user.role}
        for user in accounts.colleagues(visible_to=reader, ids=ids)
    }


def rows_by_id(reader: Actor, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Returns patients as in a list, within the reader's permissions; for expansions."""
    return {row.pk: to_row(row) for row in selectors.named(visible_to=reader, ids=ids)}


RECORDER = Expansion(of="recorded_by", permission=AccountPermission.DOCTOR_VIEW, load=colleagues)
RETIRED = Expansion(of="retired_id", permission=Permission.PATIENT_VIEW, load=rows_by_id)
SURVIVOR = Expansion(of="survivor_id", permission=Permission.PATIENT_VIEW, load=rows_by_id)


def patient(row: Patient, reader: Actor) -> dict[str, Any]:
    """Returns the reference's detail (section 3.2), with `is_active`, `allergy_status` and times in addition."""
    shape: dict[str, Any] = {"id": row.pk, "mrn": row.mrn, "is_active": row.is_active, "demographics": _demographics(row)}
    shape["contact"] = {"phone": row.phone, "email": row.email}
    if reader.has_permission(Permission.PATIENT_SEE_ADDRESS):
        shape["contact"]["address"] = {name: getattr(row, name) for name in ("street", "city", "state", "zip")}
        if row.country:
            shape["contact"]["address"]["country"] = row.country
    if reader.has_permission(Permission.PATIENT_SEE_EMERGENCY_CONTACT):
        shape["emergency_contact"] = {
            "name": row.emergency_name,
            "relationship": row.emergency_relationship,
            "phone": row.emergency_phone,
        }
    if reader.has_permission(Permission.PATIENT_SEE_INSURANCE):
        shape["insurance"] = {
            "provider": row.insurance_provider,
            "policy_number": row.insurance_policy_number,
            "group_number": row.insurance_group_number,
        }
    if reader.has_permission(Permission.PATIENT_SEE_ALLERGY_STATUS):
        shape["allergy_status"] = row.allergy_status
    return shape | {"created_at": row.created_at, "updated_at": row.updated_at}


def _demographics(row: Patient) -> dict[str, Any]:
    return {
        "first_name": row.first_name,
        "middle_name": row.middle_name,
        "last_name": row.last_name,
        "date_of_birth": row.date_of_birth,
        "date_of_birth_precision": row.date_of_birth_precision,
        "time_of_birth": f"{row.time_of_birth:%H:%M}" if row.time_of_birth else None,
        "age_in_words": age_of(row),
        "gender": row.gender,
        "language": row.language,
        "deceased_at": row.deceased_at,
    }


def to_row(row: Patient) -> dict[str, Any]:
    """Returns a patient in a list."""
    return {name: getattr(row, name) for name in LIST_COLUMNS}


def candidate(match: Match) -> dict[str, Any]:
    return {"patient": to_row(match.patient), "score": match.score, "reasons": match.reasons}


def pair(row: NotDuplicate, patient_id: UUID) -> dict[str, Any]:
    """Returns the pair from the side of one of the two."""
    other_id = row.high_id if row.low_id == patient_id else row.low_id
    return {"patient_id": patient_id, "other_id": other_id, "said_by": row.decided_by_id, "said_at": row.decided_at}


def record(row: ChartEntry, reader: Actor) -> dict[str, Any]:
    """Returns a chart entry; for readers of codes alone without its narrative."""
    return {
        "id": row.pk,
        "type": row.type,
        "code": row.code,
        "code_system": row.code_system,
        "display": row.display,
        "status": row.status,
        "recorded_at": row.recorded_at,
        "recorded_by": row.recorded_by_id,
        "occurred_at": row.occurred_on or row.occurred_at,
        "ended_at": row.ended_on or row.ended_at,
        "detail": {} if rights.coded_only(reader.role) else _detail(row),
        "source": row.source,
    }


def _detail(row: ChartEntry) -> dict[str, Any]:
    detail = dict(row.detail)
    if row.value is not None:
        detail["value"] = row.value.normalize()
    if row.unit:
        detail["unit"] = row.unit
    if row.retraction_reason:
        detail["retraction_reason"] = row.retraction_reason
    return detail


def visits_affected(patient: Patient, field: str = "") -> list[dict[str, Any]]:
    """Returns the warning that booked appointments of a patient who is deceased or inactive stay in the schedule; empty without
    one."""
    count = services.visits_affected(patient)
    if not count:
        return []
    message = f"{count} booked appointments of this patient stay in the schedule. Cancel them, or correct the entry."
    warning = {"code": "visits_affected", "message": message, "count": count, "visits": count}
    return [warning | ({"field": field} if field else {})]
