"""The API of consultations: start, read, save a step, sign, add, put on hold, resume, cancel, hand over."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.appointments import events as appointment_events
from apps.appointments import services as appointments
from apps.consultations import events, selectors, services
from apps.consultations.api import examples
from apps.consultations.api.filters import ConsultationFilter
from apps.consultations.api.serializers import requests, responses
from apps.consultations.rights import Permission
from apps.consultations.selectors import ConsultationDetails
from apps.consultations.services import NewConsultation, NewSave
from apps.consultations.steps.ports import OrderRefused
from apps.patients import events as patient_events
from apps.patients import selectors as patients
from apps.patients.lists.patient_queries import listed_patient
from apps.rest import disclosure, periods
from apps.rest.endpoint import endpoint
from apps.rest.viewsets import HimsViewSet

_SHOWN = ("retrieve", "create", "step", "complete", "addenda", "hold", "resume", "cancel", "ready", "hand_over")


class ConsultationViewSet(HimsViewSet):
    """The 11-step consultation. Every reply is the current consultation; a stale If-Match is a 412 that contains it too."""

    resource = "consultation"
    plural = "consultations"
    shows_current = True
    expands = responses.EXPANSIONS

    @endpoint(permission=Permission.CONSULTATION_VIEW, query=ConsultationFilter, response=responses.ConsultationRow)
    def list(self, request: Request) -> Response:
        """List consultations

        Returns the consultations that the caller may see, the latest first, without the contents of their steps. `date_from`
        and `date_to` are compared with the start. Without a filter `total` is exact; with one it is counted up to 10,000. The
        audit log records the patients shown.
        """
        query = self.validated_query()
        since, until = query.pop("date_from", None), query.pop("date_to", None)
        periods.check(since, until)
        filters = {name: value or None for name, value in query.items()}
        page = selectors.list_page(visible_to=self.by, window=self.window, since=since, until=until, **filters)
        response = self.page(page)
        patient_id = listed_patient(query.get("patient_id"), (row["patient_id"] for row in page.rows))
        self.record_access("consultation.searched", patient_id=patient_id, query=self.sent_query(), shown=self.shown)
        return response

    @endpoint(
        permission=Permission.CONSULTATION_VIEW,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        example=examples.STATE,
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read a consultation

        Returns the consultation with the saved data of each step, what the server read from them (`parsed`), the required
        steps that are missing, the recommended next step, and the prompts and alerts of the adaptive rules. A consultation of
        a chart that is closed to the caller gets a 404. The audit log records that it was read.
        """
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
        events=(events.ConsultationStarted, appointment_events.AppointmentUpdated, patient_events.CareTeamJoined),
    )
    def create(self, request: Request) -> Response:
        """Start a consultation

        Starts the 11-step consultation for an appointment or, without `appointment_id`, for a walk-in. The appointment is in
        progress from now on; a patient who was not checked in is checked in first. Doctors start only their own consultations;
        other staff name the doctor, or the appointment does. An appointment of another day is refused unless `early` is true,
        and one that already has a consultation in progress is refused with its id.
        """
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
            OrderRefused,
        ),
        events=(events.ConsultationStepSaved, events.ConsultationAlertRaised, events.ConsultationAlertsCleared),
    )
    def step(self, request: Request, pk: str) -> Response:
        """Save a step of a consultation

        Saves what was entered in one step, as often as needed while the consultation is in progress. `step_data` is merged
        over what is stored, field by field: an absent field stays, null clears it. Without `completed` the step is completed
        as soon as all its required fields are present. `version` makes the save safe against another user's: if the stored
        step has another version, the reply is a 409 that shows it in `details.current`. Nurses save steps 0 to 3. Urgent vital
        signs raise an alert and notify the doctor.
        """
        save = NewSave(**self.parse())
        try:
            return self._reply(services.save_step(by=self.by, consultation_id=self.id_in_path(), save=save))
        except services.StepChanged as refusal:
            if refusal.details["current"] is not None:
                self.record_current(refused=int(refusal.status))
            raise

    @endpoint(
        permission=Permission.CONSULTATION_SIGN,
        request=requests.CompleteBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        refusals=(services.OtherDoctorsConsultation, services.IllegalMove, services.Incomplete, services.DoctorRequired),
        events=(events.ConsultationCompleted, appointment_events.AppointmentUpdated, patient_events.ChartEntriesRecorded),
        example=examples.COMPLETE,
    )
    def complete(self, request: Request, pk: str) -> Response:
        """Sign a consultation

        Signs the consultation: its contents can no longer be edited, its findings are written to the medical history, and its
        appointment is completed. Missing required steps and alerts that are not acknowledged are refused and listed, unless
        `override_incomplete` is true with a `reason`, which is audited. The patient is notified unless `notify_patient` is
        false.
        """
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
        events=(events.ConsultationAmended, patient_events.ChartEntriesRecorded),
        example=examples.ADDENDUM,
    )
    def addenda(self, request: Request, pk: str) -> Response:
        """Add an addendum to a signed consultation

        Signs a further text; what was signed before stays as it is. The consultation is then `amended`, and the addendum is
        written to the medical history as a note. Before the signature it is refused.
        """
        return self._created(services.add(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    @endpoint(
        permission=Permission.CONSULTATION_HOLD,
        request=requests.ReasonBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        refusals=(services.OtherDoctorsConsultation, services.IllegalMove),
        events=(events.ConsultationHeld,),
        example=examples.HOLD,
    )
    def hold(self, request: Request, pk: str) -> Response:
        """Put a consultation on hold

        Lets the consultation wait, for example for a result. No step can be saved until it is resumed. Only a consultation in
        progress can be put on hold.
        """
        return self._reply(services.hold(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    @endpoint(
        permission=Permission.CONSULTATION_HOLD,
        request=requests.NothingBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        refusals=(services.OtherDoctorsConsultation, services.IllegalMove),
        events=(events.ConsultationResumed,),
        example=examples.RESUME,
    )
    def resume(self, request: Request, pk: str) -> Response:
        """Resume a consultation

        Continues a consultation that is on hold: it is in progress again, and steps can be saved. Any other status is refused.
        """
        self.parse()
        return self._reply(services.resume(by=self.by, consultation_id=self.id_in_path()))

    @endpoint(
        permission=Permission.CONSULTATION_HOLD,
        request=requests.ReasonBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        refusals=(services.OtherDoctorsConsultation, services.IllegalMove, services.SeenByDoctor),
        events=(events.ConsultationCancelled, appointment_events.AppointmentUpdated, patient_events.CareTeamLeft),
        example=examples.CANCEL,
    )
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a consultation

        Ends a consultation that will not take place: the patient left unseen, or it was started by mistake. Its appointment
        returns to the queue, and doctors who saw the patient in this consultation only leave the care team. A
        nurse cancels only a consultation that no doctor has worked on. A signed consultation cannot be cancelled.
        """
        return self._reply(services.cancel(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    @endpoint(
        permission=Permission.CONSULTATION_READY,
        request=requests.NothingBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        operation_id="markConsultationReady",
        refusals=(services.OwnConsultation, services.NotOpen, services.AlreadyReady),
        events=(events.ConsultationReady,),
        example=examples.READY,
    )
    def ready(self, request: Request, pk: str) -> Response:
        """Mark a consultation as ready for its doctor

        Tells the doctor that the patient is prepared: the doctor is notified, and the queue shows it. What the doctor saves
        next removes the mark. The doctor of the consultation cannot mark it, and a consultation that is already marked is
        refused with the time.
        """
        self.parse()
        return self._reply(services.ready(by=self.by, consultation_id=self.id_in_path()))

    @endpoint(
        permission=Permission.CONSULTATION_SIGN,
        request=requests.HandOverBody,
        response=responses.ConsultationShape,
        etag=True,
        warnings=("vital_alert", "unusual_for_patient", "not_ordered", "not_prescribed"),
        refusals=(services.OtherDoctorsConsultation, services.NotOngoing),
        events=(events.ConsultationHandedOver, patient_events.CareTeamJoined),
        example=examples.HAND_OVER,
    )
    def hand_over(self, request: Request, pk: str) -> Response:
        """Hand a consultation over to another doctor

        Another doctor continues the consultation from where it is and joins the patient's care team. The appointment stays in
        the schedule in which it was booked; the queue shows it under the new doctor. Only a consultation in progress or on
        hold can be handed over, by its own doctor.
        """
        return self._reply(services.hand_over(by=self.by, consultation_id=self.id_in_path(), **self.parse()))

    def get_for_update(self) -> tuple[dict[str, Any], object]:
        row, _ = services.get_for_update(self.by, self.id_in_path())
        return self.represent(selectors.details(row)), row.version

    def record_current(self, *, refused: int) -> None:
        if not disclosure.may_see(self.by, Permission.CONSULTATION_VIEW):
            return  # the refusal is sent without it
        row = selectors.consultation(self.by, self.id_in_path()).row
        self.record_access("consultation.read", patient_id=row.patient_id, object_id=row.pk, refused=refused)

    def _reply(self, consultation: ConsultationDetails, *, location: str = "") -> Response:
        warnings = responses.warnings(consultation, self.by)
        return self.reply(consultation, version=consultation.row.version, warnings=warnings, location=location)

    def _created(self, consultation: ConsultationDetails) -> Response:
        return self._reply(consultation, location=f"/v1/consultations/{consultation.row.pk}")
