"""The diary as a page: a day with the doctors side by side, or one doctor's week. Free times lead to the booking page."""

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
from apps.access.permissions import Permission
from apps.accounts import selectors as accounts
from apps.accounts.models import Doctor
from apps.appointments import openings, overview, rules, timetable
from apps.appointments.admin import moves, words
from apps.appointments.admin.forms import DayInput
from apps.appointments.admin.time_off import plans
from apps.appointments.models import Appointment
from apps.appointments.overview import UNCONFIRMED, Sieve
from apps.appointments.rules import Status
from apps.appointments.timetable import Cell, Column, Entry, Kind
from apps.audit import services as audit
from apps.common import clock
from apps.rest.admin_site import holds

NEED = Permission.APPOINTMENT_BOOK  # whoever books looks where
_SIDE_BY_SIDE = 12  # doctors in one table where nobody is chosen and nobody works that day
_WORDS = {Kind.OFF: "Time off", Kind.BREAK: "Break", Kind.CLOSED: "Closed", Kind.NONE: "–", Kind.PAST: "–", Kind.TAKEN: "Taken"}
_FIRST, _LAST = date(1900, 1, 1), date(2199, 12, 31)


class AskForm(forms.Form):
    """What is to be shown. What makes no sense is shown as if it had not been asked for."""

    view = forms.ChoiceField(required=False, choices=[("day", "Day"), ("week", "Week of one doctor")])
    doctor = forms.ChoiceField(required=False)
    date = forms.DateField(required=False, widget=DayInput)
    type = forms.ChoiceField(required=False, choices=[("", "All"), *words.TYPES])
    status = forms.ChoiceField(
        required=False,
        choices=[("", "All"), (UNCONFIRMED, "not confirmed"), *((one.value, words.status(one)) for one in Status)],
    )

    def __init__(self, data: Any, doctors: Sequence[Doctor]) -> None:
        super().__init__(data, auto_id="diary_%s")
        named = [(str(doctor.pk), words.doctor(doctor.user)) for doctor in doctors]
        cast("forms.ChoiceField", self.fields["doctor"]).choices = [("", "All"), *named]


@dataclass(frozen=True)
class Asked:
    """A view of the diary."""

    view: str
    day: date
    doctor: Doctor | None
    sieve: Sieve

    @property
    def days(self) -> list[date]:
        monday = self.day - timedelta(days=self.day.weekday())
        return [self.day] if self.view == "day" else [monday + timedelta(days=number) for number in range(7)]

    def address(self, **other: Any) -> str:
        """This view, or one that differs from it in something."""
        said = {
            "view": self.view,
            "doctor": self.doctor.pk if self.doctor else "",
            "date": self.day,
            "type": self.sieve.appointment_type,
            "status": self.sieve.status,
        }
        kept = {name: value for name, value in (said | other).items() if value}
        return f"{reverse('admin:schedule')}?{urlencode(kept)}"


class ScheduleView(View):
    """The page. Every look is one row of the trail, with what was asked for."""

    site: Any = None

    def get(self, request: HttpRequest) -> HttpResponse:
        if not holds(request.user, NEED):
            raise PermissionDenied
        by = cast("Actor", request.user)
        doctors = list(accounts.doctors(visible_to=by).select_related("user").order_by("user__last_name", "user__first_name"))
        form = AskForm(request.GET, doctors)
        asked = _asked(form, doctors, by)
        columns = self._columns(by, asked, doctors)
        rows = timetable.lay_out(columns, zone=openings.clinic_zone(), now=clock.now())
        shown = {entry.what.patient_id for column in columns for entry in column.entries if entry.what is not None}
        self._note(by, request, asked, len(shown))
        context = {
            **self.site.each_context(request),
            "title": _title(asked),
            "form": AskForm(_shown(asked), doctors),
            "asked": asked,
            "heads": [_head(column, asked) for column in columns],
            "rows": [
                {
                    "time": f"{row.at:%H:%M}",
                    "again": row.again,
                    "cells": [_cell(cell, column, asked) for cell, column in zip(row.cells, columns, strict=True)],
                }
                for row in rows
            ],
            "ways": _ways(asked),
            "move": _move(asked, request.user),
            "signs": [(words.SIGNS[status], words.status(status)) for status in Status],
            "zone": openings.clinic_zone().key,
        }
        return TemplateResponse(request, "admin/appointments/schedule.html", context)

    def _columns(self, by: Actor, asked: Asked, doctors: Sequence[Doctor]) -> list[Column]:
        """Of a day those who work or see somebody; where that is nobody, the first of all."""
        if asked.doctor is not None:
            return overview.columns(by, [asked.doctor], asked.days, asked.sieve)
        every = overview.columns(by, doctors, asked.days, asked.sieve)
        return [column for column in every if column.hours or column.entries] or every[:_SIDE_BY_SIDE]

    def _note(self, by: Actor, request: HttpRequest, asked: Asked, shown: int) -> None:
        query = {name: value for name, value in request.GET.items() if name in AskForm.base_fields}
        first, last = str(asked.days[0]), str(asked.days[-1])
        audit.note(
            by=by, action="appointments.diary_read", door="admin", query=query, shown=shown, first_day=first, last_day=last
        )


def _asked(form: AskForm, doctors: Sequence[Doctor], by: Actor) -> Asked:
    """A week is one doctor's: one's own, else the first by name."""
    form.is_valid()
    said = form.cleaned_data
    known = {str(doctor.pk): doctor for doctor in doctors}
    day, view = said.get("date") or clock.today(), said.get("view") or "day"
    chosen = known.get(said.get("doctor", ""))
    if view == "week" and chosen is None:
        chosen = known.get(str(by.id)) or next(iter(doctors), None)
    sieve = Sieve(said.get("type", ""), said.get("status", ""))
    return Asked(view, min(max(day, _FIRST), _LAST), chosen, sieve)


def _shown(asked: Asked) -> dict[str, Any]:
    return {
        "view": asked.view,
        "doctor": str(asked.doctor.pk) if asked.doctor else "",
        "date": asked.day.isoformat(),
        "type": asked.sieve.appointment_type,
        "status": asked.sieve.status,
    }


def _title(asked: Asked) -> str:
    day = asked.days[0]
    when = f"{day:%A} {day.day} {day:%B %Y}"
    return f"Diary: {when}" if asked.view == "day" else f"Diary: week from {when}"


def _ways(asked: Asked) -> list[dict[str, Any]]:
    """Where else one may want to look."""
    week, today = timedelta(days=7), clock.today()
    near = (
        []
        if asked.view == "week"
        else [("Previous day", asked.day - timedelta(days=1)), ("Next day", asked.day + timedelta(days=1))]
    )
    steps = [*near, ("Today", today), ("Previous week", asked.day - week), ("Next week", asked.day + week)]
    other = ("Day", "day") if asked.view == "week" else ("Week", "week")
    ways = [{"label": label, "url": asked.address(date=day)} for label, day in steps]
    return [*ways, {"label": f"{other[0]} view", "url": asked.address(view=other[1])}]


def _move(asked: Asked, user: Any) -> str:
    """Where the visits that are looked at are moved, all of a doctor's together; nowhere for those who plan none of it."""
    if not (plans(user, asked.doctor.pk) if asked.doctor else holds(user, Permission.SCHEDULE_KEEP)):
        return ""
    zone, days = openings.clinic_zone(), asked.days
    start, end = (rules.instant(day, time.min, zone) for day in (days[0], days[-1] + timedelta(days=1)))
    return moves.way(asked.doctor and asked.doctor.pk, start, end)


def _head(column: Column, asked: Asked) -> dict[str, str]:
    """A column's doctor, leading to the doctor's week; of a week its day, leading to the day."""
    if asked.view == "week":
        day = column.day
        label = f"{day:%a} {day.day} {day:%b}"
        return {"label": label, "url": asked.address(view="day", date=day, doctor="")}
    return {"label": words.doctor(column.doctor.user), "url": asked.address(view="week", doctor=column.doctor.pk)}


def _cell(cell: Cell, column: Column, asked: Asked) -> dict[str, Any]:
    """A cell in words and links."""
    visits = [_visit(entry) for entry in cell.entries]
    told = "" if visits else _WORDS.get(cell.kind, "")
    if cell.until is not None and not visits:
        told = f"until {words.clock_time(cell.until)}"
    return {
        "kind": cell.kind.value,
        "visits": visits,
        "told": told,
        "away": cell.away and cell.kind is Kind.TAKEN,
        "book": _book(cell, column, asked) if cell.kind is Kind.FREE else None,
    }


def _visit(entry: Entry) -> dict[str, Any]:
    """A visit, as far as it may be told: of a closed chart, or one that was not asked for, that the time is taken."""
    row: Appointment | None = entry.what
    span = f"{words.clock_time(entry.start)}–{words.clock_time(entry.end)}"
    if row is None:
        return {"time": span, "url": "", "who": "Taken"}
    return {
        "time": span,
        "url": reverse("admin:appointments_appointment_change", args=[row.pk]),
        "who": words.patient(row.patient),
        "kind": words.status(row.appointment_type),
        "sign": words.SIGNS[Status(row.status)],
        "status": words.status(row.status),
        "room": row.room.name if row.room else "",
        "is_beside": row.overbook_seat is not None,
    }


def _book(cell: Cell, column: Column, asked: Asked) -> dict[str, str]:
    at = cell.start
    assert at is not None  # a free cell has a time
    said = {"doctor": column.doctor.pk, "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "appointment_type": asked.sieve.appointment_type}
    address = reverse("admin:appointments_appointment_add")
    query = urlencode({name: value for name, value in said.items() if value})
    return {"label": f"Book {words.clock_time(at)} {words.doctor(column.doctor.user)}", "url": f"{address}?{query}"}
