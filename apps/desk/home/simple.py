"""Homes that show numbers only, for roles whose work is built later, and until a role has a page of its own."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from apps.appointments.queue import board
from apps.appointments.rights import Permission as Appointments
from apps.consultations.rights import Permission as Consultations
from apps.desk.appointments.panels import unconfirmed_today
from apps.desk.appointments.waitlist import with_an_open_offer
from apps.desk.consultations.walk_ins import with_an_alert
from apps.desk.home.base import Home, Tile
from apps.desk.kit.site import can_open


class NumbersHome(Home):
    """What waits, as far as the user may open it."""

    def tiles(self, request: HttpRequest) -> Iterator[Tile]:
        user: Any = request.user
        if can_open(user, Appointments.QUEUE_VIEW):
            yield Tile(gettext("In the waiting room"), board.count_waiting(user), reverse("admin:queue"))
        if can_open(user, Appointments.APPOINTMENT_ANY):
            unconfirmed = reverse("admin:appointments_appointment_changelist") + "?day=today&status=unconfirmed"
            yield Tile(gettext("Not confirmed today"), unconfirmed_today(user), unconfirmed)
        if can_open(user, Appointments.WAITLIST_KEEP):
            offered = reverse("admin:appointments_waitlistentry_changelist") + "?offer=open"
            yield Tile(gettext("Offered an earlier time"), with_an_open_offer(user), offered)
        if can_open(user, Consultations.CONSULTATION_SEE_NOTES):
            alerts, number = reverse("admin:consultations_consultation_changelist") + "?status=alert", with_an_alert(user)
            yield Tile(gettext("Vital signs not acknowledged"), number, alerts, is_alarm=number > 0)
