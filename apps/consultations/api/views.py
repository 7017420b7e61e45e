"""The API of consultations: start, read, save a step, sign, add, put on hold, resume, cancel, hand over."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.appointments import services as appointments
from apps.consultations import selectors, services
from apps.consultations.api import examples
from apps.consultations.api.filters import ConsultationFilter
from apps.consultations.api.serializers import requests, responses
from apps.consultations.rights import Permission
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services import NewConsultation, NewSave
from apps.patients import selectors as patients
from apps.rest import periods
from apps.rest.endpoint import endpoint
from apps.rest.viewsets import HimsViewSet

_SHOWN = ("retrieve", "create", "step", "complete", "addenda", "hold", "resume", "cancel", "ready", "hand_over")


class ConsultationViewSet(HimsViewSet):
    """The 11-step consultation. Every reply is the current consultation; a stale If-Match is a 412 that contains it too."""

    resource = "consultation"
    plural = "consultations"
    shows_current = True
    expands = {"patient": responses.PATIENT, "doctor": responses.DOCTOR}

    @endpoint(permission=Permission.CONSULTATION_VIEW, query=ConsultationFilter, response=responses.ConsultationRow)
    def list(self, request: Request) -> Response:
        query, window = self.validated_query(), self.window()
        since, until = query.pop("date_from", None), query.pop("date_to", None)
        periods.check(since, until)
        filters = {name: value or None for name, value in query.items()}
        listing = selectors.listing(
            visible_to=self.by, offset=window.offset, limit=window.limit, since=since, until=until, **filters
        )
        response = self.page_of("consultations", [responses.to_row(row) for row in listing.rows], window, listing.total)
        self.record_access("consultation.searched", query=request.query_params.dict(), shown=self.shown)
        return response

    @endpoint(
        permission=Permission.CONSULTATION_VIEW,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        example=examples.STATE,
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """The progress of a consultation, and all its saved data"""
        consultation = selectors.consultation(self.by, self.id_in_path())
        self.record_access("consultation.read", patient_id=consultation.row.patient_id, object_id=consultation.row.pk)
        return self._reply(consultation)

    @endpoint(
        permission=Permission.CONSULTATION_START,
        request=requests.StartBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        operation_id="startConsultation",
        example=examples.START,
        refusals=(
            services.OtherDoctor,
            services.AlreadyStarted,
            appointments.NotToday,
            services.PatientNotActive,
            appointments.IllegalTransition,
            patients.RecordMerged,
        ),
    )
    def create(self, request: Request) -> Response:
        """Start a consultation, for an appointment or a walk-in"""
        return self._created(services.start(by=self.by, new=NewConsultation(**self.parse())))

    @endpoint(
        permission=Permission.CONSULTATION_STEP,
        request=requests.StepBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        operation_id="updateConsultationStep",
        example=examples.STEP,
        refusals=(
            services.OtherDoctorsConsultation,
            services.StepForbidden,
            services.DoctorRequired,
            services.NotOpen,
            services.EarlierStepOpen,
            services.StepChanged,
        ),
    )
    def step(self, request: Request, pk: str) -> Response:
        """Save a step; can be repeated"""
        save = NewSave(**self.parse())
        return self._reply(services.save_step(by=self.by, consultation_id=self.id_in_path(), save=save))

    @endpoint(
        permission=Permission.CONSULTATION_SIGN,
        request=requests.CompleteBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        refusals=(services.OtherDoctorsConsultation, services.IllegalMove, services.Incomplete, services.DoctorRequired),
    )
    def complete(self, request: Request, pk: str) -> Response:
        """Sign the consultation: it can no longer be edited, and its results are written to the chart"""
        return self._reply(services.complete(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    @endpoint(
        permission=Permission.CONSULTATION_SIGN,
        request=requests.AddendumBody,
        response=responses.ConsultationShape,
        creates=True,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        operation_id="addAddendum",
        refusals=(services.OtherDoctorsConsultation, services.IllegalMove),
    )
    def addenda(self, request: Request, pk: str) -> Response:
        """Add an addendum to a signed consultation"""
        return self._created(services.add(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    @endpoint(
        permission=Permission.CONSULTATION_HOLD,
        request=requests.ReasonBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        refusals=(services.OtherDoctorsConsultation, services.IllegalMove),
    )
    def hold(self, request: Request, pk: str) -> Response:
        """Put the consultation on hold"""
        return self._reply(services.hold(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    @endpoint(
        permission=Permission.CONSULTATION_HOLD,
        request=requests.NothingBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        refusals=(services.OtherDoctorsConsultation, services.IllegalMove),
    )
    def resume(self, request: Request, pk: str) -> Response:
        """Resume a consultation that is on hold"""
        self.parse()
        return self._reply(services.resume(by=self.by, consultation_id=self.id_in_path()))

    @endpoint(
        permission=Permission.CONSULTATION_HOLD,
        request=requests.ReasonBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        refusals=(services.OtherDoctorsConsultation, services.IllegalMove),
    )
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel the consultation: the patient left unseen, or it was started by mistake"""
        return self._reply(services.cancel(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    @endpoint(
        permission=Permission.CONSULTATION_READY,
        request=requests.NothingBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        operation_id="markConsultationReady",
        refusals=(services.OwnConsultation, services.NotOpen, services.AlreadyReady),
    )
    def ready(self, request: Request, pk: str) -> Response:
        """Mark the consultation as ready for its doctor, who is notified and sees it in the queue; once, 409 afterwards"""
        self.parse()
        return self._reply(services.ready(by=self.by, consultation_id=self.id_in_path()))

    @endpoint(
        permission=Permission.CONSULTATION_SIGN,
        request=requests.HandOverBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        refusals=(services.OtherDoctorsConsultation, services.NotOngoing),
    )
    def hand_over(self, request: Request, pk: str) -> Response:
        """Hand the consultation over to another doctor"""
        return self._reply(services.hand_over(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    def get_for_update(self) -> tuple[dict[str, Any], object]:
        row, _ = services.get_for_update(self.by, self.id_in_path())
        return {"consultation": responses.consultation(selectors.details(row), self.by)}, row.version

    def _reply(self, consultation: ConsultationDetails) -> Response:
        shown = {"consultation": responses.consultation(consultation, self.by)}
        return self.ok(shown, version=consultation.row.version, warnings=responses.warnings(consultation, self.by))

    def _created(self, consultation: ConsultationDetails) -> Response:
        shown = {"consultation": responses.consultation(consultation, self.by)}
        location, warnings = f"/v1/consultations/{consultation.row.pk}", responses.warnings(consultation, self.by)
        return self.created(shown, location=location, version=consultation.row.version, warnings=warnings)
