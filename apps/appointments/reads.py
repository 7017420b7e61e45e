"""The hot reads of the diary: its querysets, their SQL made once for each role and set of filters and run prepared."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from apps.access.actor import Actor
from apps.accounts.models import Rights
from apps.appointments.models import Appointment
from apps.common import clock, prepared
from apps.common.prepared import Compiled
from apps.patients.models import Patient
from apps.patients.reads import SOMEBODY, SOMETIME, StandIn, standing
from apps.rest.paging import COUNTED_UP_TO, Total

COLUMNS = (
    "id",
    "patient_id",
    "doctor_id",
    "room_id",
    "series_id",
    "appointment_type",
    "status",
    "scheduled_time",
    "ends_at",
    "duration_minutes",
    "notes",
    "overbook_reason",
    "triage",
    "queue_number",
    "checked_in_at",
    "cancelled_at",
    "cancellation_reason",
)

# Blanks: values that no condition of a queryset holds by itself.
_WHO, _VISIT = (SOMEBODY, SOMETIME), UUID(int=5)
_BLANKS: Mapping[str, Any] = {
    "patient_id": UUID(int=2),
    "doctor_id": UUID(int=3),
    "since": datetime(1, 1, 3, tzinfo=UTC),
    "until": datetime(1, 1, 4, tzinfo=UTC),
    "status": "(some status)",
}


@dataclass(frozen=True)
class Read:
    """A list of the diary, ready to run."""

    _kept: "_Filtered"
    _values: tuple[Any, ...]

    def page(self, offset: int, limit: int) -> list[dict[str, Any]]:
        """Rows of it as plain values."""
        return self._kept.page.dicts(*self._values, limit=limit, offset=offset)

    def total(self) -> Total:
        """How many there are, in one statement: all counted less those of charts that are hidden."""
        if not self._kept.page.statement(*self._values):
            return Total(0)
        whole = self._kept.count.statement(*self._values) if self._kept.count else None
        hidden = self._kept.hidden.statement(*self._values)
        sql = _COUNTED.format(
            all=f"SELECT count(*) FROM ({whole.sql} LIMIT {COUNTED_UP_TO + 1}) c" if whole else _TALLIED,
            hidden=f"SELECT count(*) FROM ({hidden.sql}) h" if hidden else "0",
        )
        with prepared.cursor() as cursor:
            cursor.execute(sql, [*(hidden.values if hidden else []), *(whole.values if whole else [])])
            found, shown = cursor.fetchone()
        is_estimate = whole is not None and found > COUNTED_UP_TO
        return Total(COUNTED_UP_TO if is_estimate else int(shown), is_estimate)


_COUNTED = "SELECT n, n - ({hidden}) FROM ({all}) found (n)"
_TALLIED = "SELECT coalesce(sum(visits), 0) FROM appointments_tally"


def of(actor: Actor, *, newest_first: bool = True, **filters: Any) -> Read:
    """The visits this actor may know of, under these filters (see `selectors.listing`)."""
    asked = {name: value for name, value in filters.items() if value is not None}
    names = tuple(name for name in _BLANKS if name in asked)
    values = tuple(asked[name] for name in names)
    return Read(_kept_for(actor, names, newest_first), (*values, actor.id, clock.now()))


def one(actor: Actor, appointment_id: UUID) -> Appointment | None:
    """The visit, if it is shown to the actor."""
    found: list[Appointment] = _one_for(actor).instances(appointment_id, actor.id, clock.now())
    return found[0] if found else None


class _Filtered:
    """A list as its role and its filters make it."""

    def __init__(self, actor: Actor, names: tuple[str, ...], newest_first: bool) -> None:
        asked = Q(*(_condition(name) for name in names))
        order = ("-scheduled_time", "-id") if newest_first else ("scheduled_time", "id")
        shown = Appointment.objects.visible_to(actor, SOMETIME).filter(asked)
        every = Appointment.objects.filter(asked).order_by()
        closed = every.filter(patient__in=Patient.objects.hidden_from(actor, SOMETIME).order_by().values("pk"))
        blanks = [_BLANKS[name] for name in names]
        self.page = Compiled(shown.order_by(*order).values(*COLUMNS), *blanks, perhaps=_WHO)
        self.count = Compiled(every.values("id"), *blanks, perhaps=_WHO) if names else None
        self.hidden = Compiled(closed.values("id"), *blanks, perhaps=_WHO)


def _condition(name: str) -> Q:
    blank = _BLANKS[name]
    conditions = {
        "patient_id": lambda: Q(patient=standing(blank)),
        "doctor_id": lambda: Q(doctor=blank),
        "since": lambda: Q(scheduled_time__gte=blank),
        "until": lambda: Q(scheduled_time__lt=blank),
        "status": lambda: Q(status=blank),
    }
    return conditions[name]()


def _kept_for(actor: Actor, names: tuple[str, ...], newest_first: bool) -> _Filtered:
    if isinstance(actor, Rights):
        return _of_role(actor.role, settings.HIMS_ADMIN_CLINICAL, names, newest_first)
    return _Filtered(actor, names, newest_first)


def _one_for(actor: Actor) -> Compiled:
    if isinstance(actor, Rights):
        return _one_of_role(actor.role, settings.HIMS_ADMIN_CLINICAL)
    return _single(actor)


@cache
def _of_role(role: str, admin_clinical: bool, names: tuple[str, ...], newest_first: bool) -> _Filtered:  # noqa: ARG001
    return _Filtered(StandIn(role), names, newest_first)


@cache
def _one_of_role(role: str, admin_clinical: bool) -> Compiled:  # noqa: ARG001
    return _single(StandIn(role))


def _single(actor: Actor) -> Compiled:
    return Compiled(Appointment.objects.visible_to(actor, SOMETIME).order_by().filter(pk=_VISIT), _VISIT, perhaps=_WHO)
