"""The hours in which staff work in the sandbox."""

from datetime import datetime, time, timedelta

from apps.common import clinic_times

_OPEN, _CLOSE = time(8), time(18)


def within_office_hours(at: datetime) -> datetime:
    """Returns the instant, or the last minutes of the working day before it if the clinic was closed. Keeps the order."""
    here = clinic_times.local(at)
    if _OPEN <= here.time() < _CLOSE:
        return at
    day = here.date() - timedelta(days=1) if here.time() < _OPEN else here.date()
    closed_at = datetime.combine(day, _CLOSE, here.tzinfo)
    return (closed_at - timedelta(seconds=1)).astimezone(at.tzinfo)
