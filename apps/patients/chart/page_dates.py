"""Partial dates and ages as pages show them, in their language."""

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from apps.patients.chart.dates import Age, Birth, PartialDate, Precision

_FORMATS = {Precision.DAY: "j M Y", Precision.MONTH: "M Y", Precision.YEAR: "Y"}
_AGES = {
    "hour": lambda number: ngettext("%(number)s hour", "%(number)s hours", number),
    "day": lambda number: ngettext("%(number)s day", "%(number)s days", number),
    "week": lambda number: ngettext("%(number)s week", "%(number)s weeks", number),
    "month": lambda number: ngettext("%(number)s month", "%(number)s months", number),
    "year": lambda number: ngettext("%(number)s year", "%(number)s years", number),
}


def date_text(partial: PartialDate) -> str:
    """Returns the date: `10 Jun 2015`, `Jun 2015`, `2015`, `about 1975`."""
    if partial.precision == Precision.ESTIMATED:
        return gettext("about %(year)s") % {"year": partial}
    return date_format(partial.first, _FORMATS[partial.precision])


def birth_text(birth: Birth) -> str:
    """Returns the birth date, as exactly as it is known."""
    return date_text(PartialDate(birth.day, Precision(birth.precision)))


def age_text(age: Age) -> str:
    """Returns the age: `20 days`, `about 51 years`."""
    if age.unit == "hour" and not age.number:
        return gettext("less than 1 hour")
    text = _AGES[age.unit](age.number) % {"number": age.number}
    return gettext("about %(age)s") % {"age": text} if age.is_about else text
