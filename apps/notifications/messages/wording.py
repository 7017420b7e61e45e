"""How a message names a person and a time."""

from datetime import datetime
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.accounts.models import User
from apps.common import clinic_times, clock
from apps.common.prepared import PreparedQuery, Slot


def person(user_id: UUID) -> str:
    """Returns a member of staff, by name and username."""
    return str(next(iter(_user().instances(user_id=user_id)), "A user"))


def clinic_zone() -> ZoneInfo:
    """Returns the clinic's time zone."""
    return ZoneInfo(settings.CLINIC_TIME_ZONE)


def clinic_time(at: datetime | None) -> str:
    """Returns the time in the clinic's time zone, with the zone; the current time if none is given."""
    at = at or clock.now()
    return f"{clinic_times.day(at)} at {clinic_times.local(at):%H:%M %Z}"


@cache
def _user() -> PreparedQuery:
    """Most messages name a user: the query is built once and planned once per connection."""
    return PreparedQuery(User.objects.filter(pk=Slot("user_id")).order_by())
