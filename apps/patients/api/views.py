"""The API of patients and their charts."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.actor import Actor
from apps.patients import events, rights, selectors, services
from apps.patients.api import examples
from apps.patients.api.filters import ChartFilter, PatientFilter
from apps.patients.api.serializers import requests, responses
from apps.patients.matching.duplicates import COMPARED, Match
from apps.patients.models import ChartEntry, ChartQuerySet, Patient
from apps.patients.rights import Permission
from apps.patients.services import NewEntry, Registration
from apps.rest import paging, sample_ids
from apps.rest.endpoint import endpoint
from apps.rest.limits import RateClass
from apps.rest.viewsets import HimsViewSet


class PatientViewSet(HimsViewSet):
    """The patients of the clinic."""

    resource = "patient"
    plural = "patients"
    extra = {"fuzzy": {"type": "boolean", "description": "True if nothing matched and similar spellings and sounds are shown"}}

    @endpoint(
        permission=Permission.PATIENT_VIEW,
        query=PatientFilter,
        response=responses.PatientRow,
        rate_class=RateClass.PATIENT_SEARCH,
        example=examples.LIST,
    )
    def list(self, request: Request) -> Response:
        """List patients

        Returns patients as list rows, without a search the latest registered first. Every word of `search` must match the
        first name, the last name or the MRN, whatever its case and accents; digits match phone numbers, and a date of birth is
        read in any usual notation. If nothing matches, similar spellings and sounds are shown and `fuzzy` is true. Restricted
        charts that are closed to the caller are neither shown nor counted. The audit log records the search and the patients
        shown.
        """
        query = self.validated_query()
        statuses = query.get("status", ())
        page = selectors.list_page(
            visible_to=self.by,
            window=self.window,
            text=query.get("search", ""),
            status=statuses[0] if len(statuses) == 1 else "",
        )
        fuzzy: dict[str, Any] = {"fuzzy": True} if page.fuzzy else {}
        response = self.page(page, **fuzzy)
        self.record_access("patient.searched", query=self.sent_query(), shown=self.shown)
        return response

    @endpoint(
        permission=Permission.PATIENT_VIEW,
        response=responses.PatientShape,
        etag=True,
        about_patient=True,
        example=examples.DETAIL,
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read a patient

        Returns the record with demographics, contact, emergency contact, insurance and the state of the allergy list. The id
        of a record that was merged returns the surviving record, whose path is in `Content-Location`. A restricted chart that
        is closed to the caller gets a 404; `POST /patients/{id}/break-glass` opens it in an emergency. The audit log records
        that the record was read.
        """
        patient = selectors.patient(self.by, self.id_in_path())
        self.record_access("patient.read", patient_id=patient.pk)
        return self._answer(patient)

    @endpoint(
        permission=Permission.PATIENT_REGISTER,
        request=requests.PatientBody,
        response=responses.PatientShape,
        etag=True,
        warnings=("possible_duplicate", "phone_not_valid"),
        example=examples.CREATE,
        refusals=(services.MrnTaken,),
        events=(events.PatientRegistered,),
    )
    def create(self, request: Request) -> Response:
        """Create patient

        Opens a record. The fields may be sent flat or grouped as in the reply; the same field in both forms must agree.
        Without `mrn` the server issues the next one; an MRN is unique in any case and never changes. `date_of_birth` may be a
        year or a month, or `age` may be sent instead. A likely duplicate does not stop the registration: the warning
        `possible_duplicate` lists the recorded patients.
        """
        registered = services.register(by=self.by, registration=Registration(**self.parse()))
        patient = registered.patient
        warnings = [*self._possible_duplicate(registered.matches), *_phone_warning(patient)]
        return self.reply(patient, location=f"/v1/patients/{patient.pk}", version=patient.updated_at, warnings=warnings)

    @endpoint(
        permission=Permission.PATIENT_AMEND_INSURANCE,
        request=requests.AmendBody,
        response=responses.PatientShape,
        etag=True,
        about_patient=True,
        warnings=("possible_duplicate", "phone_not_valid", "visits_affected"),
        refusals=(services.InsuranceOnly, selectors.RecordMerged),
        events=(events.PatientUpdated,),
        example=examples.AMEND,
    )
    def update(self, request: Request, pk: str) -> Response:
        """Change a patient

        Changes the fields that are sent, as a JSON merge patch: absent fields stay, null clears, groups merge. The MRN cannot
        change. Billing staff may change the insurance only. A change that makes the record similar to another one, a phone
        number that cannot be dialled, and a death with booked appointments are warnings. A record that was merged is refused
        with the id of the survivor.
        """
        changes = self.parse()
        patient = services.amend(by=self.by, patient_id=self.id_in_path(), changes=changes)
        warnings = _phone_warning(patient) if "phone" in changes else []
        affected = responses.visits_affected(patient, "deceased_at") if changes.get("deceased_at") else []
        return self._answer(patient, [*self._possible_duplicate(_similar(self.by, patient, changes)), *warnings, *affected])

    partial_update = update

    @endpoint(
        permission=Permission.PATIENT_DEACTIVATE,
        response=responses.PatientShape,
        etag=True,
        about_patient=True,
        warnings=("visits_affected",),
        refusals=(services.AlreadyInactive, selectors.RecordMerged),
        events=(events.PatientDeactivated,),
    )
    def deactivate(self, request: Request, pk: str) -> Response:
        """Deactivate a patient

        Removes the patient from the active list; the record stays and can be read. Appointments stay booked, and the warning
        `visits_affected` counts them. A patient who is already inactive is refused.
        """
        patient = services.deactivate(by=self.by, patient_id=self.id_in_path())
        return self._answer(patient, responses.visits_affected(patient))

    @endpoint(
        permission=Permission.PATIENT_DEACTIVATE,
        response=responses.PatientShape,
        etag=True,
        about_patient=True,
        refusals=(services.AlreadyActive, selectors.RecordMerged),
        events=(events.PatientReactivated,),
    )
    def reactivate(self, request: Request, pk: str) -> Response:
        """Reactivate a patient

        Returns the patient to the active list, so that appointments can be booked again. A patient who is already active is
        refused.
        """
        return self._answer(services.reactivate(by=self.by, patient_id=self.id_in_path()))

    def get_for_update(self) -> tuple[dict[str, Any], object]:
        patient = selectors.get_for_update(self.by, self.id_in_path())
        return self.represent(patient), patient.updated_at

    def _possible_duplicate(self, matches: Sequence[Match]) -> Sequence[dict[str, Any]]:
        """Returns the warning that shows these patients, and audits that they were shown."""
        if not matches:
            return []
        self.record_access("patient.matched", shown=len(matches), patients=[str(match.patient.pk) for match in matches])
        why = [{"patient_id": match.patient.pk, "score": match.score, "reasons": match.reasons} for match in matches]
        return [
            {
                "code": "possible_duplicate",
                "message": "This patient may already be registered.",
                "patients": responses.PatientRow.represent_all([match.patient for match in matches], self.by),
                "matches": why,
            }
        ]

    def _answer(self, patient: Patient, warnings: Sequence[dict[str, Any]] = ()) -> Response:
        """Returns the patient; if the id was merged into another, `Content-Location` names the survivor."""
        moved = {"Content-Location": f"/v1/patients/{patient.pk}"} if self.id_in_path() != patient.pk else {}
        return self.reply(patient, version=patient.updated_at, warnings=warnings, headers=moved)


class MedicalHistoryViewSet(HimsViewSet):
    """A patient's chart: read by kind, recorded by hand, corrected by retraction."""

    resource = "chart"
    plural = "records"
    data_key = "record"
    tag = "Medical history"
    expands = responses.EXPANSIONS

    @endpoint(
        permission=Permission.CHART_VIEW,
        query=ChartFilter,
        response=responses.ChartEntryShape,
        offset=True,
        about_patient=True,
        operation_id="listMedicalHistory",
        refusals=(services.EntryTypeForbidden,),
    )
    def list(self, request: Request, pk: str) -> Response:
        """List medical history

        Returns the chart entries that the caller's role may read, the latest first. `type` narrows to one kind; a kind that
        the role may not read gets a 403. Entries that were entered in error are left out unless `include_retracted` is true.
        The audit log records that the chart was read.
        """
        patient = selectors.patient(self.by, self.id_in_path())
        rows, _ = self.filtered(self._rows(patient))
        response = self.page(paging.page_of(rows, self.window, paging.exact))
        self.record_access("chart.read", patient_id=patient.pk, query=self.sent_query(), shown=self.shown)
        return response

    @endpoint(
        permission=Permission.CHART_VIEW,
        response=responses.ChartEntryShape,
        etag=True,
        about_patient=True,
        operation_id="getChartEntry",
    )
    def retrieve(self, request: Request, pk: str, entry: str) -> Response:
        """Read a chart entry

        Returns one entry of the medical history, also one that was entered in error. An entry whose kind the role may not read
        gets a 404. The audit log records that the chart was read.
        """
        row = selectors.entry(self.by, self.id_in_path(), sample_ids.in_path(entry))
        self.record_access("chart.read", patient_id=row.patient_id, object_id=row.pk)
        return self._answer(row)

    @endpoint(
        permission=Permission.CHART_WRITE,
        request=requests.EntryBody,
        response=responses.ChartEntryShape,
        etag=True,
        about_patient=True,
        warnings=("already_recorded", "unusual_for_patient"),
        operation_id="addChartEntry",
        refusals=(services.EntryTypeForbidden, services.AllergiesListed, selectors.RecordMerged),
        events=(events.ChartEntryRecorded,),
        example=examples.ENTRY,
    )
    def create(self, request: Request, pk: str) -> Response:
        """Add a chart entry

        Records an entry by hand. Send `type` with the fields of that kind, or `no_known_allergies: true` alone to record that
        the patient was asked and has none. A vital sign that is hardly possible is refused unless `confirmed_implausible` is
        true. The dates take a year or a month too and keep that precision. An active entry of the same code is a warning, and
        so is a diagnosis that does not fit the patient's age or sex.
        """
        patient_id, entry = self.id_in_path(), self.parse()
        if entry:
            row = services.record(by=self.by, patient_id=patient_id, entry=NewEntry(**entry))
        else:
            row = services.record_no_known_allergies(by=self.by, patient_id=patient_id)
        location = f"/v1/patients/{row.patient_id}/medical-history/{row.pk}"
        return self.reply(row, location=location, version=row.updated_at, warnings=[*_already_recorded(row), *_unusual(row)])

    @endpoint(
        permission=Permission.CHART_WRITE,
        request=requests.RetractBody,
        response=responses.ChartEntryShape,
        etag=True,
        about_patient=True,
        operation_id="retractChartEntry",
        refusals=(services.EntryTypeForbidden, services.AlreadyRetracted, selectors.RecordMerged),
        events=(events.ChartEntryRetracted,),
        example=examples.RETRACT,
    )
    def retract(self, request: Request, pk: str, entry: str) -> Response:
        """Mark a chart entry as entered in error

        Corrects the chart without deleting: the entry keeps its contents, gets the status `entered_in_error` with the reason,
        and leaves the normal list. The list of allergies and the problem list follow. An entry that is already retracted is
        refused.
        """
        reason = self.parse()["reason"]
        row = services.retract(by=self.by, patient_id=self.id_in_path(), entry_id=sample_ids.in_path(entry), reason=reason)
        return self._answer(row)

    def get_for_update(self) -> tuple[dict[str, Any], object]:
        patient = selectors.get_for_update(self.by, self.id_in_path())
        row = selectors.get_entry_for_update(self.by, patient.pk, sample_ids.in_path(self.kwargs["entry"]))
        return self.represent(row), row.updated_at

    def _answer(self, row: ChartEntry) -> Response:
        return self.reply(row, version=row.updated_at)

    def _rows(self, patient: Patient) -> ChartQuerySet:
        filters = self.validated_query()
        for kind in filters.get("type", ()):
            if not rights.reads_chart(self.by, kind):
                raise services.EntryTypeForbidden(f"Your role may not read chart entries of the type {kind}.")
        rows = selectors.chart(visible_to=self.by, patient_id=patient.pk)
        return rows if filters.get("include_retracted") else rows.not_in_error()


def _similar(by: Actor, patient: Patient, changes: Mapping[str, Any]) -> list[Match]:
    """Returns the recorded patients that a changed one may be, if a compared column was written."""
    if not COMPARED & changes.keys() or not by.has_permission(Permission.PATIENT_MATCH):
        return []
    return selectors.duplicates_of(patient, visible_to=by)


def _already_recorded(row: ChartEntry) -> list[dict[str, Any]]:
    same = selectors.already_recorded(row)
    if not same:
        return []
    message = f"The chart already has this {row.type} as active. If it is the same, retract one of the two."
    return [{"code": "already_recorded", "message": message, "entries": [entry.pk for entry in same]}]


def _unusual(row: ChartEntry) -> list[dict[str, Any]]:
    reason = selectors.unusual_for_patient(row)
    return [{"code": "unusual_for_patient", "message": reason, "field": "code"}] if reason else []


def _phone_warning(patient: Patient) -> list[dict[str, Any]]:
    if not patient.phone or patient.phone_e164:
        return []
    return [{"code": "phone_not_valid", "message": "The number was stored as sent; it cannot be dialled.", "field": "phone"}]
