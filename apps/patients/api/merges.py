"""The API of merges: preview, merge, read, undo. Administrators only."""

from collections.abc import Iterable

from django_filters import FilterSet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.errors import Invalid
from apps.patients import events, selectors, services
from apps.patients.api import examples
from apps.patients.api.serializers import responses
from apps.patients.merging import merge_plan
from apps.patients.models import Merge, MergeTriage, Patient
from apps.patients.rights import Permission
from apps.rest.endpoint import Example, endpoint
from apps.rest.filters import IdFilter
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.serializers import IdField, StrictSerializer
from apps.rest.viewsets import HimsViewSet

RECORDS = ["retired", "survivor"]
_ID, _OTHER = "01961f0e-5b7a-7c3e-9d52-0d8f6a3b1c44", "01961f0e-6c11-7f0a-8a3d-91c2b7e4d501"


class MergeBody(StrictSerializer):
    into = IdField(help_text="The record to keep")
    reason = serializers.CharField(max_length=400)
    fields = serializers.DictField(  # type: ignore[assignment]  # DRF has an attribute so called
        child=serializers.ChoiceField(choices=RECORDS),
        required=False,
        help_text="Which record's value to keep, by column (`phone`, `insurance_provider`) or group (`address`, "
        "`emergency_contact`, `insurance`). Default: the survivor's, its gaps filled.",
    )


class IntoFilter(FilterSet):
    into = IdFilter(required=True, help_text="The record to keep")

    class Meta:
        model = Patient
        fields: list[str] = []


class TriageShape(ResponseSerializer):
    """A row created, or a field changed, on the survivor between the merge and its undo."""

    id = serializers.IntegerField()
    model = serializers.CharField(help_text="`patients.Patient` for a field or a group of fields, whose name is then `row_id`")
    row_id = serializers.CharField()
    note = serializers.CharField()
    settled_at = serializers.DateTimeField(allow_null=True)


class MergeShape(ResponseSerializer):
    """A merge of two records of one person. `retired_id` finds the survivor, until the merge is undone."""

    expandable = ("retired", "survivor")

    id = serializers.UUIDField()
    retired_id = serializers.UUIDField()
    survivor_id = serializers.UUIDField()
    reason = serializers.CharField()
    changed = serializers.ListField(child=serializers.CharField(), help_text="The survivor's columns that got another value")
    merged_at = serializers.DateTimeField()
    merged_by = serializers.UUIDField(source="merged_by_id", allow_null=True)
    undone_at = serializers.DateTimeField(allow_null=True)
    undone_by = serializers.UUIDField(source="undone_by_id", allow_null=True)
    triage = TriageShape(many=True, help_text="What the undo left for a user to decide")
    retired = responses.PatientRow(required=False, allow_null=True, help_text="With `expand=retired`")
    survivor = responses.PatientRow(required=False, allow_null=True, help_text="With `expand=survivor`")

    @staticmethod
    def get_changed(merge: Merge) -> list[str]:
        return [column for column, values in merge.fields.items() if values["before"] != values["after"]]

    @staticmethod
    def get_triage(merge: Merge) -> Iterable[MergeTriage]:
        return selectors.triage(merge) if merge.undone_at else []


class CountShape(ResponseSerializer):
    model = serializers.CharField()
    name = serializers.CharField()
    rows = serializers.IntegerField()


class DifferenceShape(ResponseSerializer):
    field = serializers.CharField()
    retired = serializers.CharField(allow_null=True, allow_blank=True)
    survivor = serializers.CharField(allow_null=True, allow_blank=True)
    default = serializers.ChoiceField(choices=RECORDS)


class CautionShape(ResponseSerializer):
    code = serializers.CharField()
    message = serializers.CharField()


class MergePreviewShape(ResponseSerializer):
    """The effect of merging one record into the other."""

    retired_id = serializers.UUIDField(source="retired.pk")
    survivor_id = serializers.UUIDField(source="survivor.pk")
    counts = CountShape(many=True, help_text="Rows that would move, by model")
    conflicts = DifferenceShape(many=True, help_text="Columns in which the two differ, and which value stays by default")
    warnings = CautionShape(
        many=True,
        help_text="Reasons against one person, or items to check afterwards: `listed_twice` names allergies and "
        "diagnoses where one entry stays active, `medication_twice` medicines that both charts list",
    )


class MergePreviewViewSet(HimsViewSet):
    """The effect of a merge."""

    resource = "preview"
    tag = "Patients"

    @endpoint(
        permission=Permission.PATIENT_MERGE,
        query=IntoFilter,
        response=MergePreviewShape,
        about_patient=True,
        operation_id="previewMerge",
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """Preview a merge

        Returns what a merge of this record into the record `into` would do: the rows that would move, the columns in which the
        two differ with the value that remains by default, and warnings. Nothing changes. The audit log records the preview.
        """
        retired_id, survivor_id = self.id_in_path(), self.validated_query().get("into")
        if survivor_id is None:
            raise Invalid(field="into", issue="Send the id of the record to keep.")
        preview = merge_plan.preview(visible_to=self.by, retired_id=retired_id, survivor_id=survivor_id)
        self.record_access("patient.merge_previewed", patient_id=retired_id, object_id=survivor_id)
        return self.reply(preview)


class MergeViewSet(HimsViewSet):
    """Merges of two records of one person."""

    resource = "merge"
    tag = "Patients"
    expands = {"retired": responses.RETIRED, "survivor": responses.SURVIVOR}

    @endpoint(
        permission=Permission.PATIENT_MERGE,
        request=MergeBody,
        response=MergeShape,
        etag=True,
        about_patient=True,
        warnings=("visits_affected",),
        operation_id="mergePatient",
        example=Example(
            request=examples.MERGE_REQUEST,
            reply={
                "success": True,
                "data": {
                    "merge": {
                        "id": "01961f0e-77aa-7d10-b0c4-2f6d3c9a8e10",
                        "retired_id": _ID,
                        "survivor_id": _OTHER,
                        "reason": "The same passport, seen today",
                        "changed": ["phone"],
                        "merged_at": "2025-01-15T10:30:00Z",
                        "merged_by": "01961f0e-1111-7c3e-9d52-0d8f6a3b1c44",
                        "undone_at": None,
                        "undone_by": None,
                        "triage": [],
                    }
                },
            },
        ),
        refusals=(services.AlreadyMerged, services.NameMissing, services.DatesContradict, services.CannotStandTogether),
        events=(events.PatientsMerged,),
    )
    def create(self, request: Request, pk: str) -> Response:
        """Merge two records of one person

        Merges this record into the record `into`, which takes its chart, appointments and consultations. From then on this id
        returns the survivor, and writes to it are refused with the survivor's id. `fields` chooses by column or group which
        value remains. Allergies and diagnoses that both charts list stay active once. The warning `visits_affected` counts the
        appointments that stay booked although one of the patients is deceased or inactive. A merge can be undone.
        """
        body = self.parse()
        merge = services.merge(
            by=self.by,
            retired_id=self.id_in_path(),
            survivor_id=body["into"],
            reason=body["reason"],
            fields=body.get("fields"),
        )
        affected = responses.visits_affected(selectors.patient(self.by, merge.survivor_id))
        return self.reply(merge, location=f"/v1/patients/merges/{merge.pk}", warnings=affected)

    @endpoint(permission=Permission.PATIENT_MERGE, response=MergeShape, etag=True)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read a merge

        Returns the two records, the changed columns and, after an undo, the items that a user still has to assign (`triage`).
        The audit log records that it was read.
        """
        merge = selectors.merge(self.by, self.id_in_path())
        self.record_access("merge.read", patient_id=merge.survivor_id, object_id=merge.pk)
        return self.reply(merge)

    @endpoint(
        permission=Permission.PATIENT_MERGE,
        response=MergeShape,
        refusals=(
            services.AlreadyUndone,
            services.MergedFurther,
            services.NameMissing,
            services.DatesContradict,
            services.CannotStandTogether,
        ),
        events=(events.MergeUndone,),
    )
    def undo(self, request: Request, pk: str) -> Response:
        """Undo a merge

        Makes the retired record a separate one again, also after later edits. What was created or changed on the survivor
        since the merge stays there and is listed in `triage`, where an administrator assigns it. A merge whose survivor was
        merged further must be undone after that later merge.
        """
        return self.reply(services.undo_merge(by=self.by, merge_id=self.id_in_path()))
