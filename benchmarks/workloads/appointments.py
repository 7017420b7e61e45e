"""Reads appointments: by doctor and day, by doctor, the newest, a week, and free times of thirty days."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from apps.appointments.scheduling import availability
from apps.common import clock
from benchmarks import schedules
from benchmarks.measure import Request
from benchmarks.outcome import Row, against, answered, grows
from benchmarks.schedules import Schedule
from benchmarks.stage import Stage

ASKED_FOR = 200  # different doctors and days
REACH = timedelta(days=30)
NAMES = ("doctor and day", "doctor, day and status", "doctor", "newest", "week of a doctor", "free times of 30 days")
STATUSES = ("completed", "no_show")  # the commonest and a rare one


def run(stage: Stage) -> list[Row]:
    full, small = requests(stage.loaded.schedule), requests(stage.loaded_small.schedule)
    floors = floor(stage.loaded.schedule)
    return [_row(stage, name, full, floors[name], small[name]) for name in NAMES]


def _row(
    stage: Stage, name: str, full: Mapping[str, Sequence[Request]], bare: Sequence[Request], small: Sequence[Request]
) -> Row:
    targets = {"hims": stage.hims(full[name]), "floor": stage.bare(bare), "small": stage.hims_small(small)}
    of_status = name == "doctor, day and status"
    costs = stage.in_turn(targets | ({"any": stage.hims(full["doctor and day"])} if of_status else {}))
    hims, growth = costs["hims"], costs["hims"].total / costs["small"].total
    checks = [*answered(*costs.values()), against("E", hims, costs["floor"], 2.5)]
    checks += [against("doctor and day at any status", hims, costs["any"], 1.3)] if of_status else []
    return Row(f"appointments, {name}", hims, costs["floor"], growth, [*checks, grows(growth, 1.1)])


def requests(schedule: Schedule) -> dict[str, list[Request]]:
    """What HIMS is asked, by name of the row."""
    places = _places(schedule)
    return {
        "doctor and day": [_list(doctor_id=who, date_from=day, date_to=day) for who, day in places],
        "doctor, day and status": [
            _list(doctor_id=who, date_from=day, date_to=day, status=status) for (who, day), status in _of_status(places)
        ],
        "doctor": [_list(doctor_id=who) for who, _ in places],
        "newest": [_list()],
        "week of a doctor": [
            _list(doctor_id=who, date_from=monday, date_to=monday + timedelta(days=6), limit=100)
            for who, monday in _weeks(places)
        ],
        "free times of 30 days": [
            Request(f"/v1/doctors/{who}/availability?{urlencode({'date_from': first, 'date_to': first + REACH})}")
            for who, first in _ahead(places)
        ],
    }


def floor(schedule: Schedule) -> dict[str, list[Request]]:
    """What the floor is asked for the same answers."""
    places = _places(schedule)
    return {
        "doctor and day": [_bare("day", *_twice(who, day, 1)) for who, day in places],
        "doctor, day and status": [
            _bare("day-status", *[who, _midnight(day), _midnight(day + timedelta(days=1)), status] * 2)
            for (who, day), status in _of_status(places)
        ],
        "doctor": [_bare("doctor", who, who) for who, _ in places],
        "newest": [_bare("newest")],
        "week of a doctor": [_bare("week", *_twice(who, monday, 7)) for who, monday in _weeks(places)],
        "free times of 30 days": [
            _bare("slots", who, _midnight(first), _midnight(first + REACH + timedelta(days=1)), who)
            for who, first in _ahead(places)
        ],
    }


def _places(schedule: Schedule) -> list[tuple[object, date]]:
    """Returns doctors and working days from the whole period."""
    days = schedule.weeks * schedules.WORKING_DAYS
    return [
        (schedules.doctor_id(number * 7 % schedule.doctors), schedule.day(number * days // ASKED_FOR))
        for number in range(ASKED_FOR)
    ]


def _of_status(places: Sequence[tuple[object, date]]) -> list[tuple[tuple[object, date], str]]:
    return [(place, STATUSES[number % len(STATUSES)]) for number, place in enumerate(places)]


def _weeks(places: Sequence[tuple[object, date]]) -> list[tuple[object, date]]:
    return [(who, schedules.monday_of(day)) for who, day in places]


def _ahead(places: Sequence[tuple[object, date]]) -> list[tuple[object, date]]:
    """From tomorrow on, and from some days later."""
    tomorrow = clock.today() + timedelta(days=1)
    return [(who, tomorrow + timedelta(days=number % 20)) for number, (who, _) in enumerate(places)]


def _list(*, limit: int = 20, **filters: object) -> Request:
    return Request(f"/v1/appointments?{urlencode({**filters, 'page': 1, 'limit': limit})}")


def _bare(statement: str, *values: object) -> Request:
    return Request(f"/e-{statement}?{urlencode([('v', value) for value in values])}")


def _twice(who: object, day: date, days: int) -> list[object]:
    return [who, _midnight(day), _midnight(day + timedelta(days=days))] * 2


def _midnight(day: date) -> str:
    return datetime.combine(day, time(), availability.clinic_zone()).isoformat()
