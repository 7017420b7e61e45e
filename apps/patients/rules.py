"""Decisions on plain values: medical record numbers, plausible births and deaths, folded names, the meaning of a query."""

import calendar
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from anyascii import anyascii
from stdnum import luhn

from apps.patients.chart import dates
from apps.patients.search import name_forms

MRN_SHAPE = re.compile(r"[A-Za-z0-9-]{1,40}")
CLOCK_AHEAD = timedelta(minutes=5)  # by how much the clock of a client may be ahead of ours
UNNAMED = "Enter a first name or a last name. One of them may be empty, not both."
QUERY_MAX = 100  # characters
_WORD = re.compile(r"[a-z0-9]+")
_FIRST_ASKED = 3  # least digits of a telephone number for a search


def mrn_from(counter: int) -> str:
    """Returns the counter as a medical record number: seven digits or more and a Luhn (ISO/IEC 7812-1) check digit."""
    digits = f"{counter:07d}"
    return f"MRN{digits}{luhn.calc_check_digit(digits)}"


def birth_problem(born: date, today: date) -> str | None:
    """Returns why that day is not a possible birth date, or None."""
    if born > today:
        return "The date of birth is in the future."
    if dates.years_between(born, today) > dates.OLDEST_AGE:
        return f"The date of birth is more than {dates.OLDEST_AGE} years ago."
    return None


def death_problem(died: datetime, born: date | None, now: datetime, zone: ZoneInfo) -> str | None:
    """Returns why that instant is not a possible time of death, or None. The day of the death is the day in `zone`, where the
    clinic is.

    A clock may run ahead of ours by CLOCK_AHEAD (contract, G41). Without `born` only the future is checked.
    """
    if died > now + CLOCK_AHEAD:
        return "The time of death is in the future."
    if born is not None and died.astimezone(zone).date() < born:
        return f"The time of death is before the date of birth ({dates.day_text(born)}). Correct one of the two."
    return None


def may_attend(at: datetime, *, is_active: bool, died: datetime | None, zone: ZoneInfo) -> bool:
    """Returns whether the patient can be seen at that instant: before the death, if there is one, else while the record is
    active.

    A death at midnight in `zone` is a date without a time (imports write it so): that whole day counts as before.
    """
    if died is None:
        return is_active
    local = died.astimezone(zone)
    return at < (local + timedelta(days=1) if local.time() == time() else died)


_ABOUT = re.compile(r"(?:about|approx\.?|ca?\.?|~)\s*(\d{4})", re.IGNORECASE | re.ASCII)
# Where a short date begins with the month (Unicode CLDR 46, English short date formats: M/d/yy).
_MONTH_FIRST = frozenset({"AS", "GU", "MH", "MP", "PH", "PR", "UM", "US", "VI"})


def is_month_first(country: str) -> bool:
    """Returns whether `3/4/45` is the fourth of March there."""
    return country in _MONTH_FIRST


def birth_from(text: str, today: date, *, month_first: bool) -> dates.PartialDate:
    """Parses a date as people type it: `1975`, `about 1975`, `1975-06`, or a day in any form that the search understands.

    Two digits of a year mean the last such year in the past. `month_first` decides how `3/4/1945` is read, while the search tries
    both; only a date that does not exist that way (`25/12/1980`) is read the other way round. A future day stays one: the caller
    refuses it. Raises ValueError with a message for the user.
    """
    text = text.strip()
    with suppress(ValueError):
        if year := _ABOUT.fullmatch(text):
            return dates.PartialDate(dates.partial(year[1]).first, dates.Precision.ESTIMATED)
        return dates.partial(text)
    for pattern in _DATES:
        match = pattern.fullmatch(text)
        if match and (day := _day_written(match, today, month_first=month_first)):
            return dates.PartialDate(day)
    raise ValueError("Enter the date like 1980-05-15; if only the month or the year is known, 1980-05 or 1980.")


def _day_written(match: re.Match[str], today: date, *, month_first: bool) -> date | None:
    """Returns the one day that a typed whole date means; None if it does not exist."""
    part = match.groupdict()
    year, first, second = _year(part["y"], today), int(part["a"]), int(part.get("b") or 0)
    if part.get("m"):
        pairs = [(_MONTHS.get(part["m"][:3].lower(), 0), first)]
    elif match.start("y") < match.start("a"):
        pairs = [(first, second)]  # the order year, day, month is not in use
    else:
        pairs = [(first, second), (second, first)] if month_first else [(second, first), (first, second)]
    day_found = next((day for month, number in pairs if (day := _day(year, month, number))), None)
    if day_found and day_found > today and len(part["y"]) == 2:
        return _day(day_found.year - 100, day_found.month, day_found.day)
    return day_found


def fold(text: str) -> str:
    """Returns text as the search sees it: ASCII, lower case, without apostrophes. O'Brien is obrien; Müller-Lüdenscheidt is two
    words. Composed as names are stored (NFC): anyascii reads some characters otherwise that are one for Unicode."""
    return anyascii(unicodedata.normalize("NFC", text)).lower().replace("'", "").replace("`", "")


def words(text: str) -> list[str]:
    """Returns the folded words of a text, in order."""
    return _WORD.findall(fold(text))


def digits(text: str) -> str:
    """Returns the ASCII digits of a text."""
    return "".join(re.findall(r"[0-9]", anyascii(text)))


def e164(phone: str, country: str) -> str:
    """Returns the number in E.164 form; empty if it is not a valid number."""
    try:
        parsed = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if phonenumbers.is_valid_number(parsed) else ""


def mrn_word(mrn: str) -> str:
    """Returns the MRN as one search word."""
    return "#" + mrn.lower()


def phone_forms(phone: str, e164: str) -> list[str]:
    """Returns a number as it was written, in E.164 form, and as dialled within its own country: 0712345672 for +254712345672."""
    if not e164:
        return [phone]
    national = phonenumbers.format_number(phonenumbers.parse(e164), phonenumbers.PhoneNumberFormat.NATIONAL)
    return [phone, e164, national]


UNSPACED = "^"


def search_words(*, names: list[str], mrn: str, phones: list[str]) -> set[str]:
    """Returns every search word of a patient. Numbers have a mark that no name has: the MRN after `#`, a telephone number after
    `+`, and the digits of both backwards after `-`, for the last ones. After `^` come the full name and parts of it as scripts
    without spaces write them. A name with `%` or `_`, which the search takes literally, is a word too."""
    written = [word for name in names for word in name_forms.parted(name).split()]
    bare = filter(None, map(name_forms.without_article, written))
    terms = {word[:100] for text in (*names, *bare) for word in words(text)}
    # "van der Berg" is a match for "vanderberg" too, and "van der Meer-Smit" for "meersmit".
    terms |= {run[:100] for run in map(_run, (*names, *written)) if run}
    terms |= {literal(word)[:100] for word in written if _is_literal(word)}
    terms |= {(UNSPACED + run)[:100] for run in map(_run, name_forms.unspaced_runs(names)) if run}
    terms.add(mrn_word(mrn))
    terms |= {"+" + number for number in map(digits, phones) if number}
    return terms | {"-" + number[::-1] for number in map(digits, [mrn, *phones]) if number}


def _run(text: str) -> str:
    return "".join(words(text))


def literal(word: str) -> str:
    """Returns a word with `%` or `_` as one search word, in which they are literal."""
    return "".join(letter for letter in fold(word) if letter > " " and letter != "~")


def _is_literal(word: str) -> bool:
    return "%" in word or "_" in word


@dataclass(frozen=True)
class Query:
    """The parsed search text. Of each element of `words` one prefix must match; `born` lists the days it may mean."""

    words: tuple[tuple[str, ...], ...] = ()
    born: tuple[date, ...] = ()
    spoken: tuple[str, ...] = ()  # the folded words, if all are letters: they may be misspelt or misheard
    others: tuple["Query", ...] = ()  # other readings of the text, if this one has no match
    numbers: tuple[str, ...] = ()  # the prefixes of a date that may be an MRN or a telephone number: these patients match as well

    @property
    def is_unspaced(self) -> bool:
        """Returns whether another reading takes the words as one name, which includes all matches of the separate words."""
        if not self.others or self.others[0].born != self.born:
            return False
        return any(prefix.startswith(UNSPACED) for prefix in self.others[0].words[0])

    @property
    def is_empty(self) -> bool:
        return not self.words and not self.born


def read_query(text: str, today: date, country: str = "") -> Query:
    """Parses a search text: a date of birth in any usual form, and words in any order.

    `country` is the country of telephone numbers without a country code (ISO 3166-1, like KE). What can be a date may be an MRN
    or a telephone number instead: if it is the whole text both count, else the date goes first.
    """
    text = text.strip()
    born, rest = _take_date(text, today)
    chunks = _chunks(rest)
    groups = _groups(chunks, country)
    spoken = tuple("".join(words(chunk)) for chunk in chunks) if all(map(_NAME.fullmatch, chunks)) else ()
    others = [Query(words=other, born=born) for other in _other_readings(chunks, country) if other]
    numbers = _number(text, country) if born else ()
    if born and not numbers:
        others.append(Query(words=_groups(_chunks(text), country)))
    return Query(words=groups, born=born, spoken=spoken if all(spoken) else (), others=tuple(others), numbers=numbers)


_NAME = re.compile(r"[^\W\d_]+(?:['’`.-][^\W\d_]*)*")
_PHONE = re.compile(r"\+?[\d\s().-]*\d[\d\s().-]*")


def _number(text: str, country: str) -> tuple[str, ...]:
    """Returns the prefixes of a text that is one MRN or one telephone number; none for another text."""
    is_mrn = MRN_SHAPE.fullmatch(text) is not None
    if not is_mrn and not _PHONE.fullmatch(text):
        return ()
    groups = _groups(_chunks(text), country)
    return tuple(dict.fromkeys((*([mrn_word(text)] if is_mrn else []), *groups[0]))) if len(groups) == 1 else ()


def _groups(chunks: list[str], country: str) -> tuple[tuple[str, ...], ...]:
    return tuple(group for group in (_prefixes(chunk, country) for chunk in chunks) if group)


def _other_readings(chunks: list[str], country: str) -> Iterator[tuple[tuple[str, ...], ...]]:
    """Returns the readings of the words as one name without spaces, or without a separate article."""
    runs = name_forms.joined_runs(chunks) if all(map(name_forms.is_unspaced, chunks)) else []
    if runs:
        yield (tuple(sorted({mark + _run(run) for run in runs for mark in (UNSPACED, "")})),)
    named = [chunk for chunk in chunks if not name_forms.is_article(chunk)]
    if named and len(named) < len(chunks):
        yield _groups(named, country)


def _chunks(text: str) -> list[str]:
    """Returns the query's words; digits separated only by telephone punctuation are one word."""
    text = re.sub(r"(?<=\d)[\s()./-]+(?=\d)", "", text)
    return name_forms.parted(text).split()


def _prefixes(chunk: str, country: str = "") -> tuple[str, ...]:
    """Returns the index prefixes that a word may mean. If one is a name it is the last."""
    if _is_literal(chunk):
        return (literal(chunk),)
    number = digits(chunk)
    prefixes = []
    if MRN_SHAPE.fullmatch(chunk):
        prefixes.append(mrn_word(chunk))
    if len(number) >= _FIRST_ASKED and _PHONE.fullmatch(chunk):
        dialled = digits(e164(chunk, country)) if country else ""
        prefixes += ["+" + number, "-" + number[::-1], *(["+" + dialled] if dialled and dialled != number else [])]
    folded, bare = _run(chunk), _run(name_forms.without_article(chunk))
    if name_forms.is_unspaced(chunk):
        prefixes.append(UNSPACED + folded)
    if bare:
        prefixes.append(folded)
        folded = bare
    return (*prefixes, folded) if folded else tuple(prefixes)


_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_SEP = r"[\s./-]+"
_DATES = (
    re.compile(rf"(?<!\d)(?P<y>\d{{4}}){_SEP}(?P<a>\d{{1,2}}){_SEP}(?P<b>\d{{1,2}})(?!\d)"),
    re.compile(rf"(?<!\d)(?P<a>\d{{1,2}}){_SEP}(?P<b>\d{{1,2}}){_SEP}(?P<y>\d{{4}}|\d{{2}})(?!\d)"),
    re.compile(
        rf"(?<!\w)(?P<a>\d{{1,2}})(?:st|nd|rd|th)?{_SEP}(?:of\s+)?(?P<m>[a-z]{{3,9}})\.?,?{_SEP}(?P<y>\d{{4}}|\d{{2}})(?!\d)",
        re.I,
    ),
    re.compile(rf"(?<!\w)(?P<m>[a-z]{{3,9}})\.?{_SEP}(?P<a>\d{{1,2}})(?:st|nd|rd|th)?,?{_SEP}(?P<y>\d{{4}}|\d{{2}})(?!\d)", re.I),
    re.compile(r"(?<!\d)(?P<y>(?:19|20)\d{2})(?P<a>\d{2})(?P<b>\d{2})(?!\d)"),
)


def _take_date(text: str, today: date) -> tuple[tuple[date, ...], str]:
    """Returns the days that a date in the text may mean (day and month may be swapped), and the text without it."""
    for pattern in _DATES:
        for match in pattern.finditer(text):
            days = _days(match.groupdict(), today)
            if days:
                return days, text[: match.start()] + " " + text[match.end() :]
    return (), text


def take_birth(text: str, today: date, *, month_first: bool) -> tuple[date | None, str]:
    """Returns the day that a typed text names, in the order of `birth_from`, and the text without it; None if it names no past
    day."""
    for pattern in _DATES:
        for match in pattern.finditer(text):
            day = _day_written(match, today, month_first=month_first)
            if day is not None and day <= today:
                return day, text[: match.start()] + " " + text[match.end() :]
    return None, text


def _days(part: dict[str, str | None], today: date) -> tuple[date, ...]:
    year = _year(part["y"] or "", today)
    first = int(part["a"] or 0)
    if part.get("m"):
        pairs = [(_MONTHS.get((part["m"] or "")[:3].lower(), 0), first)]
    else:
        second = int(part.get("b") or 0)
        year_first = len(part["y"] or "") == 4 and part.get("b") is not None
        pairs = [(first, second), (second, first)] if year_first else [(second, first), (first, second)]
    days = [_day(year, month, number) for month, number in pairs]
    if len(part["y"] or "") == 2:  # the last such day in the past
        days = [_day(day.year - 100, day.month, day.day) if day and day > today else day for day in days]
    return tuple(dict.fromkeys(day for day in days if day and day <= today))


def _year(text: str, today: date) -> int:
    """Two digits mean the last such year in the past."""
    year = int(text)
    if len(text) == 4:
        return year
    century = today.year // 100 * 100
    return century + year if century + year <= today.year else century - 100 + year


def _day(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def distance(left: str, right: str) -> int:
    """Returns the number of single-letter edits between two words: insertion, deletion, substitution, or two neighbours swapped
    (optimal string alignment: Damerau 1964, restricted)."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row = row, [i] + [0] * len(right)
        for j, b in enumerate(right, 1):
            row[j] = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                row[j] = min(row[j], before[j - 2] + 1)
        before = previous
    return row[-1]


def swaps(word: str) -> list[str]:
    """Returns the word with each pair of neighbouring letters swapped."""
    return [word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1)]
