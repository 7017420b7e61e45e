"""Patients and their charts over the API."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.actor import Actor
from apps.access.permissions import Permission
from apps.common.errors import Forbidden
from apps.patients import selectors, services
from apps.patients.api import bodies, examples, shapes
from apps.patients.api.filters import ChartFilter, PatientFilter
from apps.patients.duplicates import COMPARED, Match
from apps.patients.models import ChartEntry, ChartQuerySet, Patient
from apps.patients.services import NewEntry, Registration
from apps.rest import aliases, cursor, paging
from apps.rest.endpoint import endpoint
from apps.rest.limits import RateClass
from apps.rest.paging import Total
from apps.rest.viewsets import HimsViewSet


class PatientViewSet(HimsViewSet):
    """The people in the clinic's care."""

    resource = "patient"
    plural = "patients"
    extra = {
        "fuzzy": {"type": "boolean", "description": "True where nothing fitted and near spellings and sounds are shown"},
        "pagination": cursor.PAGINATION,
    }

    @endpoint(
        permission=Permission.PATIENT_VIEW,
        query=PatientFilter,
        response=shapes.PatientRow,
        rate_class=RateClass.PATIENT_SEARCH,
        example=examples.LIST,
    )
    def list(self, request: Request) -> Response:
        asked, window, after = self.asked(), self.window(), cursor.position(request.query_params)
        listing = selectors.listing(
            visible_to=self.by,
            text=asked.get("search", ""),
            status=asked.get("status", ""),
            offset=window.offset,
            limit=window.limit,
            after=after,
        )
        fuzzy = {"fuzzy": True} if listing.fuzzy else {}
        total = None if listing.total is None else Total(listing.total, listing.is_estimate)
        response = cursor.page(self, "patients", listing.rows, following=listing.next, total=total, **fuzzy)
        self.note("patient.searched", query=request.query_params.dict(), shown=self.shown)
        return response

    @endpoint(
        permission=Permission.PATIENT_VIEW, response=shapes.PatientShape, etag=True, about_patient=True, example=examples.DETAIL
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        patient = selectors.patient(self.by, self.id_in_path())
        self.note("patient.read", patient_id=patient.pk)
        return self._answer(patient)

    @endpoint(
        permission=Permission.PATIENT_REGISTER,
        request=bodies.PatientBody,
        response=shapes.PatientShape,
        etag=True,
        warnings=("possible_duplicate", "phone_not_valid"),
        example=examples.CREATE,
    )
    def create(self, request: Request) -> Response:
        registered = services.register(by=self.by, registration=Registration(**self.parse()))
        patient = registered.patient
        warnings = [*_possible_duplicate(registered.matches), *_phone_warning(patient)]
        return self.created(
            {"patient": shapes.patient(patient, self.by)},
            location=f"/v1/patients/{patient.pk}",
            version=patient.updated_at,
            warnings=warnings,
        )

    @endpoint(
        permission=Permission.PATIENT_AMEND_INSURANCE,
        request=bodies.AmendBody,
        response=shapes.PatientShape,
        etag=True,
        about_patient=True,
        warnings=("possible_duplicate", "phone_not_valid", "visits_affected"),
    )
    def update(self, request: Request, pk: str) -> Response:
        changes = self.parse()
        patient = services.amend(by=self.by, patient_id=self.id_in_path(), changes=changes)
        warnings = _phone_warning(patient) if "phone" in changes else []
        affected = shapes.visits_affected(patient, "deceased_at") if changes.get("deceased_at") else []
        return self._answer(patient, [*_looks_like_another(self.by, patient, changes), *warnings, *affected])

    partial_update = update

    @endpoint(
        permission=Permission.PATIENT_DEACTIVATE,
        response=shapes.PatientShape,
        etag=True,
        about_patient=True,
        warnings=("visits_affected",),
    )
    def deactivate(self, request: Request, pk: str) -> Response:
        """Take the patient out of the active list. The warning `visits_affected` counts the booked appointments."""
        patient = services.deactivate(by=self.by, patient_id=self.id_in_path())
        return self._answer(patient, shapes.visits_affected(patient))

    @endpoint(permission=Permission.PATIENT_DEACTIVATE, response=shapes.PatientShape, etag=True, about_patient=True)
    def reactivate(self, request: Request, pk: str) -> Response:
        return self._answer(services.reactivate(by=self.by, patient_id=self.id_in_path()))

    def held(self) -> tuple[dict[str, Any], object]:
        patient = selectors.locked(self.by, self.id_in_path())
        return {"patient": shapes.patient(patient, self.by)}, patient.updated_at

    def _answer(self, patient: Patient, warnings: Sequence[dict[str, Any]] = ()) -> Response:
        """The patient; where the id was merged into another, `Content-Location` says which it is now."""
        moved = {"Content-Location": f"/v1/patients/{patient.pk}"} if self.id_in_path() != patient.pk else {}
        shown = {"patient": shapes.patient(patient, self.by)}
        return self.ok(shown, version=patient.updated_at, warnings=warnings, headers=moved)


class MedicalHistoryViewSet(HimsViewSet):
    """A patient's chart: read by kind, written by hand, corrected by retraction."""

    resource = "chart"
    plural = "records"
    data_key = "record"
    tag = "Medical history"
    expands = {"recorder": shapes.RECORDER}

    @endpoint(
        permission=Permission.CHART_VIEW,
        query=ChartFilter,
        response=shapes.RecordShape,
        offset=True,
        about_patient=True,
        operation_id="listMedicalHistory",
    )
    def list(self, request: Request, pk: str) -> Response:
        patient = selectors.patient(self.by, self.id_in_path())
        rows, _ = self.filtered(self._rows(patient))
        response = self.page("records", rows, paging.exact, lambda row: shapes.record(row, self.by))
        self.note("chart.read", patient_id=patient.pk, query=request.query_params.dict(), shown=self.shown)
        return response

    @endpoint(
        permission=Permission.CHART_VIEW, response=shapes.RecordShape, etag=True, about_patient=True, operation_id="getChartEntry"
    )
    def retrieve(self, request: Request, pk: str, entry: str) -> Response:
        row = selectors.entry(self.by, self.id_in_path(), aliases.in_path(entry))
        self.note("chart.read", patient_id=row.patient_id, object_id=row.pk)
        return self._answer(row)

    @endpoint(
        permission=Permission.CHART_WRITE,
        request=bodies.EntryBody,
        response=shapes.RecordShape,
        etag=True,
        about_patient=True,
        warnings=("already_recorded", "unusual_for_patient"),
        operation_id="addChartEntry",
    )
    def create(self, request: Request, pk: str) -> Response:
        patient_id, entry = self.id_in_path(), self.parse()
        if entry:
            row = services.record(by=self.by, patient_id=patient_id, entry=NewEntry(**entry))
        else:
            row = services.record_no_known_allergies(by=self.by, patient_id=patient_id)
        location = f"/v1/patients/{row.patient_id}/medical-history/{row.pk}"
        shown = {"record": shapes.record(row, self.by)}
        return self.created(shown, location=location, version=row.updated_at, warnings=[*_already_recorded(row), *_unusual(row)])

    @endpoint(
        permission=Permission.CHART_WRITE,
        request=bodies.RetractBody,
        response=shapes.RecordShape,
        etag=True,
        about_patient=True,
        operation_id="retractChartEntry",
    )
    def retract(self, request: Request, pk: str, entry: str) -> Response:
        reason = self.parse()["reason"]
        row = services.retract(by=self.by, patient_id=self.id_in_path(), entry_id=aliases.in_path(entry), reason=reason)
        return self._answer(row)

    def held(self) -> tuple[dict[str, Any], object]:
        patient = selectors.locked(self.by, self.id_in_path())
        row = selectors.entry_locked(self.by, patient.pk, aliases.in_path(self.kwargs["entry"]))
        return {"record": shapes.record(row, self.by)}, row.updated_at

    def _answer(self, row: ChartEntry) -> Response:
        return self.ok({"record": shapes.record(row, self.by)}, version=row.updated_at)

    def _rows(self, patient: Patient) -> ChartQuerySet:
        asked = self.request.query_params
        if (kind := asked.get("type")) in shapes.KINDS and not self.by.reads_chart(kind):
            raise Forbidden(f"Your role may not read chart entries of the type {kind}.")
        rows = selectors.chart(visible_to=self.by, patient_id=patient.pk)
        return rows if asked.get("include_retracted") == "true" else rows.standing()


def _possible_duplicate(matches: list[Match]) -> list[dict[str, Any]]:
    if not matches:
        return []
    why = [{"patient_id": match.patient.pk, "score": match.score, "reasons": match.reasons} for match in matches]
    return [
        {
            "code": "possible_duplicate",
            "message": "This may be somebody who is on record already.",
            "patients": [shapes.listed(match.patient) for match in matches],
            "matches": why,
        }
    ]


def _looks_like_another(by: Actor, patient: Patient, changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The warning that an amended patient may be another one on record, where a compared column was written."""
    if not COMPARED & changes.keys() or not by.may(Permission.PATIENT_MATCH):
        return []
    return _possible_duplicate(selectors.duplicates_of(patient, visible_to=by))


def _already_recorded(row: ChartEntry) -> list[dict[str, Any]]:
    same = selectors.already_recorded(row)
    if not same:
        return []
    message = f"The chart has this {row.type} as active already. If it is the same, retract one of the two."
    return [{"code": "already_recorded", "message": message, "entries": [entry.pk for entry in same]}]


def _unusual(row: ChartEntry) -> list[dict[str, Any]]:
    reason = selectors.unusual_for_patient(row)
    return [{"code": "unusual_for_patient", "message": reason, "field": "code"}] if reason else []


def _phone_warning(patient: Patient) -> list[dict[str, Any]]:
    if not patient.phone or patient.phone_e164:
        return []
    return [
        {"code": "phone_not_valid", "message": "The number was kept as sent; no such number can be dialled.", "field": "phone"}
    ]
