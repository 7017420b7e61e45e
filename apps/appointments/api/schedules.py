"""The API of availability: free times, weeks, time off; and the rooms."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.rights import Permission as AccountPermission
from apps.appointments import events, rules, selectors, services
from apps.appointments.api import examples
from apps.appointments.api.filters import AvailabilityFilter
from apps.appointments.api.serializers import requests, responses
from apps.appointments.rights import Permission
from apps.appointments.scheduling.services import schedules
from apps.appointments.services import NewSchedule, WeeklyHours
from apps.common import clock
from apps.common.errors import Invalid
from apps.rest import paging, periods, sample_ids
from apps.rest.endpoint import endpoint
from apps.rest.serializers import FIRST_YEAR, LAST_YEAR, is_plausible
from apps.rest.viewsets import HimsViewSet

_USUAL_REACH = timedelta(days=14)


class AvailabilityViewSet(HimsViewSet):
    """When a doctor is free."""

    resource = "availability"
    data_key = ""
    tag = "Doctors"

    @endpoint(
        permission=AccountPermission.DOCTOR_VIEW,
        query=AvailabilityFilter,
        response=responses.SlotsShape,
        operation_id="getAvailability",
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """List a doctor's free times

        Returns the times at which the doctor can be booked: published hours without time off and without booked appointments,
        in steps of the doctor's slots. Without `date_from` and `date_to` it covers the next two weeks; at most 366 days can be
        requested. `duration_minutes` and `appointment_type` decide how long a time must be free.
        """
        query = self.validated_query()
        periods.check(query.get("date_from"), query.get("date_to"))
        start = query.get("date_from") or clock.now()
        if not is_plausible(start):
            raise Invalid(field="date_from", issue=f"Must be in a year from {FIRST_YEAR} to {LAST_YEAR}.")
        end = query.get("date_to") or start + _USUAL_REACH
        periods.check(start, end)
        if end - start > timedelta(days=rules.FURTHEST_DAYS):
            raise Invalid(field="date_to", issue=f"Request at most {rules.FURTHEST_DAYS} days at a time.")
        free = selectors.free_slots(
            self.by,
            self.id_in_path(),
            start=start,
            end=end,
            minutes=query.get("duration_minutes"),
            appointment_type=query.get("appointment_type") or "",
        )
        return self.reply({"slots": free})


class ScheduleViewSet(HimsViewSet):
    """A doctor's published week."""

    resource = "schedule"
    tag = "Doctors"

    @endpoint(permission=AccountPermission.DOCTOR_VIEW, response=responses.ScheduleShape, etag=True)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read a doctor's working hours

        Returns the doctor's published week: hours by weekday in the clinic's time zone, the length of a slot, the overbook
        seats of a day and the usual length of each type of appointment. A doctor who has published nothing has an empty
        `hours`.
        """
        return self._respond(self.id_in_path())

    @endpoint(
        permission=Permission.SCHEDULE_KEEP,
        request=requests.ScheduleBody,
        response=responses.ScheduleShape,
        etag=True,
        warnings=("visits_affected",),
        refusals=(services.OtherDoctorsSchedule,),
        events=(events.ScheduleChanged,),
        example=examples.SCHEDULE,
    )
    def update(self, request: Request, pk: str) -> Response:
        """Publish a doctor's working hours

        Publishes a week in place of the previous one; the body is the whole week, not a change. Booked appointments stay where
        they are, and the warning `visits_affected` counts those that are now outside the hours. Doctors publish only their own
        hours.
        """
        cleaned = self.parse()
        hours = [WeeklyHours(**one) for one in cleaned.pop("hours")]
        doctor_id, schedule = self.id_in_path(), NewSchedule(hours=hours, **cleaned)
        published = services.set_schedule(by=self.by, doctor_id=doctor_id, schedule=schedule)
        warnings = responses.visits_affected(published.affected, "hours", "are outside the new hours")
        return self.reply(selectors.week(self.by, doctor_id), warnings=warnings)

    def get_for_update(self) -> tuple[dict[str, Any], object]:
        schedules.lock_schedule(self.by, self.id_in_path())
        return self.represent(selectors.week(self.by, self.id_in_path())), None

    def _respond(self, doctor_id: UUID) -> Response:
        return self.reply(selectors.week(self.by, doctor_id))


class TimeOffViewSet(HimsViewSet):
    """When a doctor is away."""

    resource = "time_off"
    plural = "time_off"
    tag = "Doctors"

    @endpoint(permission=AccountPermission.DOCTOR_VIEW, response=responses.TimeOffShape, operation_id="listTimeOff")
    def list(self, request: Request, pk: str) -> Response:
        """List a doctor's time off

        Returns the recorded periods in which the doctor is away, past ones too, in order of their start. The reason is shown
        only to callers who may plan schedules.
        """
        rows = selectors.time_off(self.by, self.id_in_path())
        return self.page(paging.page_of(rows, self.window, paging.exact))

    @endpoint(permission=AccountPermission.DOCTOR_VIEW, response=responses.TimeOffShape, etag=True, operation_id="getTimeOff")
    def retrieve(self, request: Request, pk: str, time_off: str) -> Response:
        """Read a time off

        Returns one period in which the doctor is away. The reason is shown only to callers who may plan schedules.
        """
        row = selectors.one_time_off(self.by, self.id_in_path(), sample_ids.in_path(time_off))
        return self.reply(row)

    @endpoint(
        permission=Permission.SCHEDULE_KEEP,
        request=requests.TimeOffBody,
        response=responses.TimeOffShape,
        etag=True,
        warnings=("visits_affected",),
        operation_id="addTimeOff",
        refusals=(services.OtherDoctorsSchedule,),
        events=(events.TimeOffAdded,),
        example=examples.TIME_OFF,
    )
    def create(self, request: Request, pk: str) -> Response:
        """Add a time off

        Records that the doctor is away. Nothing is offered in that time; booked appointments stay, and the warning
        `visits_affected` counts them, so that `POST /doctors/{id}/move-appointments` can move them. `ends_at` as a day is the
        last day away. Doctors add only their own.
        """
        row = services.add_time_off(by=self.by, doctor_id=self.id_in_path(), **self.parse())
        warnings = responses.visits_affected(services.count_affected(self.by, row), "", "are in that time")
        location = f"/v1/doctors/{row.doctor_id}/time-off/{row.pk}"
        return self.reply(row, location=location, warnings=warnings)

    @endpoint(
        permission=Permission.SCHEDULE_KEEP,
        response=responses.TimeOffShape,
        etag=True,
        operation_id="removeTimeOff",
        refusals=(services.OtherDoctorsSchedule,),
        events=(events.TimeOffRemoved,),
    )
    def destroy(self, request: Request, pk: str, time_off: str) -> Response:
        """Remove a time off

        Removes the period: its times can be booked again as far as the published hours allow. Appointments that were moved
        because of it do not move back. Doctors remove only their own.
        """
        row = services.remove_time_off(by=self.by, doctor_id=self.id_in_path(), time_off_id=sample_ids.in_path(time_off))
        return self.reply(row)

    def get_for_update(self) -> tuple[dict[str, Any], object]:
        row = schedules.lock_time_off(self.by, self.id_in_path(), sample_ids.in_path(self.kwargs["time_off"]))
        return self.represent(row), None


class RoomViewSet(HimsViewSet):
    """The rooms for appointments."""

    resource = "room"
    plural = "rooms"

    @endpoint(permission=Permission.ROOM_VIEW, response=responses.RoomShape)
    def list(self, request: Request) -> Response:
        """List the rooms

        Returns the rooms that are in use, by location and name. Use an `id` as the `room_id` of an appointment or of working
        hours.
        """
        return self.page(paging.page_of(selectors.rooms(visible_to=self.by), self.window, paging.exact))
