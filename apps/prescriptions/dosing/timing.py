"""How often and how long, in words: read from what was typed, and written in full.

"QD", "QOD" and their like are error-prone (ISMP's list): they are read, and never written.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from apps.prescriptions.dosing.amounts import write_number
from apps.prescriptions.dosing.values import Frequency

_DAY, _WEEK = Decimal(1), Decimal(7)
_HOURS = Decimal(24)
_MOST_HOURS = 72
_TIMES: Mapping[str, int] = {"once": 1, "one time": 1, "twice": 2, "two times": 2, "three times": 3, "four times": 4} | {
    f"{word} times": number for number, word in enumerate(("five", "six"), start=5)
}
_DAILY = ("a day", "daily", "per day", "each day", "every day", "/day")
_WEEKLY = ("a week", "weekly", "per week", "each week", "every week", "/week")
_FIXED: Mapping[str, tuple[int, int, str]] = {  # doses, days, and how it is written if the numbers do not say it all
    **dict.fromkeys(("daily", "every day", "each day", "qd"), (1, 1, "")),
    **dict.fromkeys(("nightly", "at bedtime", "at night", "every night", "qhs", "hs"), (1, 1, "at bedtime")),
    **dict.fromkeys(("in the morning", "every morning", "each morning", "qam"), (1, 1, "every morning")),
    **dict.fromkeys(("in the evening", "every evening", "each evening"), (1, 1, "every evening")),
    **dict.fromkeys(("bid", "bd"), (2, 1, "")),
    **dict.fromkeys(("tid", "tds"), (3, 1, "")),
    **dict.fromkeys(("qid", "qds"), (4, 1, "")),
    **dict.fromkeys(("every other day", "alternate days", "qod"), (1, 2, "")),
    **dict.fromkeys(("weekly", "every week"), (1, 7, "")),
    **dict.fromkeys(("every other week",), (1, 14, "")),
}
_AS_NEEDED = re.compile(r"\b(as needed|as required|when needed|if needed|prn)\b")
AS_DIRECTED = re.compile(r"\bas (directed|instructed|discussed)\b")
_HOURLY = re.compile(r"(?:every|q)\s*(\d{1,2})(?:\s*(?:-|–|to)\s*(\d{1,2}))?\s*(?:h|hr|hrs|hour|hours|hourly)")
_ON_A_WEEKDAY = re.compile(
    r"(?:once a week on|once weekly on|weekly on|every|each|on) (monday|tuesday|wednesday|thursday|friday|saturday|sunday)s?"
)
_EVERY = re.compile(r"every ([1-9]\d?) (days|weeks)")
_COUNT = re.compile(r"(\d{1,2})\s*(?:x|times?)")
_LENGTH = re.compile(r"(?:for )?(\d{1,3})\s*(d|day|days|w|wk|wks|week|weeks|month|months)")
_DAYS_OF: Mapping[str, int] = {"d": 1, "w": 7, "m": 30}  # a month of supply is 30 days


def read_frequency(text: str) -> Frequency | None:
    """Returns how often; None for a text that says nothing of it or that is not understood.

    A range of hours counts as its shorter end, which gives the most doses. "as needed" alone has no number of doses.
    """
    words = " ".join(text.lower().replace(".", "").replace(",", " ").split())
    as_needed = bool(_AS_NEEDED.search(words))
    words = " ".join(_AS_NEEDED.sub(" ", words).split())
    regular = _read_regular(words) if words else None
    if regular is None:
        return Frequency(None, None, as_needed=True) if as_needed and not words else None
    doses, days, wording = regular
    return Frequency(doses, days, as_needed=as_needed, wording=wording)


def _read_regular(words: str) -> tuple[Decimal, Decimal, str] | None:
    if words in _FIXED:
        number, period, wording = _FIXED[words]
        return Decimal(number), Decimal(period), wording
    if match := _HOURLY.fullmatch(words):
        return _hourly(int(match[1]), int(match[2] or match[1]))
    if match := _EVERY.fullmatch(words):
        return Decimal(1), Decimal(int(match[1]) * _DAYS_OF[match[2][0]]), ""
    if match := _ON_A_WEEKDAY.fullmatch(words):
        return Decimal(1), _WEEK, f"once a week on {match[1].capitalize()}"
    for endings, days in ((_DAILY, _DAY), (_WEEKLY, _WEEK)):
        for ending in endings:
            if words.endswith(ending) and (times := _times(words.removesuffix(ending).strip())):
                return Decimal(times), days, ""
    return None


def _hourly(shortest: int, longest: int) -> tuple[Decimal, Decimal, str] | None:
    if not 0 < shortest <= longest <= _MOST_HOURS:
        return None
    hours = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
    return _HOURS / shortest, _DAY, f"every {hours} hour{'' if longest == 1 else 's'}"


def _times(words: str) -> int | None:
    if words in _TIMES:
        return _TIMES[words]
    match = _COUNT.fullmatch(words)
    return int(match[1]) or None if match else None


def write_frequency(frequency: Frequency) -> str:
    """Returns it in full: `once a day`, `every 6 hours`, `every other day`, `once a week on Monday, as needed`."""
    regular = frequency.wording or _write_regular(frequency)
    return ", ".join(filter(None, (regular, "as needed" if frequency.as_needed else "")))


def _write_regular(frequency: Frequency) -> str:
    doses, days = frequency.doses, frequency.days
    if doses is None or days is None:
        return ""
    times = (
        {1: "once", 2: "twice"}.get(int(doses), f"{write_number(doses)} times")
        if doses % 1 == 0
        else f"{write_number(doses)} times"
    )
    if days in (_DAY, _WEEK):
        return f"{times} {'a day' if days == _DAY else 'a week'}"
    if doses == 1 and days == 2:
        return "every other day"
    weeks = days % _WEEK == 0
    period = f"{write_number(days / _WEEK)} weeks" if weeks else f"{write_number(days)} days"
    return f"every {period}" if doses == 1 else f"{times} in {period}"


def read_days(text: str) -> int | None:
    """Returns the days of a duration: `30 days`, `2 weeks`, `1 month` (30 days). None for a text that gives no number."""
    match = _LENGTH.fullmatch(" ".join(text.lower().split()).rstrip("."))
    return int(match[1]) * _DAYS_OF[match[2][0]] or None if match else None
