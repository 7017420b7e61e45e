"""The dashboard: the numbers of the clinic's day, the load of its doctors, and what a manager decides. No patient is named."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.accounts.rights import Permission as AccountPermission
from apps.appointments.queue import board, day
from apps.appointments.queue.day import DayNumbers, DoctorLoad
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.common import clock
from apps.desk.appointments import labels
from apps.desk.home import needs_you
from apps.desk.home.base import Home, Tile
from apps.desk.kit.links import openable
from apps.desk.kit.site import can_open

_LIST = "admin:appointments_appointment_changelist"
_FULL = 100  # percent of a doctor's hours


class DashboardHome(Home):
    """The manager's home, and a page of the system administrator."""

    template = "desk/home/dashboard.html"
    heading = _("Dashboard")

    def content(self, request: HttpRequest) -> dict[str, Any]:
        by = cast("Actor", request.user)
        sees_appointments = can_open(request.user, Permission.APPOINTMENT_VIEW)
        schedule = reverse("admin:schedule")
        return {
            "tiles": _tiles(request, by) if sees_appointments else (),
            "sees_appointments": sees_appointments,
            "load": [_load(one) for one in day.load(by)] if sees_appointments else [],
            "schedule_url": schedule if openable(request, [schedule]) else "",
            "tasks": list(needs_you.of_the_clinic(request)),
        }


class DashboardPage(DashboardHome):
    """The same as a page of its own, for users whose home is another one."""

    permission = AccountPermission.STAFF_VIEW  # of those who run the clinic


def _tiles(request: HttpRequest, by: Actor) -> Iterator[Tile]:
    today = clock.today()
    here, tomorrow = day.numbers(by, [today, today + timedelta(days=1)])
    listed = f"{reverse(_LIST)}?day="
    if can_open(request.user, Permission.QUEUE_VIEW):
        yield from _waits(by)
    yield Tile(
        gettext("Patients seen"),
        here.of(Status.COMPLETED),
        f"{listed}today&status=completed",
        gettext("%(number)s cancelled") % {"number": here.of(Status.CANCELLED)},
        gettext("of %(total)s") % {"total": here.total},
    )
    yield Tile(gettext("Still to arrive"), here.of(*day.TO_ARRIVE), f"{listed}today", _unconfirmed(here))
    yield _missed(here, f"{listed}today&status=no_show")
    booked = gettext("of %(total)s") % {"total": tomorrow.total}
    number = tomorrow.of(*day.NOT_CONFIRMED)
    yield Tile(gettext("Tomorrow not confirmed"), number, f"{listed}tomorrow&status=unconfirmed", "", booked)


def _waits(by: Actor) -> Iterator[Tile]:
    """Yields the tiles about the waiting room: now, and today's average."""
    numbers, queue = board.current(by=by, limit=0).summary, reverse("admin:queue")
    longest, average, red = numbers.longest_wait_minutes, numbers.average_wait_minutes_today, settings.HIMS_QUEUE_RED_MINUTES
    note = gettext("Longest wait %(minutes)s min, limit %(limit)s min") % {"minutes": longest, "limit": red}
    is_alarm = longest is not None and longest >= red
    yield Tile(gettext("Waiting now"), numbers.waiting, queue, note if longest is not None else "", is_alarm=is_alarm)
    if average is not None:
        note = gettext("From check-in to call, %(number)s patients") % {"number": numbers.called_today}
        yield Tile(gettext("Average wait today"), round(average), queue, note, gettext("min"), average >= red)


def _unconfirmed(here: DayNumbers) -> str:
    return gettext("%(number)s not confirmed") % {"number": here.of(*day.NOT_CONFIRMED)}


def _missed(here: DayNumbers, url: str) -> Tile:
    """Returns the tile of the patients who did not come, with their share of those who were due."""
    missed = here.of(Status.NO_SHOW)
    due = missed + here.of(Status.CHECKED_IN, Status.IN_PROGRESS, Status.COMPLETED)
    share = gettext("%(share)s %% of %(due)s due so far") % {"share": round(100 * missed / due), "due": due} if due else ""
    return Tile(gettext("Did not come"), missed, url, share)


def _load(one: DoctorLoad) -> dict[str, Any]:
    share, numbers = one.share, one.numbers
    return {
        "name": labels.doctor(one.doctor.user),
        "booked": numbers.total,
        "seen": numbers.of(Status.COMPLETED),
        "here": numbers.of(Status.CHECKED_IN, Status.IN_PROGRESS),
        "to_arrive": numbers.of(*day.TO_ARRIVE),
        "missed": numbers.of(Status.NO_SHOW),
        "share": share,
        "drawn": min(share, _FULL) if share is not None else 0,
        "is_over": share is not None and share > _FULL,
    }
