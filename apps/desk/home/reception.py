"""The home of reception: who arrives next, where the doctors are, the next free times, and what to do."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from apps.access.actor import Actor
from apps.appointments import selectors
from apps.appointments.models import Appointment
from apps.appointments.queue import board, day
from apps.appointments.queue.board import QueueBoard
from apps.appointments.queue.doctors_now import DoctorNow, Presence, doctors_now
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.appointments.scheduling import free_times
from apps.appointments.scheduling.free_times import FreeTime
from apps.common import clinic_times, clock
from apps.common.text import filed_name
from apps.desk.appointments import labels
from apps.desk.appointments.labels import State
from apps.desk.home import rows
from apps.desk.home.base import Home, Task, Tile, record_listing
from apps.desk.kit.site import can_open
from apps.patients.rights import Permission as Patients

ROWS, FREE_TIMES, OFFERS = 8, 3, 5
_LATE_FROM = 5  # minutes; below that a doctor is on time
_LIST = "admin:appointments_appointment_changelist"


class ReceptionHome(Home):
    """The front desk."""

    template = "desk/home/reception.html"

    def content(self, request: HttpRequest) -> dict[str, Any]:
        user: Any = request.user
        by, today = cast("Actor", user), clock.today()
        queue, arriving = board.current(by=by), day.arriving(by, ROWS)
        offers = list(selectors.open_offers(visible_to=by))
        record_listing(request, "reception", len(arriving) + min(len(offers), OFFERS))
        return {
            "tiles": _tiles(by, queue, arriving, len(offers)),
            "rows": [_row(request, row) for row in arriving],
            "all_url": f"{reverse(_LIST)}?day=today",
            "doctors": [_doctor(one) for one in doctors_now(by, queue.entries)],
            "free_times": [_free_time(one) for one in free_times.next_of_each(by, number=FREE_TIMES)],
            "offers": [_offer(one) for one in offers[:OFFERS]],
            "more_offers": max(len(offers) - OFFERS, 0),
            "offers_url": reverse("admin:appointments_waitlistentry_changelist") + "?offer=open",
            "tasks": list(_requests(by)),
            "may_register": can_open(user, Patients.PATIENT_REGISTER),
            "may_book": can_open(user, Permission.APPOINTMENT_BOOK),
            "schedule_url": reverse("admin:schedule"),
            "today": today,
        }


def _tiles(by: Actor, queue: QueueBoard, arriving: list[Appointment], offers: int) -> Iterator[Tile]:
    now, today = clock.now(), clock.today()
    here, tomorrow = day.numbers(by, [today, today + timedelta(days=1)])
    longest = queue.summary.longest_wait_minutes
    note = gettext("Longest wait %(minutes)s min") % {"minutes": longest} if longest is not None else gettext("No one waits")
    yield Tile(gettext("In the waiting room"), queue.summary.waiting, reverse("admin:queue"), note)
    coming = next((row.scheduled_time for row in arriving if row.scheduled_time >= now), None)
    note = gettext("Next at %(time)s") % {"time": clinic_times.clock_time(coming)} if coming else ""
    total, listed = gettext("of %(total)s") % {"total": here.total}, f"{reverse(_LIST)}?day="
    yield Tile(gettext("Still to arrive today"), here.of(*day.TO_ARRIVE), f"{listed}today", note, total)
    first, second = here.of(*day.NOT_CONFIRMED), tomorrow.of(*day.NOT_CONFIRMED)
    note = gettext("%(today)s today, %(tomorrow)s tomorrow") % {"today": first, "tomorrow": second}
    which = "today" if first or not second else "tomorrow"
    yield Tile(gettext("Not confirmed"), first + second, f"{listed}{which}&status=unconfirmed", note)
    missed = here.of(Status.NO_SHOW)
    note = gettext("Call to book again") if missed else ""
    yield Tile(gettext("Did not come"), missed, f"{listed}today&status=no_show", note)
    if by.has_permission(Permission.WAITLIST_VIEW):
        note = gettext("%(number)s offered a time") % {"number": offers} if offers else ""
        waiting = selectors.waitlist(visible_to=by).order_by().count()
        yield Tile(gettext("Waiting list"), waiting, reverse("admin:appointments_waitlistentry_changelist"), note)


def _row(request: HttpRequest, row: Appointment) -> dict[str, Any]:
    offered, late = rows.actions(request, row), rows.waited_since(row.scheduled_time)
    first = next((name for name in ("no-show", "accept", "check-in", "confirm") if name in offered), "")
    others = [name for name in ("check-in", "confirm", "move", "no-show", "cancel") if name != first]
    is_late = late > 0 and row.status != Status.REQUESTED
    return {
        "time": labels.clock_time(row.scheduled_time),
        "patient": rows.patient(request, row.patient),
        "doctor": labels.doctor(row.doctor),
        "kind": rows.kind(row),
        "tag": State(rows.minutes_late(late), "clock", "warn") if is_late else labels.STATES[Status(row.status)],
        "action": offered.get(first),
        "more": rows.more(request, row, offered, *others),
    }


def _doctor(one: DoctorNow) -> dict[str, Any]:
    at = labels.clock_time(one.at) if one.at else ""
    if one.presence is Presence.HERE:
        is_long = one.minutes_late >= settings.HIMS_QUEUE_AMBER_MINUTES
        words = gettext("Running %(minutes)s min late") % {"minutes": one.minutes_late}
        late = State(words, "clock", "warn" if is_long else "")
        tag = late if one.minutes_late >= _LATE_FROM else State(gettext("On time"), "check", "ok")
    else:
        words = {
            Presence.AWAY: gettext("Away until %(time)s"),
            Presence.LATER: gettext("Here from %(time)s"),
            Presence.FINISHED: gettext("Finished at %(time)s"),
        }[one.presence] % {"time": at}
        tag = State(words, "leave" if one.presence is Presence.AWAY else "clock")
    return {"name": labels.doctor(one.doctor.user), "room": one.room, "tag": tag}


def _free_time(one: FreeTime) -> dict[str, Any]:
    query = urlencode({"doctor": one.doctor.pk, "at": one.span.start.strftime("%Y-%m-%dT%H:%M:%SZ")})
    return {
        "url": f"{reverse('admin:appointments_appointment_add')}?{query}",
        "when": labels.short_moment(one.span.start),
        "doctor": labels.doctor(one.doctor.user),
        "minutes": (one.span.end - one.span.start) // timedelta(minutes=1),
    }


def _offer(one: Any) -> dict[str, Any]:
    return {
        "url": reverse("admin:appointments_waitlistentry_change", args=[one.entry_id]),
        "patient": filed_name(one.entry.patient.last_name, one.entry.patient.first_name),
        "when": labels.short_moment(one.scheduled_time),
        "until": labels.short_moment(one.expires_at),
    }


def _requests(by: Actor) -> Iterator[Task]:
    """Yields the line of the requested appointments, if there are any."""
    requests = day.open_requests(by)
    if requests.number and requests.since:
        words = ngettext("Answer %(number)s request", "Answer %(number)s requests", requests.number)
        note = gettext("Since %(day)s") % {"day": clinic_times.day(requests.since)}
        yield Task(words % {"number": requests.number}, f"{reverse(_LIST)}?status=requested", note)
