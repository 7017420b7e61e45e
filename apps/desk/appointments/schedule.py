"""The schedule as a page: a day with a column for each doctor, or some days of one doctor. A free time links to the booking page,
or, while an appointment is moved (`?move=`), to the page that asks before it moves it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views import View

from apps.access.actor import Actor
from apps.accounts import selectors as accounts
from apps.accounts.models import Doctor
from apps.appointments import rules, selectors
from apps.appointments.models import Appointment
from apps.appointments.rights import Permission
from apps.appointments.rules import Status
from apps.appointments.scheduling import availability, day_grid, doctor_hours
from apps.appointments.scheduling.day_grid import Column, Grid, Kind
from apps.appointments.scheduling.doctor_hours import UNCONFIRMED, GridFilter
from apps.audit import services as audit
from apps.common import clock
from apps.common.errors import NotFound
from apps.consultations.queries import worklists
from apps.desk.appointments import labels, reschedule, schedule_cells
from apps.desk.appointments.forms import DayInput
from apps.desk.appointments.schedule_cells import Sheet
from apps.desk.appointments.time_off import may_schedule
from apps.desk.kit.site import can_open
from apps.rest import sample_ids

NEED = Permission.QUEUE_VIEW
DAYS = {"day": 1, "3day": 3, "week": 7}
_SIDE_BY_SIDE = 12  # doctors in the table if none is chosen and none works that day
_FIRST, _LAST = date(1900, 1, 1), date(2199, 12, 31)
_SATURDAY = 5
_ROWS = {1: ("per5", 1), 2: ("per10", 2)}  # by the rows of the shortest block: higher rows, and the rows of one line of text
_LEGEND = (Status.CONFIRMED, Status.SCHEDULED, Status.CHECKED_IN, Status.IN_PROGRESS, Status.REQUESTED, Status.COMPLETED)


class ViewForm(forms.Form):
    """Chooses what to show. Invalid values are ignored."""

    doctor = forms.ChoiceField(label=_("Doctor"), required=False)
    type = forms.ChoiceField(label=_("Type"), required=False, choices=[("", _("All types")), *labels.TYPES])
    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[
            ("", _("Any status")),
            (UNCONFIRMED, _("Not confirmed")),
            *((one.value, state.word) for one, state in labels.STATES.items()),
        ],
    )
    date = forms.DateField(label=_("Date"), required=False, widget=DayInput)
    view = forms.ChoiceField(required=False, choices=[(name, name) for name in DAYS], widget=forms.HiddenInput)

    def __init__(self, data: Any, doctors: Sequence[Doctor]) -> None:
        super().__init__(data, auto_id="schedule_%s")
        named = [(str(doctor.pk), labels.doctor_and_leave(doctor)) for doctor in doctors]
        cast("forms.ChoiceField", self.fields["doctor"]).choices = [("", gettext("All doctors")), *named]


@dataclass(frozen=True)
class GridView:
    """A view of the schedule. `moving` is the appointment for which the user chooses another time."""

    view: str
    day: date
    doctor: Doctor | None
    grid_filter: GridFilter
    moving: Appointment | None = None

    @property
    def days(self) -> list[date]:
        first = self.day - timedelta(days=self.day.weekday()) if self.view == "week" else self.day
        return [first + timedelta(days=number) for number in range(DAYS[self.view])]

    def address(self, **other: Any) -> str:
        """Returns the address of this view, with these parameters changed. It always names the doctor, because without one a
        doctor gets their own schedule."""
        parameters = {
            "view": self.view,
            "date": self.day,
            "type": self.grid_filter.appointment_type,
            "status": self.grid_filter.status,
            "move": self.moving.pk if self.moving else "",
        }
        query = {name: value for name, value in (parameters | other).items() if value}
        doctor = other.get("doctor", self.doctor and self.doctor.pk)
        return f"{reverse('admin:schedule')}?{urlencode(query | {'doctor': doctor or ''})}"


class ScheduleView(View):
    """The page. Every request is audited, with its parameters."""

    site: Any = None

    def get(self, request: HttpRequest) -> HttpResponse:
        if not can_open(request.user, NEED):
            raise PermissionDenied
        by = cast("Actor", request.user)
        doctors = _doctors(request, by)
        grid_view = _grid_view(request, doctors, by)
        columns = _columns(by, grid_view, doctors)
        grid = day_grid.build(columns, zone=availability.clinic_zone(), now=clock.now())
        _note(by, request, grid_view, columns)
        row_class, one_line = _ROWS.get(grid.shortest, ("", 3))
        sheet = replace(_sheet(request, grid_view, columns), one_line=one_line)
        context = {
            **self.site.each_context(request),
            "title": _title(grid_view),
            "form": ViewForm(_shown(grid_view), doctors),
            "grid_view": grid_view,
            "heads": [_head(column, lanes.count, grid_view) for column, lanes in zip(columns, grid.columns, strict=True)],
            "lane_widths": _lane_widths(grid),
            "rows": schedule_cells.rows(grid, columns, sheet),
            "now_line": _now_line(grid, columns),
            "row_class": row_class,
            "address": sheet.address,
            "size": "crowd" if len(columns) > 8 else "many" if len(columns) > 5 else "",
            "steps": _steps(grid_view),
            "views": _views(grid_view),
            "cover": _cover(grid_view, request.user),
            "legend": [*(labels.STATES[status] for status in _LEGEND), labels.WITH_NURSE, schedule_cells.LATE],
            "booked": sum(map(_booked, columns)),
            "free": sum(block.kind is Kind.FREE for lanes in grid.columns for block in lanes.blocks),
            "may_book": can_open(request.user, Permission.APPOINTMENT_BOOK),
            "moving": grid_view.moving and _moving(grid_view),
            "zone": availability.clinic_zone().key,
        }
        return TemplateResponse(request, "desk/appointments/schedule.html", context)


def _doctors(request: HttpRequest, by: Actor) -> list[Doctor]:
    """Returns the doctors, and after them those who left and have appointments around the shown day, or are in the address."""
    form = ViewForm(request.GET, ())
    form.is_valid()
    day, zone = _day(form), availability.clinic_zone()
    days = (day - timedelta(days=day.weekday()), day + timedelta(days=max(DAYS.values())))
    span = rules.TimeSpan(*(rules.instant(one, time.min, zone) for one in days))
    former = selectors.former_doctors(by, span, also=sample_ids.resolve(request.GET.get("doctor", "")))
    return [*accounts.doctors(visible_to=by), *former]


def _day(form: ViewForm) -> date:
    return min(max(form.cleaned_data.get("date") or clock.today(), _FIRST), _LAST)


def _grid_view(request: HttpRequest, doctors: Sequence[Doctor], by: Actor) -> GridView:
    """Returns the requested view. Several days have one doctor: the chosen one, else the user, else the first by name. Doctors
    who choose nothing get their own week."""
    form = ViewForm(request.GET, doctors)
    form.is_valid()
    cleaned = form.cleaned_data
    known = {str(doctor.pk): doctor for doctor in doctors}
    own = next((doctor for doctor in doctors if doctor.pk == by.id and doctor.works_here), None)
    chosen = known.get(cleaned.get("doctor", "")) or (own if "doctor" not in request.GET else None)
    view = cleaned.get("view") or ("week" if own and not request.GET else "day")
    if view != "day" and chosen is None:
        chosen = own or next(iter(doctors), None)
    grid_filter = GridFilter(cleaned.get("type", ""), cleaned.get("status", ""))
    return GridView(view, _day(form), chosen, grid_filter, _appointment_to_move(request, by))


def _appointment_to_move(request: HttpRequest, by: Actor) -> Appointment | None:
    """Returns the appointment that the address names, if the user can move it."""
    appointment_id = sample_ids.resolve(request.GET.get("move", ""))
    if appointment_id is None:
        return None
    try:
        row = selectors.appointment_with_people(by, appointment_id)
    except NotFound:
        return None
    return row if "move" in schedule_cells.row_actions(request, row) else None


def _columns(by: Actor, grid_view: GridView, doctors: Sequence[Doctor]) -> list[Column]:
    """Returns the doctors who work or have entries that day; if there are none, the first doctors of the list. Of a week it
    leaves out a Saturday and a Sunday on which nothing happens."""
    if grid_view.doctor is None:
        every = doctor_hours.columns(by, doctors, grid_view.days, grid_view.grid_filter)
        return [column for column in every if column.hours or column.entries] or every[:_SIDE_BY_SIDE]
    every = doctor_hours.columns(by, [grid_view.doctor], grid_view.days, grid_view.grid_filter)
    if grid_view.view != "week":
        return every
    return [column for column in every if column.hours or column.entries or column.day.weekday() < _SATURDAY]


def _sheet(request: HttpRequest, grid_view: GridView, columns: Iterable[Column]) -> Sheet:
    rows = [entry.appointment for column in columns for entry in column.entries if entry.appointment is not None]
    in_progress = [row.pk for row in rows if row.status == Status.IN_PROGRESS]
    ongoing = worklists.ongoing_visits(in_progress)
    address = grid_view.address(move="")
    return Sheet(request, clock.now(), ongoing, address, grid_view.grid_filter.appointment_type, grid_view.moving)


def _note(by: Actor, request: HttpRequest, grid_view: GridView, columns: Iterable[Column]) -> None:
    people = {entry.appointment.patient_id for column in columns for entry in column.entries if entry.appointment is not None}
    people |= {grid_view.moving.patient_id} if grid_view.moving else set()
    query = {name: value for name, value in request.GET.items() if name in (*ViewForm.base_fields, "move")}
    first, last = str(grid_view.days[0]), str(grid_view.days[-1])
    audit.record(
        by=by, action="appointments.diary_read", door="admin", query=query, shown=len(people), first_day=first, last_day=last
    )


def _shown(grid_view: GridView) -> dict[str, Any]:
    return {
        "view": grid_view.view,
        "doctor": str(grid_view.doctor.pk) if grid_view.doctor else "",
        "date": grid_view.day.isoformat(),
        "type": grid_view.grid_filter.appointment_type,
        "status": grid_view.grid_filter.status,
    }


def _title(grid_view: GridView) -> str:
    days = grid_view.days
    when = date_format(days[0], "l j F Y")
    if grid_view.view != "day":
        first = date_format(days[0], "j M" if days[0].year == days[-1].year else "j M Y")
        when = gettext("%(first)s to %(last)s") % {"first": first, "last": date_format(days[-1], "j M Y")}
    return f"{labels.doctor_and_leave(grid_view.doctor)}, {when}" if grid_view.doctor else when


def _steps(grid_view: GridView) -> dict[str, Any]:
    """Returns the links to the days before, to today and to the days after (label, url)."""
    step = timedelta(days=DAYS[grid_view.view])
    names = {
        "day": (gettext("Day before"), gettext("Today"), gettext("Day after")),
        "3day": (gettext("Three days before"), gettext("Today"), gettext("Three days after")),
        "week": (gettext("Week before"), gettext("This week"), gettext("Week after")),
    }[grid_view.view]
    days = (grid_view.day - step, clock.today(), grid_view.day + step)
    links = [{"label": label, "url": grid_view.address(date=day)} for label, day in zip(names, days, strict=True)]
    return dict(zip(("before", "today", "after"), links, strict=True))


def _views(grid_view: GridView) -> list[dict[str, Any]]:
    names = (("day", gettext("Day")), ("3day", gettext("3 days")), ("week", gettext("Week")))
    return [{"label": label, "url": grid_view.address(view=view), "is_current": view == grid_view.view} for view, label in names]


def _cover(grid_view: GridView, user: Any) -> str:
    """Returns the link that moves the shown appointments of a doctor; empty if the user may not plan this schedule."""
    if not (may_schedule(user, grid_view.doctor.pk) if grid_view.doctor else can_open(user, Permission.SCHEDULE_KEEP)):
        return ""
    zone, days = availability.clinic_zone(), grid_view.days
    start, end = (rules.instant(day, time.min, zone) for day in (days[0], days[-1] + timedelta(days=1)))
    return reschedule.reschedule_url(grid_view.doctor and grid_view.doctor.pk, start, end)


def _booked(column: Column) -> int:
    statuses = [entry.appointment.status if entry.appointment is not None else "" for entry in column.entries]
    return sum(status not in (Status.CANCELLED, Status.REQUESTED) for status in statuses)


def _head(column: Column, lanes: int, grid_view: GridView) -> dict[str, Any]:
    """Returns the header of a column: in a day view its doctor, linked to the week; in other views its day, linked to the
    day."""
    booked = _booked(column)
    facts = [ngettext("%(number)s booked", "%(number)s booked", booked) % {"number": booked}]
    if grid_view.view == "day":
        label, url = labels.doctor_and_leave(column.doctor), grid_view.address(view="week", doctor=column.doctor.pk)
        facts = [*([column.room] if column.room else []), *facts]
    else:
        label, url = date_format(column.day, "D j M"), grid_view.address(view="day", date=column.day)
        facts = [*([gettext("Today")] if column.day == clock.today() else []), *facts]
    return {"label": label, "url": url, "facts": " · ".join(facts), "lanes": lanes}


def _lane_widths(grid: Grid) -> list[str]:
    """Returns the width of each lane in percent, so that all columns are equally wide; none if no column has lanes."""
    if all(lanes.count == 1 for lanes in grid.columns):
        return []
    share = 94 / len(grid.columns)  # the rest is for the times
    return [f"{share / lanes.count:.2f}%" for lanes in grid.columns for _number in range(lanes.count)]


def _now_line(grid: Grid, columns: Sequence[Column]) -> dict[str, str] | None:
    """Returns where the line of the present begins, ends and is, in percent; None if today is not in the table."""
    here = [number for number, column in enumerate(columns) if column.day == clock.today()]
    if grid.now is None or not here:
        return None
    first, last = here[0] / len(columns), (here[-1] + 1) / len(columns)
    return {name: f"{value * 100:.2f}%" for name, value in (("x1", first), ("x2", last), ("y", grid.now))}


def _moving(grid_view: GridView) -> dict[str, Any]:
    row = grid_view.moving
    assert row is not None  # the caller checked it
    return {
        "who": labels.patient(row.patient),
        "when": labels.moment(row.scheduled_time),
        "doctor": labels.doctor(row.doctor),
        "minutes": row.duration_minutes,
        "stop_url": grid_view.address(move=""),
    }
