"""Serializers of patients and chart entries, within the reader's permissions."""

from collections.abc import Collection
from functools import partial
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
from apps.patients.matching.scoring import Reason
from apps.patients.models import AllergyStatus, ChartEntry, Gender, Patient
from apps.patients.rights import Permission
from apps.rest.response_serializers import ResponseSerializer, optional, protected
from apps.rest.sparse_fields import Expansion

_AS_ENTERED = "An RFC 3339 time, or the date as it was entered: YYYY-MM-DD, YYYY-MM or YYYY"


# What goes beyond finding one person: a manager has name, birth date, MRN and telephone.
_detail = partial(protected, permission=Permission.PATIENT_SEE_DETAILS)


class PatientRow(ResponseSerializer):
    """A patient in a list: exactly these eight keys; managers do not see the email."""

    reads = Permission.PATIENT_VIEW

    id = serializers.UUIDField()
    mrn = serializers.CharField()
    first_name = serializers.CharField(allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)
    date_of_birth = serializers.DateField()
    phone = serializers.CharField(allow_blank=True)
    email = _detail(serializers.CharField(required=False, allow_blank=True, help_text="Hidden from managers"))
    is_active = serializers.BooleanField()


class CandidateShape(ResponseSerializer):
    """A recorded patient who may be the described person."""

    patient = PatientRow()
    score = serializers.FloatField(min_value=0, max_value=1, help_text="From 0.5 (even odds) to 1 (nothing differs)")
    reasons = serializers.ListField(child=serializers.ChoiceField(choices=[reason.value for reason in Reason]))


class CandidatesShape(ResponseSerializer):
    """At most ten, the most likely first."""

    candidates = CandidateShape(many=True)


class PairShape(ResponseSerializer):
    """Two records that a user marked as two people's."""

    patient_id = serializers.UUIDField()
    other_id = serializers.UUIDField()
    said_by = serializers.UUIDField(allow_null=True)
    said_at = serializers.DateTimeField()


class DemographicsShape(ResponseSerializer):
    first_name = serializers.CharField(allow_blank=True)
    middle_name = serializers.CharField(required=False, allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)
    date_of_birth = serializers.DateField(help_text="The first day of the period that is known")
    date_of_birth_precision = serializers.ChoiceField(
        choices=list(Precision), required=False, help_text="How exactly it is known"
    )
    time_of_birth = _detail(serializers.CharField(required=False, allow_null=True, help_text="By the clinic's clock, like 14:05"))
    age_in_words = serializers.CharField(
        required=False, help_text="Now, or at death, by the clinic's clock: 5 hours, 20 days, 51 years, about 51 years"
    )
    gender = _detail(serializers.ChoiceField(choices=Gender.choices, required=False, help_text="Hidden from managers"))
    language = _detail(serializers.CharField(required=False, allow_blank=True, help_text="A BCP 47 code, like es"))
    deceased_at = _detail(serializers.DateTimeField(required=False, allow_null=True))

    @staticmethod
    def get_time_of_birth(patient: Patient) -> str | None:
        return f"{patient.time_of_birth:%H:%M}" if patient.time_of_birth else None

    @staticmethod
    def get_age_in_words(patient: Patient) -> str:
        return age_of(patient)


class AddressShape(ResponseSerializer):
    street = serializers.CharField(allow_blank=True)
    city = serializers.CharField(allow_blank=True)
    state = serializers.CharField(allow_blank=True)
    zip = serializers.CharField(allow_blank=True)
    country = optional(serializers.CharField(required=False, help_text="If one is recorded: a name or an ISO 3166-1 code"))

    @staticmethod
    def get_country(patient: Patient) -> str | None:
        return patient.country or None


class ContactShape(ResponseSerializer):
    phone = serializers.CharField(allow_blank=True)
    email = _detail(serializers.CharField(required=False, allow_blank=True, help_text="Hidden from managers"))
    address = protected(
        AddressShape(source="*", required=False, help_text="Hidden from pharmacists, laboratory and managers"),
        permission=Permission.PATIENT_SEE_ADDRESS,
    )


class EmergencyContactShape(ResponseSerializer):
    name = serializers.CharField(source="emergency_name", allow_blank=True)
    relationship = serializers.CharField(source="emergency_relationship", allow_blank=True)
    phone = serializers.CharField(source="emergency_phone", allow_blank=True)


class InsuranceShape(ResponseSerializer):
    provider = serializers.CharField(source="insurance_provider", allow_blank=True)
    policy_number = serializers.CharField(source="insurance_policy_number", allow_blank=True)
    group_number = serializers.CharField(source="insurance_group_number", allow_blank=True)


class PatientShape(ResponseSerializer):
    """A patient in full. Fields that the reader's role may not see are absent; required are the reference's keys that all roles
    see."""

    reads = Permission.PATIENT_VIEW

    id = serializers.UUIDField()
    mrn = serializers.CharField()
    is_active = serializers.BooleanField(required=False)
    demographics = DemographicsShape(source="*")
    contact = ContactShape(source="*")
    emergency_contact = protected(
        EmergencyContactShape(source="*", required=False), permission=Permission.PATIENT_SEE_EMERGENCY_CONTACT
    )
    insurance = protected(InsuranceShape(source="*", required=False), permission=Permission.PATIENT_SEE_INSURANCE)
    allergy_status = protected(
        serializers.ChoiceField(choices=AllergyStatus.choices, required=False), permission=Permission.PATIENT_SEE_ALLERGY_STATUS
    )
    created_at = serializers.DateTimeField(required=False)
    updated_at = serializers.DateTimeField(required=False)


class ColleagueShape(ResponseSerializer):
    """A member of staff by name."""

    reads = AccountPermission.DOCTOR_VIEW

    id = serializers.UUIDField()
    first_name = serializers.CharField(allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)
    role = serializers.CharField()


class ChartEntryShape(ResponseSerializer):
    """One entry of the chart; for readers of codes without its narrative."""

    reads = Permission.CHART_VIEW
    expandable = ("recorder",)

    id = serializers.UUIDField()
    type = serializers.ChoiceField(choices=[kind.value for kind in EntryType])
    code = serializers.CharField(allow_blank=True)
    code_system = serializers.ChoiceField(choices=[system.value for system in CodeSystem], allow_blank=True)
    display = serializers.CharField()
    status = serializers.CharField()
    recorded_at = serializers.DateTimeField()
    recorded_by = serializers.UUIDField(
        source="recorded_by_id", allow_null=True, help_text="A staff member's id; null if no person recorded it"
    )
    occurred_at = serializers.CharField(help_text=f"Onset, effective time, or when it was done. {_AS_ENTERED}")
    ended_at = serializers.CharField(allow_null=True, help_text=_AS_ENTERED)
    detail = DetailShape(help_text="Additional fields of this kind of entry; `value` and `unit` for measurements")
    source = serializers.ChoiceField(choices=ChartEntry.Source.choices)  # type: ignore[assignment]  # DRF has an attribute so called
    recorder = ColleagueShape(required=False, allow_null=True, help_text="Who `recorded_by` is; with `expand=recorder`")

    @staticmethod
    def get_occurred_at(row: ChartEntry) -> Any:
        return row.occurred_on or row.occurred_at

    @staticmethod
    def get_ended_at(row: ChartEntry) -> Any:
        return row.ended_on or row.ended_at

    @staticmethod
    def get_detail(row: ChartEntry, by: Actor) -> dict[str, Any]:
        if rights.coded_only(by.role):
            return {}
        more = {
            "value": None if row.value is None else row.value.normalize(),
            "unit": row.unit or None,
            "retraction_reason": row.retraction_reason or None,
        }
        detail: dict[str, Any] = row.detail
        return detail | {name: value for name, value in more.items() if value is not None}


def colleagues(reader: Actor, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Returns members of staff by name, within the reader's permissions; for expansions."""
    return {user.pk: ColleagueShape.represent(user, reader) for user in accounts.colleagues(visible_to=reader, ids=ids)}


def rows_by_id(reader: Actor, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Returns patients as in a list, within the reader's permissions; for expansions."""
    return {row.pk: PatientRow.represent(row, reader) for row in selectors.named(visible_to=reader, ids=ids)}


RECORDER = Expansion(of="recorded_by", permission=AccountPermission.DOCTOR_VIEW, load=colleagues)
EXPANSIONS = {"recorder": RECORDER}
RETIRED = Expansion(of="retired_id", permission=Permission.PATIENT_VIEW, load=rows_by_id)
SURVIVOR = Expansion(of="survivor_id", permission=Permission.PATIENT_VIEW, load=rows_by_id)


def visits_affected(patient: Patient, field: str = "") -> list[dict[str, Any]]:
    """Returns the warning that booked appointments of a patient who is deceased or inactive stay in the schedule; empty without
    one."""
    count = services.visits_affected(patient)
    if not count:
        return []
    message = f"{count} booked appointments of this patient stay in the schedule. Cancel them, or correct the entry."
    warning = {"code": "visits_affected", "message": message, "count": count, "visits": count}
    return [warning | ({"field": field} if field else {})]
