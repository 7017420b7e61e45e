"""Visits over the API: book, look, change, confirm, check in, cancel."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.access.permissions import Permission
from apps.appointments import selectors, services
from apps.appointments.api import bodies, examples, shapes
from apps.appointments.api.filters import AppointmentFilter, CancelFilter
from apps.appointments.models import Appointment
from apps.appointments.services import Booked, NewVisit, visiting
from apps.patients import lists
from apps.rest import cursor, periods
from apps.rest.endpoint import endpoint
from apps.rest.viewsets import HimsViewSet


class AppointmentViewSet(HimsViewSet):
    """The diary. Nobody is booked twice: a clash answers 409 with three free times instead."""

    resource = "appointment"
    plural = "appointments"
    expands = {"patient": shapes.PATIENT, "doctor": shapes.DOCTOR}
    extra = {"pagination": cursor.PAGINATION}

    @endpoint(
        permission=Permission.APPOINTMENT_VIEW, query=AppointmentFilter, response=shapes.AppointmentRow, example=examples.LIST
    )
    def list(self, request: Request) -> Response:
        by, asked, window, after = self.by, self.asked(), self.window(), cursor.position(request.query_params)
        since, until = asked.get("date_from"), asked.get("date_to")
        periods.check(since, until)
        filters: dict[str, Any] = {
            "newest_first": asked.get("sort") != "scheduled_time",
            "patient_id": asked.get("patient_id"),
            "doctor_id": asked.get("doctor_id"),
            "since": since,
            "until": until,
            "status": asked.get("status") or None,
        }
        page: lists.Page
        if after is None:
            page = selectors.listing(visible_to=by, offset=window.offset, limit=window.limit, **filters)
        else:
            page = selectors.following(visible_to=by, after=after, limit=window.limit, **filters)
        total = page.total if isinstance(page, lists.Listing) else None
        rows = [shapes.listed(row, by) for row in page.rows]
        response = cursor.page(self, "appointments", rows, following=page.next, total=total)
        self.note("appointment.searched", query=request.query_params.dict(), shown=self.shown)
        return response

    @endpoint(permission=Permission.APPOINTMENT_VIEW, response=shapes.AppointmentShape, etag=True)
    def retrieve(self, request: Request, pk: str) -> Response:
        row = selectors.appointment(self.by, self.id_in_path())
        self.note("appointment.read", patient_id=row.patient_id, object_id=row.pk)
        return self._answer(row)

    @endpoint(
        permission=Permission.APPOINTMENT_BOOK,
        request=bodies.BookBody,
        response=shapes.AppointmentShape,
        etag=True,
        warnings=("in_the_past", "outside_hours", "doctor_time_off"),
        example=examples.BOOK,
    )
    def create(self, request: Request) -> Response:
        done = services.book(by=self.by, visit=NewVisit(**self.parse()))
        row = done.appointment
        return self.created(
            {"appointment": shapes.appointment(row, self.by)},
            location=f"/v1/appointments/{row.pk}",
            version=row.updated_at,
            warnings=shapes.warnings(done.warnings),
        )

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        request=bodies.ChangeBody,
        response=shapes.AppointmentShape,
        etag=True,
        warnings=("in_the_past", "outside_hours", "doctor_time_off"),
    )
    def update(self, request: Request, pk: str) -> Response:
        changes = self.parse()
        told, early = changes.pop("notify_patient"), changes.pop("early")
        done: Booked = services.change(
            by=self.by, appointment_id=self.id_in_path(), changes=changes, notify_patient=told, early=early
        )
        return self._answer(done.appointment, done)

    partial_update = update

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        query=CancelFilter,
        request=bodies.CancelBody,
        response=shapes.AppointmentShape,
        etag=True,
        operation_id="deleteAppointment",
    )
    def destroy(self, request: Request, pk: str) -> Response:
        return self._cancelled(self.asked() | self.parse())

    @endpoint(
        permission=Permission.APPOINTMENT_CHANGE,
        request=bodies.CancelBody,
        response=shapes.AppointmentShape,
        etag=True,
        operation_id="cancelAppointment",
    )
    def cancel(self, request: Request, pk: str) -> Response:
        return self._cancelled(self.parse())

    @endpoint(permission=Permission.APPOINTMENT_CHANGE, response=shapes.AppointmentShape, etag=True)
    def confirm(self, request: Request, pk: str) -> Response:
        return self._answer(services.confirm(by=self.by, appointment_id=self.id_in_path()))

    @endpoint(permission=Permission.APPOINTMENT_CHANGE, request=bodies.EarlyBody, response=shapes.AppointmentShape, etag=True)
    def check_in(self, request: Request, pk: str) -> Response:
        """Check the patient in. An appointment of another day is refused (409, `not_today`) unless `early` is true."""
        return self._answer(services.check_in(by=self.by, appointment_id=self.id_in_path(), **self.parse()))

    @endpoint(permission=Permission.APPOINTMENT_CHANGE, response=shapes.AppointmentShape, etag=True)
    def undo_check_in(self, request: Request, pk: str) -> Response:
        """Take a check-in back: the appointment is scheduled or confirmed again, whichever it was before."""
        return self._answer(services.undo_check_in(by=self.by, appointment_id=self.id_in_path()))

    @endpoint(permission=Permission.APPOINTMENT_CHANGE, response=shapes.AppointmentShape, etag=True)
    def no_show(self, request: Request, pk: str) -> Response:
        return self._answer(services.no_show(by=self.by, appointment_id=self.id_in_path()))

    def held(self) -> tuple[dict[str, Any], object]:
        row = visiting.held(self.by, self.id_in_path())
        return {"appointment": shapes.appointment(row, self.by)}, row.updated_at

    def _cancelled(self, asked: dict[str, Any]) -> Response:
        told = asked.get("notify_patient")
        row = services.cancel(
            by=self.by,
            appointment_id=self.id_in_path(),
            reason=asked.get("cancellation_reason") or "",
            notify_patient=told is not False,
        )
        return self._answer(row)

    def _answer(self, row: Appointment, done: Booked | None = None) -> Response:
        told = shapes.warnings(done.warnings) if done else []
        return self.ok({"appointment": shapes.appointment(row, self.by)}, version=row.updated_at, warnings=told)
