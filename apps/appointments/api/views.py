"""The API of appointments: book, read, change, confirm, check in, cancel."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.appointments import events, selectors, services
from apps.appointments.api import examples
from apps.appointments.api.filters import AppointmentFilter, CancelFilter
from apps.appointments.api.serializers import requests, responses
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.appointments.services import BookingResult, NewAppointment, transitions
from apps.patients import events as patient_events
from apps.patients import selectors as patients
from apps.patients.lists.patient_queries import listed_patient
from apps.rest import periods
from apps.rest.endpoint import endpoint
from apps.rest.viewsets import HimsViewSet


class AppointmentViewSet(HimsViewSet):
    """Appointments. Rejects a double booking with 409 and three free times."""

    resource = "appointment"
    plural = "appointments"
    expands = responses.EXPANSIONS

    @endpoint(
        permission=Permission.APPOINTMENT_VIEW, query=AppointmentFilter, response=responses.AppointmentRow, example=examples.LIST
    )
    def list(self, request: Request) -> Response:
        """List appointments

        Returns the appointments that the caller may see, the latest first, or the earliest first with `sort=scheduled_time`.
        `date_from` and `date_to` take a day of the clinic, which is included, or an instant. Without a filter `total` is
        exact; with one it is counted up to 10,000. To read on without repeated rows, send `next_cursor` of a page as `cursor`.
        The audit log records the search and the patients shown.
        """
        query = self.validated_query()
        since, until = query.get("date_from"), query.get("date_to")
        periods.check(since, until)
        filters: dict[str, Any] = {
            "newest_first": query.get("sort") != "scheduled_time",
            "patient_id": query.get("patient_id"),
            "doctor_id": query.get("doctor_id"),
            "since": since,
            "until": until,
            "status": query.get("status") or None,
        }
        page = selectors.list_page(visible_to=self.by, window=self.window, **filters)
        response = self.page(page)
        patient_id = listed_patient(query.get("patient_id"), (row["patient_id"] for row in page.rows))
        self.record_access("appointment.searched", patient_id=patient_id, query=self.sent_query(), shown=self.shown)
        return response

    @endpoint(permission=Permission.APPOINTMENT_VIEW, response=responses.AppointmentShape, etag=True)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read an appointment

        Returns one appointment with its version in `ETag`. An id that does not exist and an appointment of a chart that is
        closed to the caller get the same 404. The audit log records that the patient's appointment was read.
        """
        row = selectors.appointment(self.by, self.id_in_path())
        self.record_access("appointment.read", patient_id=row.patient_id, object_id=row.pk)
        return self._respond(row)

    @endpoint(
        permission=Permission.APPOINTMENT_BOOK,
        request=requests.BookBody,
        response=responses.AppointmentShape,
        etag=True,
        warnings=("in_the_past", "outside_hours", "doctor_time_off"),
        example=examples.BOOK,
        refusals=(
            services.SlotTaken,
            services.OverbookingFull,
            services.OverbookingForbidden,
            services.PatientNotActive,
            patients.RecordMerged,
        ),
        events=(events.AppointmentBooked, patient_events.CareTeamJoined),
    )
    def create(self, request: Request) -> Response:
        """Book an appointment

        Books the patient with the doctor. A caller who is a doctor may leave `doctor_id` out; without `duration_minutes` the
        doctor's usual length of that type applies. The database refuses a time at which the doctor, the patient or the room is
        booked, and the refusal lists three free times in `details.alternatives`. Administrators and receptionists may book in
        addition with `overbook_reason`, up to the seats of the doctor's day. With `status: requested` the appointment reserves
        no time until it is scheduled. A time in the past, outside the doctor's hours or in their time off is booked with a
        warning.
        """
        done = services.book(by=self.by, new=NewAppointment(**self.parse()))
        row = done.appointment
        return self.reply(
            row, location=f"/v1/appointments/{row.pk}", version=row.updated_at, warnings=responses.warnings(done.warnings)
        )

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        request=requests.ChangeBody,
        response=responses.AppointmentShape,
        etag=True,
        warnings=("in_the_past", "outside_hours", "doctor_time_off"),
        refusals=(
            services.OtherDoctorsSchedule,
            services.IllegalTransition,
            services.AlreadyOver,
            services.NoLongerMovable,
            services.NotToday,
            services.TooEarly,
            services.PatientNotActive,
            services.SlotTaken,
            services.OverbookingFull,
            services.OverbookingForbidden,
        ),
        events=(events.AppointmentUpdated, patient_events.CareTeamJoined, patient_events.CareTeamLeft),
        example=examples.CHANGE,
    )
    def update(self, request: Request, pk: str) -> Response:
        """Change an appointment

        Changes the fields that are sent; absent fields stay as they are, and a request that changes nothing announces nothing.
        Time, length, doctor and room can change while the appointment is requested, scheduled or confirmed, and the new time
        is checked like a booking. `status` moves the appointment along its lifecycle; `details.allowed` of a refusal lists the
        statuses that may follow. Doctors change only their own appointments. The patient is notified of a new time or a
        cancellation unless `notify_patient` is false.
        """
        changes = self.parse()
        notify_patient, early = changes.pop("notify_patient"), changes.pop("early")
        done: BookingResult = services.change(
            by=self.by, appointment_id=self.id_in_path(), changes=changes, notify_patient=notify_patient, early=early
        )
        return self._respond(done.appointment, done)

    partial_update = update

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        query=CancelFilter,
        request=requests.CancelBody,
        response=responses.AppointmentShape,
        etag=True,
        operation_id="deleteAppointment",
        refusals=(services.OtherDoctorsSchedule, services.IllegalTransition),
        events=(events.AppointmentUpdated, patient_events.CareTeamLeft),
        example=examples.CANCEL,
    )
    def destroy(self, request: Request, pk: str) -> Response:
        """Cancel an appointment (DELETE)

        Cancels the appointment; the row stays and can be read, and its time is free at once. The reason and `notify_patient`
        may be sent in the body or as query parameters, for proxies that drop the body of a DELETE. An appointment that is in
        progress, completed or already cancelled is refused. `POST /appointments/{id}/cancel` does the same.
        """
        return self._cancelled(self.validated_query() | self.parse())

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        request=requests.CancelBody,
        response=responses.AppointmentShape,
        etag=True,
        operation_id="cancelAppointment",
        refusals=(services.OtherDoctorsSchedule, services.IllegalTransition),
        events=(events.AppointmentUpdated, patient_events.CareTeamLeft),
        example=examples.CANCEL,
    )
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel an appointment

        Cancels the appointment; the row stays and can be read, and its time is free at once: the waitlist may offer it to
        another patient. The patient is notified unless `notify_patient` is false. An appointment that is in progress,
        completed or already cancelled is refused. Doctors cancel only their own appointments.
        """
        return self._cancelled(self.parse())

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        response=responses.AppointmentShape,
        etag=True,
        refusals=(services.OtherDoctorsSchedule, services.IllegalTransition, services.PatientNotActive),
        events=(events.AppointmentUpdated,),
    )
    def confirm(self, request: Request, pk: str) -> Response:
        """Confirm an appointment

        Records that the patient has confirmed a scheduled appointment. Appointments of inactive or deceased patients cannot be
        confirmed. Doctors confirm only their own appointments.
        """
        return self._respond(services.confirm(by=self.by, appointment_id=self.id_in_path()))

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        request=requests.EarlyBody,
        response=responses.AppointmentShape,
        etag=True,
        refusals=(
            services.OtherDoctorsSchedule,
            services.IllegalTransition,
            services.NotToday,
            services.PatientNotActive,
            services.SlotTaken,
            services.OverbookingFull,
        ),
        events=(events.AppointmentUpdated, patient_events.CareTeamJoined),
        example=examples.CHECK_IN,
    )
    def check_in(self, request: Request, pk: str) -> Response:
        """Check the patient in

        Records that the patient has arrived and gives the day's next queue token. A scheduled or confirmed appointment can be
        checked in, and a missed one (no-show) on its own day. An appointment of another day is refused unless `early` is true.
        A missed appointment takes its time again, so it is refused if that time has been booked since.
        """
        return self._respond(services.check_in(by=self.by, appointment_id=self.id_in_path(), **self.parse()))

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        response=responses.AppointmentShape,
        etag=True,
        refusals=(services.OtherDoctorsSchedule, services.IllegalTransition),
        events=(events.AppointmentUpdated,),
    )
    def undo_check_in(self, request: Request, pk: str) -> Response:
        """Undo a check-in

        Takes a check-in back while no consultation has started: the appointment is scheduled or confirmed again, as before,
        and its queue token is void. An appointment that is not checked in is refused. Doctors do this only for their own
        appointments.
        """
        return self._respond(services.undo_check_in(by=self.by, appointment_id=self.id_in_path()))

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        response=responses.AppointmentShape,
        etag=True,
        refusals=(services.OtherDoctorsSchedule, services.IllegalTransition, services.TooEarly),
        events=(events.AppointmentUpdated, patient_events.CareTeamLeft),
    )
    def no_show(self, request: Request, pk: str) -> Response:
        """Record that the patient did not come

        Marks a scheduled, confirmed or checked-in appointment as missed. Before the appointment time it is refused. A patient
        who comes later on the same day can still be checked in. Doctors do this only for their own appointments.
        """
        return self._respond(services.no_show(by=self.by, appointment_id=self.id_in_path()))

    def get_for_update(self) -> tuple[dict[str, Any], object]:
        row = transitions.get_for_update(self.by, self.id_in_path())
        return self.represent(row), row.updated_at

    def _cancelled(self, cleaned: dict[str, Any]) -> Response:
        notify_patient = cleaned.get("notify_patient")
        row = services.cancel(
            by=self.by,
            appointment_id=self.id_in_path(),
            reason=cleaned.get("cancellation_reason") or "",
            notify_patient=notify_patient is not False,
        )
        return self._respond(row)

    def _respond(self, row: Appointment, done: BookingResult | None = None) -> Response:
        warnings = responses.warnings(done.warnings) if done else []
        return self.reply(row, version=row.updated_at, warnings=warnings)
