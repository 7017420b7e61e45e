"""The API of calendars: an appointment as a file, a doctor's calendar feed, and the secret of its address."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse
from django_filters import CharFilter, FilterSet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.appointments import events, selectors, services
from apps.appointments.calendars import ical
from apps.appointments.calendars.services import feeds
from apps.appointments.calendars.services.feeds import MadeFeed
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.appointments.scheduling.services import schedules
from apps.appointments.services import transitions
from apps.audit.models import AuditEvent
from apps.common import clinic_times, clock, context
from apps.common.errors import NotFound
from apps.rest import sample_ids
from apps.rest.endpoint import PUBLIC, Example, endpoint
from apps.rest.response_serializers import ResponseSerializer
from apps.rest.serializers import OnceField
from apps.rest.viewsets import HimsViewSet

_SECRET_MAX = 100


class AppointmentFileViewSet(HimsViewSet):
    """An appointment as a file."""

    resource = "appointment_file"
    tag = "Appointments"

    @endpoint(
        permission=Permission.APPOINTMENT_EXPORT,
        file=ical.MEDIA_TYPE,
        etag=True,
        operation_id="getAppointmentFile",
        refusals=(services.OtherDoctorsSchedule,),
    )
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Download an appointment as an iCalendar file

        Returns the appointment as `text/calendar` for a calendar program: time, place and doctor, without the reason and
        without the notes. Doctors download only their own appointments; another doctor's gets a 403. The audit log records the
        export.
        """
        row = selectors.appointment_with_people(self.by, self.id_in_path())
        transitions.check_owner(self.by, row)
        self.record_access("appointment.exported", patient_id=row.patient_id, object_id=row.pk)
        room = str(row.room) if row.room else ""
        raw = ical.of_appointment(row, clinic=settings.CLINIC_NAME, doctor=_doctor_name(row.doctor), room=room)
        return self.file(raw, name=f"appointment-{clinic_times.local(row.scheduled_time):%Y%m%d}.ics")


class TokenFilter(FilterSet):
    token = CharFilter(max_length=_SECRET_MAX, help_text="The secret part of the address")

    class Meta:
        model = Appointment
        fields: list[str] = []


class CalendarSubscriptionViewSet(HimsViewSet):
    """A doctor's calendar for calendar programs, which send no headers: the address contains a secret and is enough."""

    resource = "calendar"
    tag = "Doctors"
    secret_parameters = ("token",)

    def limit_key(self, request: Request) -> str:
        """Counts by address, whatever other identity the request claims."""
        return f"ip:{context.current().ip}"

    @endpoint(permission=PUBLIC, query=TokenFilter, file=ical.MEDIA_TYPE, etag=True, operation_id="getDoctorCalendar")
    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """Read a doctor's calendar feed

        Returns the doctor's busy times from 14 days ago to 90 days ahead as `text/calendar`, without names of patients.
        Calendar programs send no headers, so the secret `token` in the address is the only credential. Every token but the
        current one gets a 404, and the audit log records the attempt.
        """
        doctor_id = sample_ids.resolve(pk)
        feed = feeds.feed_of_secret(doctor_id, request.query_params.get("token", ""))
        if feed is None:
            self.record_access("calendar_feed.refused", object_id=doctor_id, outcome=AuditEvent.Outcome.DENIED)
            raise NotFound("Calendar not found. The address is wrong or was revoked.")
        self.record_access("calendar_feed.fetched", object_id=feed.pk, doctor_id=feed.doctor_id)
        feeds.record_fetch(feed)
        rows = selectors.busy(feed, *ical.window(clock.now()))
        raw = ical.of_doctor(rows, clinic=settings.CLINIC_NAME, doctor=_doctor_name(feed.doctor))
        return self.file(raw, name="calendar.ics")


class CalendarFeedShape(ResponseSerializer):
    """Whether a doctor's calendar has a feed."""

    doctor_id = serializers.UUIDField()
    active = serializers.BooleanField(source="is_active")
    created_at = serializers.DateTimeField(allow_null=True)
    made_by = serializers.UUIDField(source="made_by_id", allow_null=True)
    last_fetched_at = serializers.DateTimeField(allow_null=True, help_text="Exact to a minute")


class MadeCalendarFeedShape(CalendarFeedShape):
    origin = "feed"  # of the MadeFeed

    url = OnceField(help_text="The address to subscribe to. Shown only once.")

    @staticmethod
    def get_url(made: MadeFeed) -> str:
        return f"{settings.HIMS_BASE_URL}/v1/doctors/{made.feed.doctor_id}/calendar.ics?{urlencode({'token': made.secret})}"


_MADE = Example(
    reply={
        "success": True,
        "data": {
            "calendar_feed": {
                "doctor_id": "3f0a9a3c-7c1e-5e11-9c4e-a20c02d1b0a1",
                "active": True,
                "created_at": "2025-01-15T10:30:00Z",
                "made_by": "3f0a9a3c-7c1e-5e11-9c4e-a20c02d1b0a1",
                "last_fetched_at": None,
                "url": "https://api.hims.arocord.com/v1/doctors/3f0a9a3c-7c1e-5e11-9c4e-a20c02d1b0a1/calendar.ics?token=…",
            }
        },
    }
)


class CalendarFeedViewSet(HimsViewSet):
    """The secret address of a doctor's calendar. A new one revokes the old; it stops working with the doctor's account."""

    resource = "calendar_feed"
    tag = "Doctors"

    @endpoint(
        permission=Permission.SCHEDULE_KEEP,
        response=MadeCalendarFeedShape,
        operation_id="makeCalendarFeed",
        example=_MADE,
        refusals=(services.OtherDoctorsSchedule,),
        events=(events.CalendarFeedMade,),
    )
    def create(self, request: Request, pk: str) -> Response:
        """Create the address of a doctor's calendar feed

        Creates the secret address at which a calendar program reads the doctor's calendar. `url` is shown in this reply only.
        The previous address stops working at once. Doctors create only their own.
        """
        made = services.make_feed(by=self.by, doctor_id=self.id_in_path())
        return self.reply(made, location=f"/v1/doctors/{made.feed.doctor_id}/calendar-feed")

    @endpoint(
        permission=Permission.SCHEDULE_KEEP,
        response=CalendarFeedShape,
        etag=True,
        operation_id="getCalendarFeed",
        refusals=(services.OtherDoctorsSchedule,),
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """Read whether a doctor's calendar has a feed

        Returns whether there is an address, who created it and when it was last fetched; it does not return the address
        itself. Without a feed `active` is false and the times are null. Doctors read only their own.
        """
        return self.reply(selectors.feed(self.by, schedules.doctor_to_plan(self.by, self.id_in_path()).pk))

    @endpoint(
        permission=Permission.SCHEDULE_KEEP,
        response=CalendarFeedShape,
        etag=True,
        operation_id="revokeCalendarFeed",
        refusals=(services.OtherDoctorsSchedule, services.NoFeed),
        events=(events.CalendarFeedRevoked,),
    )
    def destroy(self, request: Request, pk: str) -> Response:
        """Revoke the address of a doctor's calendar feed

        Revokes the current address: calendar programs that use it get a 404 from now on. A doctor without an address is
        refused. Doctors revoke only their own.
        """
        return self.reply(services.revoke_feed(by=self.by, doctor_id=self.id_in_path()))

    def get_for_update(self) -> tuple[dict[str, Any], object]:
        return self.represent(selectors.feed(self.by, schedules.lock_schedule(self.by, self.id_in_path()).pk)), None


def _doctor_name(doctor: User) -> str:
    return doctor.full_name
