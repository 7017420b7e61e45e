"""The schedule as a page: a day with a column for each doctor, or one doctor's week. A free time links to the booking page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views import View

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.accounts.models import Doctor
from apps.appointments import rules
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.appointments.scheduling import availability, day_grid, doctor_hours
from apps.appointments.scheduling.day_grid import Cell, Column, GridEntry, Kind
from apps.appointments.scheduling.doctor_hours import UNCONFIRMED, GridFilter
from apps.audit import services as audit
from apps.common import clock
from apps.desk.appointments import labels, reschedule
from apps.desk.appointments.forms import DayInput
from apps.desk.appointments.time_off import may_schedule
from apps.desk.kit.site import can_open

NEED = Permission.QUEUE_VIEW
_SIDE_BY_SIDE = 12  # doctors in the table if none is chosen and none works that day
_KIND_LABELS = {
    Kind.OFF: "Time off",
    Kind.BREAK: "Break",
    Kind.CLOSED: "Closed",
    Kind.NONE: "–",
    Kind.PAST: "–",
    Kind.TAKEN: "Taken",
}
_FIRST, _LAST = date(1900, 1, 1), date(2199, 12, 31)


class ViewForm(forms.Form):
    """Chooses what to show. Invalid values are ignored."""

    view = forms.ChoiceField(required=False, choices=[("day", "Day"), ("week", "Week of one doctor")])
    doctor = forms.ChoiceField(required=False)
    date = forms.DateField(required=False, widget=DayInput)
    type = forms.ChoiceField(required=False, choices=[("", "All"), *labels.TYPES])
    status = forms.ChoiceField(
        required=False,
        choices=[("", "All"), (UNCONFIRMED, "not confirmed"), *((one.value, labels.status(one)) for one in Status)],
    )

    def __init__(self, data: Any, doctors: Sequence[Doctor]) -> None:
        super().__init__(data, auto_id="diary_%s")
        named = [(str(doctor.pk), labels.doctor(doctor.user)) for doctor in doctors]
        cast("forms.ChoiceField", self.fields["doctor"]).choices = [("", "All"), *named]


@dataclass(frozen=True)
class GridView:
    """A view of the schedule."""

    view: str
    day: date
    doctor: Doctor | None
    grid_filter: GridFilter
    may_book: bool

    @property
    def days(self) -> list[date]:
        monday = self.day - timedelta(days=self.day.weekday())
        return [self.day] if self.view == "day" else [monday + timedelta(days=number) for number in range(7)]

    def address(self, **other: Any) -> str:
        """Returns the address of this view, with these parameters changed."""
        parameters = {
            "view": self.view,
            "doctor": self.doctor.pk if self.doctor else "",
            "date": self.day,
            "type": self.grid_filter.appointment_type,
            "status": self.grid_filter.status,
        }
        query = {name: value for name, value in (parameters | other).items() if value}
        return f"{reverse('admin:schedule')}?{urlencode(query)}"


class ScheduleView(View):
    """The page. Every request is audited, with its parameters."""

    site: Any = None

    def get(self, request: HttpRequest) -> HttpResponse:
        if not can_open(request.user, NEED):
            raise PermissionDenied
        by = cast("Actor", request.user)
        doctors = list(accounts.doctors(visible_to=by).select_related("user").order_by("user__last_name", "user__first_name"))
        form = ViewForm(request.GET, doctors)
        grid_view = _grid_view(form, doctors, by)
        columns = self._columns(by, grid_view, doctors)
        rows = day_grid.build_rows(columns, zone=availability.clinic_zone(), now=clock.now())
        shown = {entry.appointment.patient_id for column in columns for entry in column.entries if entry.appointment is not None}
        self._note(by, request, grid_view, len(shown))
        context = {
            **self.site.each_context(request),
            "title": _title(grid_view),
            "form": ViewForm(_shown(grid_view), doctors),
            "grid_view": grid_view,
            "heads": [_head(column, grid_view) for column in columns],
            "rows": [
                {
                    "time": f"{row.at:%H:%M}",
                    "again": row.again,
                    "cells": [_cell(cell, column, grid_view) for cell, column in zip(row.cells, columns, strict=True)],
                }
                for row in rows
            ],
            "links": _navigation(grid_view),
            "move": _move(grid_view, request.user),
            "signs": [(labels.SIGNS[status], labels.status(status)) for status in Status],
            "zone": availability.clinic_zone().key,
        }
        return TemplateResponse(request, "admin/appointments/schedule.html", context)

    def _columns(self, by: Actor, grid_view: GridView, doctors: Sequence[Doctor]) -> list[Column]:
        """Returns the doctors who work or have entries that day; if there are none, the first doctors of the list."""
        if grid_view.doctor is not None:
            return doctor_hours.columns(by, [grid_view.doctor], grid_view.days, grid_view.grid_filter)
        every = doctor_hours.columns(by, doctors, grid_view.days, grid_view.grid_filter)
        return [column for column in every if column.hours or column.entries] or every[:_SIDE_BY_SIDE]

    def _note(self, by: Actor, request: HttpRequest, grid_view: GridView, shown: int) -> None:
        query = {name: value for name, value in request.GET.items() if name in ViewForm.base_fields}
        first, last = str(grid_view.days[0]), str(grid_view.days[-1])
        audit.record(
            by=by, action="appointments.diary_read", door="admin", query=query, shown=shown, first_day=first, last_day=last
        )


def _grid_view(form: ViewForm, doctors: Sequence[Doctor], by: Actor) -> GridView:
    """Returns the requested view. A week has one doctor: the chosen one, else the user, else the first by name."""
    form.is_valid()
    cleaned = form.cleaned_data
    known = {str(doctor.pk): doctor for doctor in doctors}
    day, view = cleaned.get("date") or clock.today(), cleaned.get("view") or "day"
    chosen = known.get(cleaned.get("doctor", ""))
    if view == "week" and chosen is None:
        chosen = known.get(str(by.id)) or next(iter(doctors), None)
    grid_filter = GridFilter(cleaned.get("type", ""), cleaned.get("status", ""))
    return GridView(view, min(max(day, _FIRST), _LAST), chosen, grid_filter, by.has_permission(Permission.APPOINTMENT_BOOK))


def _shown(grid_view: GridView) -> dict[str, Any]:
    return {
        "view": grid_view.view,
        "doctor": str(grid_view.doctor.pk) if grid_view.doctor else "",
        "date": grid_view.day.isoformat(),
        "type": grid_view.grid_filter.appointment_type,
        "status": grid_view.grid_filter.status,
    }


def _title(grid_view: GridView) -> str:
    day = grid_view.days[0]
    when = f"{day:%A} {day.day} {day:%B %Y}"
    return f"Schedule: {when}" if grid_view.view == "day" else f"Schedule: week from {when}"


def _navigation(grid_view: GridView) -> list[dict[str, Any]]:
    """Returns the links to other days and views."""
    week, today = timedelta(days=7), clock.today()
    near = (
        []
        if grid_view.view == "week"
        else [("Previous day", grid_view.day - timedelta(days=1)), ("Next day", grid_view.day + timedelta(days=1))]
    )
    steps = [*near, ("Today", today), ("Previous week", grid_view.day - week), ("Next week", grid_view.day + week)]
    other = ("Day", "day") if grid_view.view == "week" else ("Week", "week")
    links = [{"label": label, "url": grid_view.address(date=day)} for label, day in steps]
    return [*links, {"label": f"{other[0]} view", "url": grid_view.address(view=other[1])}]


def _move(grid_view: GridView, user: Any) -> str:
    """Returns the link that moves the shown appointments of a doctor; empty if the user may not plan this schedule."""
    if not (may_schedule(user, grid_view.doctor.pk) if grid_view.doctor else can_open(user, Permission.SCHEDULE_KEEP)):
        return ""
    zone, days = availability.clinic_zone(), grid_view.days
    start, end = (rules.instant(day, time.min, zone) for day in (days[0], days[-1] + timedelta(days=1)))
    return reschedule.reschedule_url(grid_view.doctor and grid_view.doctor.pk, start, end)


def _head(column: Column, grid_view: GridView) -> dict[str, str]:
    """Returns the header of a column: in a day view its doctor, linked to the week; in a week view its day, linked to the day."""
    if grid_view.view == "week":
        day = column.day
        label = f"{day:%a} {day.day} {day:%b}"
        return {"label": label, "url": grid_view.address(view="day", date=day, doctor="")}
    return {"label": labels.doctor(column.doctor.user), "url": grid_view.address(view="week", doctor=column.doctor.pk)}


def _cell(cell: Cell, column: Column, grid_view: GridView) -> dict[str, Any]:
    """Returns a cell as text and links."""
    visits = [_appointment(entry) for entry in cell.entries]
    label = "" if visits else _KIND_LABELS.get(cell.kind, "")
    if cell.until is not None and not visits:
        label = f"until {labels.clock_time(cell.until)}"
    return {
        "kind": cell.kind.value,
        "visits": visits,
        "label": label,
        "away": cell.away and cell.kind is Kind.TAKEN,
        "book": _book(cell, column, grid_view) if cell.kind is Kind.FREE and grid_view.may_book else None,
    }


def _appointment(entry: GridEntry) -> dict[str, Any]:
    """Returns an appointment's text. For a closed chart, or one that the filter excludes, it says only that the time is taken."""
    row: Appointment | None = entry.appointment
    span = f"{labels.clock_time(entry.start)}–{labels.clock_time(entry.end)}"
    if row is None:
        return {"time": span, "url": "", "who": "Taken"}
    return {
        "time": span,
        "url": reverse("admin:appointments_appointment_change", args=[row.pk]),
        "who": labels.patient(row.patient),
        "kind": labels.status(row.appointment_type),
        "sign": labels.SIGNS[Status(row.status)],
        "status": labels.status(row.status),
        "room": row.room.name if row.room else "",
        "is_overbooked": row.overbook_seat is not None,
    }


def _book(cell: Cell, column: Column, grid_view: GridView) -> dict[str, str]:
    at = cell.start
    assert at is not None  # a free cell has a time
    parameters = {
        "doctor": column.doctor.pk,
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "appointment_type": grid_view.grid_filter.appointment_type,
    }
    address = reverse("admin:appointments_appointment_add")
    query = urlencode({name: value for name, value in parameters.items() if value})
    return {"label": f"Book {labels.clock_time(at)} {labels.doctor(column.doctor.user)}", "url": f"{address}?{query}"}
