"""Decides which links a notification may have: pages of this installation only; and which changes of the schedule each
doctor is notified of."""

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from apps.appointments.rules import BEFORE_CHECK_IN, Status

MAX_URL = 500
URL_PATTERN = r"^/[A-Za-z0-9._~!$&'()*+,;=:@%/?#-]*$"  # the characters of RFC 3986: no blank, backslash or control character
_URL = re.compile(URL_PATTERN.rstrip("$"))
_SEGMENT = "[A-Za-z0-9._~!$&'()*+,;=:@%?#-]"
WRITE_LINK_AS = "Must be a path of this installation, like /lab/results/123."
LINK_FORM = f"^(/({_SEGMENT}+/)*{_SEGMENT}*)?$"  # the same without `//`, or empty: for the OpenAPI file


def is_internal_path(url: str) -> bool:
    """Returns whether a browser that follows the URL stays in this installation: one path from the root, no scheme, no `//`."""
    return len(url) <= MAX_URL and _URL.fullmatch(url) is not None and "//" not in url


class AppointmentNews(StrEnum):
    """What happened to an appointment, as far as a message mentions it. The value is the end of a mail template's name."""

    BOOKED = "booked"
    CHANGED = "changed"
    CANCELLED = "cancelled"


TIME_OR_DOCTOR = frozenset(("scheduled_time", "doctor_id"))  # the appointment has another time or doctor
_IN_THE_SCHEDULE = TIME_OR_DOCTOR | {"duration_minutes"}


def news_for_doctor(changes: Collection[str], status: str) -> AppointmentNews | None:
    """Returns what a change of these columns, to this status, means for the doctor. Check-ins and consultations are not news."""
    if "status" in changes and status == Status.CANCELLED:
        return AppointmentNews.CANCELLED
    if {"status", "checked_in_at"} <= set(changes) and status in BEFORE_CHECK_IN:  # a check-in was undone
        return None
    if "status" in changes and status == Status.SCHEDULED:  # a request was granted
        return AppointmentNews.BOOKED
    return AppointmentNews.CHANGED if _IN_THE_SCHEDULE & set(changes) else None


def news_for_patient(changes: Collection[str], status: str) -> AppointmentNews | None:
    """The same for the patient, who is notified of another time or doctor, not of another length."""
    news = news_for_doctor(changes, status)
    return None if news == AppointmentNews.CHANGED and not TIME_OR_DOCTOR & set(changes) else news


def is_soon(at: datetime, *, now: datetime, days: int, zone: ZoneInfo) -> bool:
    """Returns whether the instant is on one of so many days of the clinic's calendar, today being the first."""
    today = now.astimezone(zone).date()
    return today <= at.astimezone(zone).date() < today + timedelta(days=days)


def is_over(at: datetime, *, now: datetime, zone: ZoneInfo) -> bool:
    """Returns whether the instant's day is past in the clinic's time zone."""
    return at.astimezone(zone).date() < now.astimezone(zone).date()
