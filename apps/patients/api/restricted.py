"""The API of restricted charts: restricting and opening them, emergency access, and who looked at a record."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django_filters import FilterSet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.audit.models import AuditEvent
from apps.audit.rights import Permission as AuditPermission
from apps.common.errors import NotFound
from apps.patients import events, selectors, services
from apps.patients.api import examples
from apps.patients.confidentiality import access_log
from apps.patients.confidentiality.models import CareTeamMember, Restriction
from apps.patients.confidentiality.services import REASON_MIN
from apps.patients.models import Patient
from apps.patients.rights import Permission
from apps.rest import paging, periods
from apps.rest.endpoint import Example, endpoint
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.serializers import IdField, StrictSerializer
from apps.rest.viewsets import HimsViewSet

_ID, _USER = "01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44", "01961f0e-1111-7c3e-9d52-0d8f6a3b1c44"
_TEAM_MAX = 100


def _reason(about: str) -> serializers.CharField:
    return serializers.CharField(min_length=REASON_MIN, max_length=400, help_text=about)


class RestrictionBody(StrictSerializer):
    restricted = serializers.BooleanField()
    care_team = serializers.ListField(
        child=IdField(),
        required=False,
        max_length=_TEAM_MAX,
        help_text="User ids of active clinicians who see the chart, in addition to the doctors with an appointment. "
        "Absent: unchanged",
    )
    reason = _reason("Stored with the decision")

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("care_team") and not values["restricted"]:
            raise serializers.ValidationError({"care_team": "Leave it out if the chart is opened to all."})
        return values


class RestrictionShape(ResponseSerializer):
    """Whether the chart is restricted, and who can open it then."""

    patient_id = serializers.UUIDField()
    restricted = serializers.BooleanField()
    care_team = serializers.ListField(child=serializers.UUIDField(), help_text="The named members")
    doctors_with_visits = serializers.ListField(
        child=serializers.UUIDField(), help_text="Users who see the chart without being named"
    )
    reason = serializers.CharField()
    decided_at = serializers.DateTimeField()
    decided_by = serializers.UUIDField(source="decided_by_id", allow_null=True)

    @staticmethod
    def get_doctors_with_visits(restriction: Restriction) -> list[UUID]:
        members = selectors.care_team(restriction.patient).exclude(because=CareTeamMember.Because.NAMED)
        return list(dict.fromkeys(member.user_id for member in members))


class BreakGlassBody(StrictSerializer):
    reason = _reason("The reason for the emergency; stored and reviewed")


class BreakGlassByMrnBody(BreakGlassBody):
    mrn = serializers.CharField(max_length=40)


class BreakGlassShape(ResponseSerializer):
    """Emergency access of one user to one restricted chart."""

    id = serializers.UUIDField()
    patient_id = serializers.UUIDField()
    user_id = serializers.UUIDField()
    broken_at = serializers.DateTimeField()
    until = serializers.DateTimeField(help_text="When the chart closes again")


class PersonShape(ResponseSerializer):
    id = serializers.UUIDField(source="person_id", allow_null=True, help_text="null for the system")
    name = serializers.CharField()
    role = serializers.CharField(allow_blank=True, help_text="The role at that time")


class AccessLogEntryShape(ResponseSerializer):
    """One read or change of the record, or one refused attempt."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    person = PersonShape(source="*")
    action = serializers.CharField(source="in_words", help_text="A description")
    action_code = serializers.CharField(source="action", help_text="The action as in the audit log")
    outcome = serializers.ChoiceField(choices=AuditEvent.Outcome.choices)
    purpose = serializers.CharField(help_text="treatment, payment, operations or break_glass")


class PeriodFilter(FilterSet):
    date_from = periods.Since()
    date_to = periods.Until()

    class Meta:
        model = Patient
        fields: list[str] = []


class RestrictionViewSet(HimsViewSet):
    """Restricts a chart to its care team. Users who may decide it get a reply even if the chart itself is closed to them."""

    resource = "restriction"
    tag = "Restricted charts"

    @endpoint(
        permission=Permission.PATIENT_RESTRICT,
        request=RestrictionBody,
        response=RestrictionShape,
        about_patient=True,
        warnings=("nobody_on_care_team",),
        operation_id="restrictPatient",
        example=Example(
            path={"id": "patient_001"},
            request=examples.RESTRICT_REQUEST,
            reply={
                "success": True,
                "data": {
                    "restriction": {
                        "patient_id": _ID,
                        "restricted": True,
                        "care_team": [_USER],
                        "doctors_with_visits": [],
                        "reason": "A colleague of ours is the patient",
                        "decided_at": "2025-01-15T10:30:00Z",
                        "decided_by": "01961f0e-2222-7c3e-9d52-0d8f6a3b1c44",
                    }
                },
            },
        ),
        refusals=(services.NotRestricted, selectors.RecordMerged),
        events=(events.PatientRestricted, events.RestrictionLifted),
    )
    def update(self, request: Request, pk: str) -> Response:
        """Restrict a chart or open it again

        With `restricted: true` only the care team sees the chart: the named members and the doctors with an appointment or a
        consultation. `care_team` replaces the named members; absent, they stay. All others lose access at once. With
        `restricted: false` the chart is open again, and emergency accesses end. The decision and its reason are stored.
        """
        body, patient_id = self.parse(), self.id_in_path()
        if body["restricted"]:
            team = body.get("care_team")
            restriction = services.restrict(by=self.by, patient_id=patient_id, care_team=team, reason=body["reason"])
        else:
            restriction = services.lift_restriction(by=self.by, patient_id=patient_id, reason=body["reason"])
        shown = self.represent(restriction)
        return self.ok(shown, warnings=_empty_team_warning(shown["restriction"]))


class BreakGlassViewSet(HimsViewSet):
    """Opens a restricted chart in an emergency, for four hours. Administrators are notified; every audit row contains the
    reason."""

    resource = "break_glass"
    tag = "Restricted charts"

    @endpoint(
        permission=Permission.PATIENT_BREAK_GLASS,
        request=BreakGlassBody,
        response=BreakGlassShape,
        about_patient=True,
        operation_id="breakGlass",
        example=Example(request={"reason": "Unconscious in the waiting room"}),
        refusals=(services.NotRestricted, services.NoNeedToBreakGlass, services.GlassAlreadyBroken, selectors.RecordMerged),
        events=(events.GlassBroken,),
    )
    def break_glass(self, request: Request, pk: str) -> Response:
        """Open a restricted chart in an emergency

        Opens the chart to the caller for four hours. The reason is stored with every access, administrators are notified, and
        the access is reviewed. A chart that is not restricted, or is already open to the caller, is refused.
        """
        row = services.break_glass(by=self.by, patient_id=self.id_in_path(), reason=self.parse()["reason"])
        return self.reply(row)

    @endpoint(
        permission=Permission.PATIENT_BREAK_GLASS,
        request=BreakGlassByMrnBody,
        response=BreakGlassShape,
        operation_id="breakGlassByMrn",
        example=Example(
            request={"mrn": "MRN00000588", "reason": "Unconscious in the waiting room"},
            reply={
                "success": True,
                "data": {
                    "break_glass": {
                        "id": "01961f0e-77aa-7d10-b0c4-2f6d3c9a8e10",
                        "patient_id": _ID,
                        "user_id": _USER,
                        "broken_at": "2025-01-15T10:30:00Z",
                        "until": "2025-01-15T14:30:00Z",
                    }
                },
            },
        ),
        refusals=(NotFound, services.NotRestricted, services.NoNeedToBreakGlass, services.GlassAlreadyBroken),
        events=(events.GlassBroken,),
    )
    def by_mrn(self, request: Request) -> Response:
        """Open a restricted chart by its MRN in an emergency

        Opens the chart of the patient with this MRN to the caller for four hours, because no list shows the id of a restricted
        chart. The MRN is compared in any case, and that of a merged record leads to the survivor. The reason is stored with
        every access, administrators are notified, and the access is reviewed. An unknown MRN gets a 404.
        """
        body = self.parse()
        row = services.break_glass_of(by=self.by, mrn=body["mrn"], reason=body["reason"])
        return self.reply(row)


class AccessLogViewSet(HimsViewSet):
    """Who looked at a patient's record: in the API, on the pages, and refused attempts."""

    resource = "look"
    plural = "access_log"
    tag = "Restricted charts"

    @endpoint(
        permission=AuditPermission.AUDIT_VIEW,
        query=PeriodFilter,
        response=AccessLogEntryShape,
        about_patient=True,
        operation_id="getAccessLog",
    )
    def list(self, request: Request, pk: str) -> Response:
        """List who looked at a record

        Returns every recorded access to the patient's record, the latest first: in the API, on the pages, refused attempts and
        emergency accesses, with person, role and purpose. Accesses to records that were merged into this one are included.
        Reading the log is recorded in the audit log too.
        """
        filters = self.validated_query()
        since, until = filters.get("date_from"), filters.get("date_to")
        periods.check(since, until)
        patient_id, rows = access_log.of(self.id_in_path(), since=since, until=until)
        page = paging.page_of(rows, self.window, paging.capped)
        response = self.page(replace(page, rows=access_log.entries(page.rows)))
        self.record_access("patient.access_log_read", patient_id=patient_id, query=self.sent_query(), shown=self.shown)
        return response


def _empty_team_warning(shape: dict[str, Any]) -> list[dict[str, Any]]:
    if not shape["restricted"] or shape["care_team"] or shape["doctors_with_visits"]:
        return []
    message = "The care team is empty: only emergency access opens the chart."
    return [{"code": "nobody_on_care_team", "message": message, "field": "care_team"}]
