"""How a message names a person and a time."""

from datetime import datetime
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.accounts.models import User
from apps.common import clock
from apps.common.prepared import PreparedQuery

_ID = UUID(int=0)  # where the id of a prepared query goes


def person(user_id: UUID) -> str:
    """A member of staff, by name and username."""
    return str(next(iter(_user().instances(user_id)), "Somebody"))


def clinic_zone() -> ZoneInfo:
    """Where the clinic's clock hangs."""
    return ZoneInfo(settings.CLINIC_TIME_ZONE)


def clinic_time(at: datetime | None) -> str:
    """As the clinic's clock shows it, with the zone; now, where no time is known."""
    return f"{(at or clock.now()).astimezone(clinic_zone()):%Y-%m-%d at %H:%M %Z}"


@cache
def _user() -> PreparedQuery:
    """Most messages name a user: the query is made once and planned once a connection."""
    return PreparedQuery(User.objects.filter(pk=_ID).order_by(), _ID)
