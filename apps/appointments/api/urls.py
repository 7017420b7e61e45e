"""Routes of the diary."""

from django.urls import path

from apps.appointments.api.schedules import AvailabilityViewSet, RoomViewSet, ScheduleViewSet, TimeOffViewSet
from apps.appointments.api.views import AppointmentViewSet

urlpatterns = [
    path("appointments", AppointmentViewSet.as_view({"get": "list", "post": "create"}), name="appointments"),
    path(
        "appointments/<str:pk>",
        AppointmentViewSet.as_view({"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}),
        name="appointment",
    ),
    path("appointments/<str:pk>/cancel", AppointmentViewSet.as_view({"post": "cancel"}), name="appointment-cancel"),
    path("appointments/<str:pk>/confirm", AppointmentViewSet.as_view({"post": "confirm"}), name="appointment-confirm"),
    path("appointments/<str:pk>/check-in", AppointmentViewSet.as_view({"post": "check_in"}), name="appointment-check-in"),
    path("appointments/<str:pk>/no-show", AppointmentViewSet.as_view({"post": "no_show"}), name="appointment-no-show"),
    path("doctors/<str:pk>/availability", AvailabilityViewSet.as_view({"get": "retrieve"}), name="doctor-availability"),
    path("doctors/<str:pk>/schedule", ScheduleViewSet.as_view({"get": "retrieve", "put": "update"}), name="doctor-schedule"),
    path("doctors/<str:pk>/time-off", TimeOffViewSet.as_view({"get": "list", "post": "create"}), name="doctor-time-off"),
    path(
        "doctors/<str:pk>/time-off/<str:time_off>",
        TimeOffViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
        name="doctor-time-off-one",
    ),
    path("rooms", RoomViewSet.as_view({"get": "list"}), name="rooms"),
]
