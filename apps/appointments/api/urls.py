"""Routes of appointments, schedules, the waitlist, the queue and rooms."""

from django.urls import path

from apps.appointments.api.calendars import AppointmentFileViewSet, CalendarFeedViewSet, CalendarSubscriptionViewSet
from apps.appointments.api.queue import QueueViewSet
from apps.appointments.api.reschedule import BulkRescheduleViewSet
from apps.appointments.api.schedules import AvailabilityViewSet, RoomViewSet, ScheduleViewSet, TimeOffViewSet
from apps.appointments.api.series import SeriesViewSet
from apps.appointments.api.views import AppointmentViewSet
from apps.appointments.api.waitlist import AcceptViewSet, WaitlistViewSet

urlpatterns = [
    # before `appointments/<pk>`, which would take them for ids
    path("appointments/<str:pk>.ics", AppointmentFileViewSet.as_view({"get": "retrieve"}), name="appointment-file"),
    path("appointments/series", SeriesViewSet.as_view({"post": "create"}), name="series"),
    path("appointments/series/<str:pk>", SeriesViewSet.as_view({"get": "retrieve"}), name="series-one"),
    path("appointments/series/<str:pk>/cancel", SeriesViewSet.as_view({"post": "cancel"}), name="series-cancel"),
    path("appointments/moves/<str:pk>", BulkRescheduleViewSet.as_view({"get": "retrieve"}), name="move"),
    path("appointments/moves/<str:pk>/undo", BulkRescheduleViewSet.as_view({"post": "undo"}), name="move-undo"),
    path("appointments", AppointmentViewSet.as_view({"get": "list", "post": "create"}), name="appointments"),
    path(
        "appointments/<str:pk>",
        AppointmentViewSet.as_view({"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}),
        name="appointment",
    ),
    path("appointments/<str:pk>/cancel", AppointmentViewSet.as_view({"post": "cancel"}), name="appointment-cancel"),
    path("appointments/<str:pk>/confirm", AppointmentViewSet.as_view({"post": "confirm"}), name="appointment-confirm"),
    path("appointments/<str:pk>/check-in", AppointmentViewSet.as_view({"post": "check_in"}), name="appointment-check-in"),
    path(
        "appointments/<str:pk>/undo-check-in",
        AppointmentViewSet.as_view({"post": "undo_check_in"}),
        name="appointment-undo-check-in",
    ),
    path("appointments/<str:pk>/no-show", AppointmentViewSet.as_view({"post": "no_show"}), name="appointment-no-show"),
    path("doctors/<str:pk>/availability", AvailabilityViewSet.as_view({"get": "retrieve"}), name="doctor-availability"),
    path("doctors/<str:pk>/schedule", ScheduleViewSet.as_view({"get": "retrieve", "put": "update"}), name="doctor-schedule"),
    path("doctors/<str:pk>/time-off", TimeOffViewSet.as_view({"get": "list", "post": "create"}), name="doctor-time-off"),
    path(
        "doctors/<str:pk>/time-off/<str:time_off>",
        TimeOffViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
        name="doctor-time-off-one",
    ),
    path("doctors/<str:pk>/move-appointments", BulkRescheduleViewSet.as_view({"post": "move"}), name="doctor-move-appointments"),
    path("doctors/<str:pk>/calendar.ics", CalendarSubscriptionViewSet.as_view({"get": "retrieve"}), name="doctor-calendar"),
    path(
        "doctors/<str:pk>/calendar-feed",
        CalendarFeedViewSet.as_view({"post": "create", "get": "retrieve", "delete": "destroy"}),
        name="doctor-calendar-feed",
    ),
    path("waitlist", WaitlistViewSet.as_view({"get": "list", "post": "create"}), name="waitlist"),
    path("waitlist/<str:pk>", WaitlistViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="waitlist-entry"),
    path("waitlist/<str:pk>/accept", AcceptViewSet.as_view({"post": "accept"}), name="waitlist-accept"),
    path("waitlist/<str:pk>/decline", WaitlistViewSet.as_view({"post": "decline"}), name="waitlist-decline"),
    path("queue", QueueViewSet.as_view({"get": "list"}), name="queue"),
    path("rooms", RoomViewSet.as_view({"get": "list"}), name="rooms"),
]
