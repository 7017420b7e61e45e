"""Doctors' hours: the week, breaks, appointment lengths, overbook seats; published as a whole."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.dates import WEEKDAYS
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.access.actor import Actor
from apps.accounts.models import User
from apps.accounts.rights import Permission as AccountPermission
from apps.appointments import rules, selectors, services
from apps.appointments.models import AppointmentType, DoctorSchedule
from apps.appointments.rights import Permission
from apps.appointments.services import NewSchedule, WeeklyHours
from apps.common import clinic_times
from apps.common.errors import HimsError, Invalid
from apps.desk.appointments import labels
from apps.desk.appointments.forms import ClockInput, DayField, DoctorField, RoomField
from apps.desk.appointments.time_off import may_schedule
from apps.desk.kit.base import HimsModelAdmin
from apps.desk.kit.forms import ServiceForm

_MINUTES = "minutes_"
_BLANK = 3  # empty lines below a published week


class HoursForm(forms.Form):
    """Hours on a weekday. An emptied line is ignored."""

    weekday = forms.TypedChoiceField(coerce=int, required=False, choices=[("", ""), *WEEKDAYS.items()], empty_value=None)
    starts = forms.TimeField(required=False, widget=ClockInput)
    ends = forms.TimeField(required=False, widget=ClockInput)
    room_id = RoomField(label="Room")
    valid_from = DayField(required=False)
    valid_until = DayField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("RoomField", self.fields["room_id"]).offer()
        number = self.prefix.rpartition("-")[2] if self.prefix else ""
        for name, field in self.fields.items():
            label = field.label or name.replace("_", " ")
            field.widget.attrs["aria-label"] = f"Line {int(number) + 1 if number.isdigit() else ''}: {label.lower()}"

    @property
    def is_empty(self) -> bool:
        cleaned = self.cleaned_data
        return cleaned.get("weekday") is None and not cleaned.get("starts") and not cleaned.get("ends")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.is_empty:
            for name in ("weekday", "starts", "ends"):
                if cleaned.get(name) is None and name not in self.errors:
                    self.add_error(name, gettext("Fill this in, or empty the whole line."))
        return cleaned

    def hours(self) -> WeeklyHours:
        cleaned = self.cleaned_data
        return WeeklyHours(**(cleaned | {"room_id": cleaned["room_id"].pk if cleaned["room_id"] else None}))


_Lines = forms.formset_factory(HoursForm, extra=_BLANK, max_num=80, absolute_max=80)


class WeekForm(ServiceForm[DoctorSchedule]):
    """A doctor's whole week."""

    doctor = DoctorField()

    class Meta:
        model = DoctorSchedule
        fields = ("doctor", "slot_minutes", "overbook_per_day")
        labels = {"slot_minutes": _("Minutes of a slot"), "overbook_per_day": _("Double bookings a day")}
        help_texts = {"slot_minutes": _("How long an appointment takes, unless a length is set below.")}

    by: Actor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            cast("DoctorField", self.fields["doctor"]).offer()
        else:
            del self.fields["doctor"]
        week = None if self.instance._state.adding else selectors.week(self.by, self.instance.pk)
        for kind, minutes in (week.lengths if week else {}).items():
            self.initial[f"{_MINUTES}{kind}"] = minutes
        lines = [
            {name: getattr(one, name) for name in ("weekday", "starts", "ends", "room_id", "valid_from", "valid_until")}
            for one in (week.hours if week else ())
        ]
        self.lines = _Lines(self.data if self.is_bound else None, initial=lines, prefix="hours")

    def clean_doctor(self) -> User:
        """A new week must not replace a published one that the user does not see."""
        doctor: User = self.cleaned_data["doctor"]
        week = selectors.week(self.by, doctor.pk)
        if week.hours or week.lengths:
            raise forms.ValidationError(
                _("This doctor already has hours. Open them in the list of doctors’ hours to change them.")
            )
        return doctor

    def clean(self) -> dict[str, Any]:
        if not self.lines.is_valid():
            self.add_error(None, gettext("Correct the hours below."))
        elif isinstance(self.refusal, Invalid):
            self._show_line_errors(self.refusal)
        return super().clean()

    def changes(self) -> dict[str, Any]:
        changes = super().changes()
        return changes | ({"hours": True} if self.lines.has_changed() else {})

    def week(self) -> NewSchedule:
        """Returns the week to publish."""
        cleaned = self.cleaned_data
        lengths = {kind: cleaned.get(f"{_MINUTES}{kind}") for kind in AppointmentType.values}
        return NewSchedule(
            hours=[line.hours() for line in self._filled_lines()],
            slot_minutes=cleaned["slot_minutes"],
            overbook_per_day=cleaned["overbook_per_day"],
            visit_lengths={kind: minutes for kind, minutes in lengths.items() if minutes},
        )

    def _filled_lines(self) -> list[HoursForm]:
        return [line for line in self.lines if not line.is_empty]

    def _show_line_errors(self, refusal: HimsError) -> None:
        """Shows an error of the service about `hours[3]` at that line."""
        lines = self._filled_lines()
        for row in refusal.details["errors"]:
            number, _, name = str(row["field"]).removeprefix("hours[").partition("]")
            if number.isdigit() and int(number) < len(lines):
                lines[int(number)].add_error(name.removeprefix(".") or None, row["issue"])


for _kind in AppointmentType:
    WeekForm.base_fields[f"{_MINUTES}{_kind.value}"] = forms.IntegerField(
        label=labels.kind(_kind.value), required=False, min_value=rules.SHORTEST, max_value=rules.LONGEST
    )
    WeekForm.declared_fields[f"{_MINUTES}{_kind.value}"] = WeekForm.base_fields[f"{_MINUTES}{_kind.value}"]
_LENGTHS = tuple(f"{_MINUTES}{kind.value}" for kind in AppointmentType)


@admin.register(DoctorSchedule)
class DoctorScheduleAdmin(HimsModelAdmin[DoctorSchedule]):
    """Doctors publish their own week; administrators and receptionists publish any doctor's."""

    resource = "schedule"
    title = _("Doctors’ hours")
    add_label = _("Set a doctor’s hours")
    list_audit_action = "listed"
    needs = {"view": AccountPermission.DOCTOR_VIEW, "add": Permission.SCHEDULE_KEEP, "change": Permission.SCHEDULE_KEEP}
    form = WeekForm
    list_display = ("whose", "slot", "double_bookings", "changed")
    ordering = ("doctor__last_name", "doctor__first_name", "pk")
    readonly_fields = ("whose", "week")

    def row_name(self, row: DoctorSchedule) -> str:
        return gettext("Hours of %(doctor)s") % {"doctor": labels.doctor(row.doctor)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[DoctorSchedule]:
        return super().get_queryset(request).select_related("doctor")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or may_schedule(request.user, obj.doctor_id))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": ("whose", "slot_minutes", "overbook_per_day", "week")})]
        whose = "whose" if obj else "doctor"
        lengths = {"fields": _LENGTHS, "description": _("Minutes that an appointment of a type takes, if it is not one slot.")}
        return [(None, {"fields": (whose, "slot_minutes", "overbook_per_day")}), (_("Lengths of appointments"), lengths)]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.by = request.user
        return form

    def add(self, request: HttpRequest, form: WeekForm) -> DoctorSchedule:
        return self._publish(request, form.cleaned_data["doctor"].pk, form)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        request.week_form = form  # type: ignore[attr-defined]  # the page carries it on the request
        super().save_model(request, obj, form, change)

    def amend(self, request: HttpRequest, row: DoctorSchedule, changes: dict[str, Any]) -> None:
        self._publish(request, row.doctor_id, cast("Any", request).week_form)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:appointments_doctorschedule_change", args=[obj.pk]))

    def _publish(self, request: HttpRequest, doctor_id: Any, form: WeekForm) -> DoctorSchedule:
        done = services.set_schedule(by=cast("Actor", request.user), doctor_id=doctor_id, schedule=form.week())
        if done.affected:
            messages.warning(
                request,
                gettext("Booked appointments outside the new hours: %(count)s. Move them in Cover for absence.")
                % {"count": done.affected},
            )
        return done.schedule

    @admin.display(description=_("doctor"))
    def whose(self, row: DoctorSchedule) -> str:
        return labels.doctor(row.doctor)

    @admin.display(description=_("minutes of a slot"))
    def slot(self, row: DoctorSchedule) -> int:
        return row.slot_minutes

    @admin.display(description=_("double bookings a day"))
    def double_bookings(self, row: DoctorSchedule) -> int:
        return row.overbook_per_day

    @admin.display(description=_("changed"))
    def changed(self, row: DoctorSchedule) -> str:
        return labels.moment(row.updated_at)

    @admin.display(description=_("week"))
    def week(self, row: DoctorSchedule) -> str:
        week = selectors.week(cast("Actor", row.doctor), row.pk)
        lines = [
            (WEEKDAYS[one.weekday], f"{one.starts:%H:%M}–{rules.clock_time(one.ends, is_end=True)}", _valid(one))
            for one in week.hours
        ]
        lengths = [
            (labels.kind(kind), gettext("%(minutes)s minutes") % {"minutes": minutes}) for kind, minutes in week.lengths.items()
        ]
        return format_html(
            '<ul class="rows">{}{}</ul>',
            format_html_join("", '<li>{} <span class="ltr">{}</span> {}</li>', lines),
            format_html_join("", "<li>{}: {}</li>", lengths),
        )


def _valid(one: Any) -> str:
    parts = (("from %(day)s", one.valid_from), ("until %(day)s", one.valid_until))
    words = {"from %(day)s": gettext("from %(day)s"), "until %(day)s": gettext("until %(day)s")}
    return " ".join(words[text] % {"day": clinic_times.day(day)} for text, day in parts if day)
