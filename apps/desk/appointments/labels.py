"""How appointments, people and times are written on pages."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Doctor
from apps.appointments import rules
from apps.appointments.models import Appointment, AppointmentType
from apps.appointments.models.appointments import Triage
from apps.appointments.rules import Status, TimeSpan
from apps.appointments.scheduling import availability
from apps.common import clinic_times, clock
from apps.common.text import filed_name, isolated
from apps.desk.templatetags.desk import icon
from apps.patients.models import Patient

# A status has a word and a sign, never only a color.
SIGNS = {
    Status.REQUESTED: "?",
    Status.SCHEDULED: "○",
    Status.CONFIRMED: "✓",
    Status.CHECKED_IN: "⌂",
    Status.IN_PROGRESS: "▶",
    Status.COMPLETED: "■",
    Status.CANCELLED: "✕",
    Status.NO_SHOW: "∅",
}


@dataclass(frozen=True)
class State:
    """How pages show the state of an appointment: a word, an icon and the class of the tag that gives it a color."""

    word: str | Promise
    icon: str
    tag: str = ""


STATES = {
    Status.REQUESTED: State(_("Asked for"), "unknown", "info"),
    Status.SCHEDULED: State(_("Booked"), "calendar"),
    Status.CONFIRMED: State(_("Confirmed"), "check", "go"),
    Status.CHECKED_IN: State(_("Waiting"), "arrive", "info"),
    Status.IN_PROGRESS: State(_("With doctor"), "stethoscope", "go"),
    Status.COMPLETED: State(_("Done"), "done", "ok"),
    Status.CANCELLED: State(_("Cancelled"), "cancel"),
    Status.NO_SHOW: State(_("Did not come"), "cancel", "warn"),
}
WITH_NURSE = State(_("With nurse"), "pulse", "go")
TYPES: list[tuple[str, str | Promise]] = [
    (AppointmentType.CONSULTATION, _("Consultation")),
    (AppointmentType.FOLLOW_UP, _("Follow-up")),
    (AppointmentType.PROCEDURE, _("Procedure")),
    (AppointmentType.VACCINATION, _("Vaccination")),
    (AppointmentType.LAB, _("Laboratory test")),
    (AppointmentType.TELEHEALTH, _("Video visit")),
    (AppointmentType.EMERGENCY, _("Emergency")),
]
_TYPE_WORDS = dict(TYPES)


# The statuses of waiting-list entries and offers, and the results of covers for absence.
_STATUS_WORDS = {
    "waiting": _("waiting"),
    "booked": _("booked"),
    "withdrawn": _("withdrawn"),
    "expired": _("expired"),
    "open": _("open"),
    "accepted": _("accepted"),
    "declined": _("declined"),
    "lost": _("lost"),
    "moved": _("moved"),
    "put_back": _("put back"),
    "kept": _("kept"),
}
TRIAGE = {
    Triage.ROUTINE.value: _("Routine"),
    Triage.URGENT.value: _("Urgent"),
    Triage.EMERGENCY.value: _("Emergency"),
}
PRIORITIES = {
    "low": pgettext_lazy("priority", "Low"),
    "medium": pgettext_lazy("priority", "Medium"),
    "high": pgettext_lazy("priority", "High"),
    "urgent": pgettext_lazy("priority", "Urgent"),
}


def status(word: str) -> str:
    """Returns the status of a waiting-list entry, of an offer or of a moved appointment in words."""
    return str(_STATUS_WORDS[word])


def short_moment(at: datetime) -> str:
    """Returns a day and a time for a list of times: `Today, 10:15`, `Tue 1 Dec, 10:15`; the year only if it is not this one."""
    here, today_here = clinic_times.local(at), clock.today()
    if here.date() == today_here:
        return gettext("Today, %(time)s") % {"time": clinic_times.clock_time(at)}
    day = date_format(here, "D j M" if here.year == today_here.year else "D j M Y")
    return f"{day}, {clinic_times.clock_time(at)}"


def state(row: Appointment) -> State:
    """Returns the state of an appointment as pages show it. In progress, a mark of the queue says that the patient is
    with the nurse."""
    if row.status == Status.IN_PROGRESS and (row.alert_since or row.ready_since):
        return WITH_NURSE
    return STATES[Status(row.status)]


def state_tag(row: Appointment) -> SafeString:
    """Returns the state of an appointment as a tag: icon, word and color."""
    shown = state(row)
    return format_html('<span class="{}">{}{}</span>', f"tag {shown.tag}".rstrip(), icon(shown.icon), shown.word)


def state_word(word: str) -> str:
    """Returns the word of pages for a status, without the row that has it."""
    return gettext("With nurse or doctor") if word == Status.IN_PROGRESS else str(STATES[Status(word)].word)


def spoken(at: datetime) -> str:
    """Returns a day and a time as they are read aloud: `Tuesday 1 December at 10:15`; the year only if it is not this one."""
    here = clinic_times.local(at)
    day = date_format(here, "MONTH_DAY_FORMAT")  # with the weekday: `hims/formats`
    day += "" if here.year == clock.today().year else f" {here.year}"
    return gettext("%(day)s at %(time)s") % {"day": day, "time": clinic_times.clock_time(at)}


def kind(appointment_type: str) -> str:
    """Returns an appointment type in words, like "Follow-up"."""
    return str(_TYPE_WORDS[appointment_type])


def patient(row: Patient) -> str:
    """Returns the name as reception files it, isolated so that its text direction does not affect the text around it."""
    return isolated(filed_name(row.last_name, row.first_name))


def doctor(user: Any) -> str:
    """Returns a doctor's name, as `patient` does."""
    return f"Dr {isolated(user.last_name or user.first_name or user.username)}"


def doctor_and_leave(doctor_row: Doctor) -> str:
    """Returns a doctor's name, with the words that the doctor has left, if so."""
    name = doctor(doctor_row.user)
    return name if doctor_row.works_here else gettext("%(doctor)s, no longer here") % {"doctor": name}


def moment(at: datetime) -> str:
    """Returns a day and a time in the clinic's time zone; a time that occurs twice has its zone name."""
    return clinic_times.moment(at)


def clock_time(at: datetime) -> str:
    """Returns the time in the clinic's time zone."""
    return clinic_times.clock_time(at)


def is_today(at: datetime) -> bool:
    """Returns whether the instant is on the clinic's current day."""
    return clinic_times.local(at).date() == clock.today()


def today() -> TimeSpan:
    """Returns the clinic's current day."""
    return _span(clock.today(), 1)


def days(text: str) -> TimeSpan | None:
    """Returns the range of a word (today, tomorrow, week) or a day like 2025-01-06; None for other text."""
    now = clock.today()
    named = {"today": (now, 1), "tomorrow": (now + timedelta(1), 1), "week": (now - timedelta(now.weekday()), 7)}
    try:
        return _span(*(named.get(text) or (date.fromisoformat(text), 1)))
    except (ValueError, OverflowError):
        return None


def is_day(text: str) -> bool:
    """Returns whether the text is a day like 2025-01-06."""
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _span(first: date, number: int) -> TimeSpan:
    zone = availability.clinic_zone()
    return TimeSpan(rules.instant(first, time.min, zone), rules.instant(first + timedelta(number), time.min, zone))
