"""A series in one sentence: how many values, from when to when, and where the last one lies."""

from django.utils.translation import gettext, ngettext

from apps.common import clinic_times
from apps.documents.plots.values import Band, Flag, Point, Series, number


def summary(series: Series) -> str:
    """Returns the sentence: "Weight: 12 values from 3 Mar 2026 to 30 Nov 2026, from 88 to 84.2 kg.", and the usual range."""
    points = series.ordered
    if not points:
        return gettext("%(name)s: no values.") % {"name": series.name}
    first, last = points[0], points[-1]
    words = {
        "name": series.name,
        "count": len(points),
        "from": clinic_times.day(first.at),
        "to": clinic_times.day(last.at),
        "first": first.words,
        "last": f"{last.words} {series.unit}".rstrip(),
    }
    sentence = ngettext(
        "%(name)s: %(last)s on %(to)s.",
        "%(name)s: %(count)d values from %(from)s to %(to)s, from %(first)s to %(last)s.",
        len(points),
    )
    return " ".join(part for part in (sentence % words, _place(series.band, last)) if part)


def range_words(band: Band) -> str:
    """Returns the band in words: `60 to 90`, `under 7`, `over 40`."""
    if band.low is not None and band.high is not None:
        return gettext("%(low)s to %(high)s") % {"low": number(band.low), "high": number(band.high)}
    if band.high is not None:
        return gettext("up to %(high)s") % {"high": number(band.high)}
    return gettext("from %(low)s") % {"low": number(band.low or 0)}


def _place(band: Band | None, last: Point) -> str:
    if band is None or not band.ends:
        return ""
    sentences = {
        Flag.NONE: gettext("The last is in the usual range, %(range)s."),
        Flag.LOW: gettext("The last is below the usual range, %(range)s."),
        Flag.HIGH: gettext("The last is above the usual range, %(range)s."),
    }
    return sentences[band.flag(last.value)] % {"range": range_words(band)}
