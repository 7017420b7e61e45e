"""Partial dates and ages."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from apps.patients import rules
from apps.patients.chart import ages, dates, page_dates
from apps.patients.chart.dates import Birth, PartialDate, Precision
from apps.patients.models import Patient

NOW = datetime(2026, 11, 29, 10, 30, tzinfo=ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    ("born", "age"),
    [
        (date(2026, 11, 29), "0 days"),
        (date(2026, 11, 28), "1 day"),
        (date(2026, 11, 9), "20 days"),
        (date(2026, 11, 2), "27 days"),
        (date(2026, 11, 1), "4 weeks"),
        (date(2026, 8, 30), "13 weeks"),
        (date(2026, 8, 29), "3 months"),
        (date(2026, 6, 30), "4 months"),
        (date(2024, 11, 30), "23 months"),
        (date(2024, 11, 29), "2 years"),
        (date(1975, 11, 30), "50 years"),
        (date(2026, 11, 30), "0 days"),
    ],
)
def test_an_age_is_shown_in_the_unit_that_fits_it(born: date, age: str) -> None:
    assert str(dates.age(Birth(born), NOW)) == age


def test_hours_are_shown_up_to_a_day_where_the_time_of_birth_is_known() -> None:
    born = Birth(date(2026, 11, 29), at=time(5, 15))
    assert str(dates.age(born, NOW)) == "5 hours"
    assert str(dates.age(born, NOW.replace(hour=5, minute=40))) == "less than 1 hour"
    assert str(dates.age(Birth(date(2026, 11, 28), at=time(23, 0)), NOW)) == "11 hours"
    assert str(dates.age(Birth(date(2026, 11, 28), at=time(10, 30)), NOW)) == "1 day"
    summer_ends = datetime(2026, 11, 1, 4, 0, tzinfo=ZoneInfo("America/New_York"))
    assert str(dates.age(Birth(date(2026, 11, 1), at=time(0, 0)), summer_ends)) == "5 hours"


def test_the_day_is_the_clinic_s() -> None:
    late = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
    assert str(dates.age(Birth(date(2026, 11, 29)), late.astimezone(ZoneInfo("America/New_York")))) == "0 days"
    assert str(dates.age(Birth(date(2026, 11, 29)), late)) == "1 day"


def test_the_age_of_a_patient_born_about_a_year_is_shown_as_such() -> None:
    estimated = dates.born_by_age(51, date(2026, 11, 29))
    assert (estimated.first, page_dates.date_text(estimated)) == (date(1975, 1, 1), "about 1975")
    assert str(dates.age(Birth(estimated.first, estimated.precision), NOW)) == "about 51 years"
    assert page_dates.birth_text(Birth(date(2015, 6, 1), Precision.MONTH)) == "Jun 2015"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2015", date(2015, 1, 1), date(2015, 12, 31)),
        ("2016-02", date(2016, 2, 1), date(2016, 2, 29)),
        ("2015-06-10", date(2015, 6, 10), date(2015, 6, 10)),
    ],
)
def test_a_partial_date_is_a_period(text: str, first: date, last: date) -> None:
    read = dates.partial(text)
    assert (str(read), read.first, read.last) == (text, first, last)
    assert dates.fits(read.first, read.precision)


@pytest.mark.parametrize("text", ["", "15", "2015-6", "2015-13", "2015-02-30", "2015-06-10T00:00:00Z", "٢٠١٥", "0000", "2015\n"])
def test_what_is_no_partial_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        dates.partial(text)


@given(st.dates(min_value=date(1850, 1, 1)), st.sampled_from(list(Precision)))
def test_every_period_holds_its_first_and_last_day(day: date, precision: Precision) -> None:
    period = PartialDate(day.replace(day=1, month=1), precision)
    assert period.first <= period.last
    assert dates.partial(str(period)).first == period.first


@given(st.integers(0, 130), st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)))
def test_the_estimated_birth_gives_the_stated_age(age: int, today: date) -> None:
    assert dates.years_between(dates.born_by_age(age, today).first, today) == age


@pytest.mark.parametrize(
    ("typed", "month_first", "day_first"),
    [
        ("3/4/1945", "1945-03-04", "1945-04-03"),
        ("3/4/45", "1945-03-04", "1945-04-03"),
        ("03.04.1945", "1945-03-04", "1945-04-03"),
        ("3-4-45", "1945-03-04", "1945-04-03"),
        ("25/12/1980", "1980-12-25", "1980-12-25"),
        ("12/25/1980", "1980-12-25", "1980-12-25"),
        ("1945/3/4", "1945-03-04", "1945-03-04"),
        ("19450304", "1945-03-04", "1945-03-04"),
        ("4 Mar 45", "1945-03-04", "1945-03-04"),
        ("3/12/2026", "2026-03-12", "2026-12-03"),
        ("12/3/2026", "2026-12-03", "2026-03-12"),
        ("12/3/26", "1926-12-03", "2026-03-12"),
    ],
)
def test_a_typed_date_is_read_in_the_order_of_the_clinic_however_many_digits_its_year_has(
    typed: str, month_first: str, day_first: str
) -> None:
    today = date(2026, 11, 29)
    assert str(rules.birth_from(typed, today, month_first=True)) == month_first
    assert str(rules.birth_from(typed, today, month_first=False)) == day_first


@pytest.mark.parametrize("typed", ["1980-13-05", "1980/13/05", "1980-02-30", "31/11/1980", "13/13/80", "3/4", "3/4/1945 or so"])
def test_a_typed_date_that_the_calendar_does_not_have_is_refused_and_never_turned_round(typed: str) -> None:
    for month_first in (True, False):
        with pytest.raises(ValueError, match="1980-05-15"):
            rules.birth_from(typed, date(2026, 11, 29), month_first=month_first)


@pytest.mark.parametrize(
    ("birth", "english", "spanish"),
    [
        (Birth(date(1975, 11, 30)), "50 years", "50 años"),
        (Birth(date(2026, 11, 9)), "20 days", "20 días"),
        (Birth(date(1975, 1, 1), Precision.ESTIMATED), "about 51 years", "unos 51 años"),
        (Birth(date(2026, 11, 29), at=time(7)), "less than 1 hour", "menos de 1 hora"),
    ],
)
def test_a_page_shows_the_age_in_its_language_and_a_reply_in_english(birth: Birth, english: str, spanish: str) -> None:
    patient = Patient(date_of_birth=birth.day, date_of_birth_precision=birth.precision, time_of_birth=birth.at)
    with time_machine.travel(NOW, tick=False):
        assert ages.age_on_page(patient) == english
        with translation.override("es"):
            assert (ages.age_on_page(patient), ages.age_of(patient)) == (spanish, english)
