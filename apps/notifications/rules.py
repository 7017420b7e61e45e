"""Where a notification may lead: a page of this house and nowhere else; and which changes of the diary are news, and to whom."""

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from apps.appointments.rules import BEFORE_CHECK_IN, Status

MAX_URL = 500
URL_PATTERN = r"^/[A-Za-z0-9._~!$&'()*+,;=:@%/?#-]*$"  # the characters of RFC 3986: no blank, backslash or control character
_URL = re.compile(URL_PATTERN.rstrip("$"))


def is_internal_path(url: str) -> bool:
    """Whether a browser that follows the URL stays in this house: one path from the root, no scheme, no `//`."""
    return len(url) <= MAX_URL and _URL.fullmatch(url) is not None and "//" not in url


class AppointmentNews(StrEnum):
    """What became of a visit, as far as somebody is told. The word is the end of a mail's template."""

    BOOKED = "booked"
    CHANGED = "changed"
    CANCELLED = "cancelled"


TIME_OR_DOCTOR = frozenset(("scheduled_time", "doctor_id"))  # the visit is at another time or with somebody else
_IN_THE_SCHEDULE = TIME_OR_DOCTOR | {"duration_minutes"}


def news_for_doctor(changes: Collection[str], status: str) -> AppointmentNews | None:
    """What a change of these columns, to this status, is to the visit's doctor. Who came or was seen is no news."""
    if "status" in changes and status == Status.CANCELLED:
        return AppointmentNews.CANCELLED
    if {"status", "checked_in_at"} <= set(changes) and status in BEFORE_CHECK_IN:  # a check-in was undone
        return None
    if "status" in changes and status == Status.SCHEDULED:  # what was asked for is granted
        return AppointmentNews.BOOKED
    return AppointmentNews.CHANGED if _IN_THE_SCHEDULE & set(changes) else None


def news_for_patient(changes: Collection[str], status: str) -> AppointmentNews | None:
    """The same to the patient, who is told of another time or doctor, not of minutes more or less."""
    news = news_for_doctor(changes, status)
    return None if news == AppointmentNews.CHANGED and not TIME_OR_DOCTOR & set(changes) else news


def is_soon(at: datetime, *, now: datetime, days: int, zone: ZoneInfo) -> bool:
    """Whether the instant lies on one of so many days of the clinic's calendar, today being the first."""
    today = now.astimezone(zone).date()
    return today <= at.astimezone(zone).date() < today + timedelta(days=days)


def is_over(at: datetime, *, now: datetime, zone: ZoneInfo) -> bool:
    """Whether the instant's day is past where the clinic is."""
    return at.astimezone(zone).date() < now.astimezone(zone).date()
