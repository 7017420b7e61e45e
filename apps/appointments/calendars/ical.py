"""Appointments as iCalendar (RFC 5545): a file of one appointment, and a doctor's calendar that a program subscribes to.

A calendar leaves the clinic. The file of one appointment contains time, place and doctor, but not the reason. The subscribed
calendar is protected only by its address, so it contains no patient's name.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from icalendar import Calendar, Event

from apps.appointments.models import Appointment
from apps.appointments.rules import Status

MEDIA_TYPE = "text/calendar"
BACK, AHEAD = timedelta(days=14), timedelta(days=90)  # what a subscribed calendar shows
_REFRESH = timedelta(minutes=15)
_LARGEST = 2**31 - 1  # RFC 5545, 3.3.8
_STATUS = {Status.REQUESTED: "TENTATIVE", Status.CANCELLED: "CANCELLED", Status.NO_SHOW: "CANCELLED"}


def of_appointment(row: Appointment, *, clinic: str, doctor: str, room: str = "") -> bytes:
    """Returns one appointment as a file. It contains nothing clinical, not even the appointment type."""
    calendar = _calendar()
    event = _event(row)
    event.add("summary", f"Appointment, {clinic}")
    event.add("description", f"With {doctor}")
    if room:
        event.add("location", f"{room}, {clinic}")
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def of_doctor(rows: Iterable[Appointment], *, clinic: str, doctor: str) -> bytes:
    """Returns a doctor's appointments as busy blocks. Each has the appointment's id, by which authorized users find the
    patient."""
    calendar = _calendar()
    calendar.add("name", f"{doctor}, {clinic}")
    calendar.add("x-wr-calname", f"{doctor}, {clinic}")
    calendar.add("refresh-interval", _REFRESH, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", "PT15M")
    for row in rows:
        event = _event(row)
        event.add("summary", row.get_appointment_type_display())
        event.add("description", f"Appointment {row.pk}")
        event.add("class", "PRIVATE")
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def window(now: datetime) -> tuple[datetime, datetime]:
    """Returns the period that a subscribed calendar shows: from the first instant to before the second."""
    return now - BACK, now + AHEAD


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//AROCORD//HIMS//EN")
    calendar.add("method", "PUBLISH")
    return calendar


def _event(row: Appointment) -> Event:
    """Returns the event that both calendars contain. An appointment has the same UID in both, so a program that has both shows it
    once."""
    event = Event()
    event.add("uid", str(row.pk))  # a UUID, as RFC 7986 (5.3) wants it
    event.add("dtstamp", row.updated_at)  # the last change, not now: an unchanged appointment gives the same bytes
    event.add("last-modified", row.updated_at)
    event.add("sequence", sequence(row))
    event.add("dtstart", row.scheduled_time)
    event.add("dtend", row.ends_at)
    event.add("status", _STATUS.get(Status(row.status), "CONFIRMED"))
    return event


def sequence(row: Appointment) -> int:
    """Returns a number that rises with every change: tenths of a second from the booking to the last change."""
    return min(int((row.updated_at - row.created_at).total_seconds() * 10), _LARGEST)
