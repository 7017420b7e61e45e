"""The API of appointments: book, read, change, confirm, check in, cancel."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.appointments import selectors, services
from apps.appointments.api import examples
from apps.appointments.api.filters import AppointmentFilter, CancelFilter
from apps.appointments.api.serializers import requests, responses
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.appointments.services import BookingResult, NewAppointment, transitions
from apps.patients import selectors as patients
from apps.rest import cursor, periods
from apps.rest.endpoint import endpoint
from apps.rest.scoped_list import CountedPage, ListPage
from apps.rest.viewsets import HimsViewSet


class AppointmentViewSet(HimsViewSet):
    """Appointments. Rejects a double booking with 409 and three free times."""

    resource = "appointment"
    plural = "appointments"
    expands = {"patient": responses.PATIENT, "doctor": responses.DOCTOR}
    extra = {"pagination": cursor.PAGINATION}

    @endpoint(
        permission=Permission.APPOINTMENT_VIEW, query=AppointmentFilter, response=responses.AppointmentRow, example=examples.LIST
    )
    def list(self, request: Request) -> Response:
        by, query, window, after = self.by, self.validated_query(), self.window(), cursor.position(request.query_params)
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
        page: ListPage
        if after is None:
            page = selectors.list_page(visible_to=by, offset=window.offset, limit=window.limit, **filters)
        else:
            page = selectors.following(visible_to=by, after=after, limit=window.limit, **filters)
        total = page.total if isinstance(page, CountedPage) else None
        rows = [responses.to_row(row, by) for row in page.rows]
        response = cursor.page(self, "appointments", rows, following=page.next, total=total)
        self.record_access("appointment.searched", query=request.query_params.dict(), shown=self.shown)
        return response

    @endpoint(permission=Permission.APPOINTMENT_VIEW, response=responses.AppointmentShape, etag=True)
    def retrieve(self, request: Request, pk: str) -> Response:
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
    )
    def create(self, request: Request) -> Response:
        done = services.book(by=self.by, new=NewAppointment(**self.parse()))
        row = done.appointment
        return self.created(
            {"appointment": responses.appointment(row, self.by)},
            location=f"/v1/appointments/{row.pk}",
            version=row.updated_at,
            warnings=responses.warnings(done.warnings),
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
    )
    def update(self, request: Request, pk: str) -> Response:
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
    )
    def destroy(self, request: Request, pk: str) -> Response:
        return self._cancelled(self.validated_query() | self.parse())

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        request=requests.CancelBody,
        response=responses.AppointmentShape,
        etag=True,
        operation_id="cancelAppointment",
        refusals=(services.OtherDoctorsSchedule, services.IllegalTransition),
    )
    def cancel(self, request: Request, pk: str) -> Response:
        return self._cancelled(self.parse())

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        response=responses.AppointmentShape,
        etag=True,
        refusals=(services.OtherDoctorsSchedule, services.IllegalTransition, services.PatientNotActive),
    )
    def confirm(self, request: Request, pk: str) -> Response:
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
    )
    def check_in(self, request: Request, pk: str) -> Response:
        """Check the patient in. An appointment of another day is refused (409, `not_today`) unless `early` is true."""
        return self._respond(services.check_in(by=self.by, appointment_id=self.id_in_path(), **self.parse()))

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        response=responses.AppointmentShape,
        etag=True,
        refusals=(services.OtherDoctorsSchedule, services.IllegalTransition),
    )
    def undo_check_in(self, request: Request, pk: str) -> Response:
        """Undo a check-in: the appointment is scheduled or confirmed again, as before."""
        return self._respond(services.undo_check_in(by=self.by, appointment_id=self.id_in_path()))

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        response=responses.AppointmentShape,
        etag=True,
        refusals=(services.OtherDoctorsSchedule, services.IllegalTransition, services.TooEarly),
    )
    def no_show(self, request: Request, pk: str) -> Response:
        return self._respond(services.no_show(by=self.by, appointment_id=self.id_in_path()))

    def get_for_update(self) -> tuple[dict[str, Any], object]:
        row = transitions.get_for_update(self.by, self.id_in_path())
        return {"appointment": responses.appointment(row, self.by)}, row.updated_at

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
        return self.ok({"appointment": responses.appointment(row, self.by)}, version=row.updated_at, warnings=warnings)
