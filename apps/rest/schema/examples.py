"""The examples of the OpenAPI file: what they are printed as on a day, and a JSON body with its example.

A request that is printed today must work today. So a date in an example is an `Upcoming`, which is printed when the file is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.common import clock

_TUESDAY = 1
_AT_LEAST = 8  # days from now: the sandbox has appointments on the next seven


@dataclass(frozen=True)
class Upcoming:
    """The next Tuesday but one, or some days after it: a date, or with `at` an instant by the clinic's clock, printed in UTC."""

    days: int = 0
    at: time | None = None

    def printed(self) -> str:
        """Returns it as of today."""
        first = clock.today() + timedelta(days=_AT_LEAST)
        day = first + timedelta(days=(_TUESDAY - first.weekday()) % 7 + self.days)
        if self.at is None:
            return day.isoformat()
        instant = datetime.combine(day, self.at, ZoneInfo(settings.CLINIC_TIME_ZONE)).astimezone(UTC)
        return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def printed(value: Any) -> Any:
    """Returns an example with its dates as of today."""
    if isinstance(value, Upcoming):
        return value.printed()
    if isinstance(value, Mapping):
        return {name: printed(inner) for name, inner in value.items()}
    return [printed(inner) for inner in value] if isinstance(value, list | tuple) else value


def media(schema: dict[str, Any], value: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns a JSON body of this schema, with its example if there is one."""
    kind: dict[str, Any] = {"schema": schema}
    if value is not None:
        kind["examples"] = {"sandbox": {"summary": "An example for the sandbox", "value": printed(value)}}
    return {"application/json": kind}
