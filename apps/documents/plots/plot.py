"""The full plot: axes, bands, and the values of one or two series in one unit. Across in %, so that the text keeps its size."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.common import clinic_times
from apps.documents.plots.scale import Scale, across, upwards
from apps.documents.plots.sentences import range_words, summary
from apps.documents.plots.values import Drawing, Flag, Point, Series, number, table

HEIGHT = 240
_LEFT, _RIGHT = 9.0, 93.0  # %
_TOP, _BOTTOM = 24, 200
_ALL_LABELLED = 8  # with more values only the first, the last, the least and the most have their number
_LABEL_GAP = 16.0  # % between two dates: their text is 50 px wide, the smallest plot 350
_NUMBER_GAP = 7.0  # % between two numbers
_YEAR = 400 * 86_400  # seconds; over a longer time the axis names months and years
_TICKS = 4


def plot(*series: Series) -> Drawing:
    """Draws the series, all in the same unit, on one pair of axes. The second is drawn in the quieter colour."""
    words = " ".join(summary(one) for one in series)
    shown = [one for one in series if one.ordered]
    return Drawing(_svg(shown, words) if shown else SafeString(""), words, table(series))


def _svg(series: Sequence[Series], words: str) -> SafeString:
    instants = sorted({point.at for one in series for point in one.ordered})
    x, y = across(instants, _LEFT, _RIGHT), upwards(series, _BOTTOM, _TOP, margin=0.1)
    parts = [*_bands(series, y), *_ticks(y), *_dates(instants, x)]
    for index, one in enumerate(series):
        parts += [*_line(one, x, y, index), *_dots(one, x, y, index, is_named=len(series) > 1)]
    name = " / ".join(one.name for one in series)
    return format_html(
        '<svg class="plot" width="100%" height="{}" role="img"><title>{}</title><desc>{}</desc>{}</svg>',
        HEIGHT,
        name,
        words,
        format_html_join("", "{}", ((part,) for part in parts)),
    )


def _bands(series: Sequence[Series], y: Scale) -> Iterator[SafeString]:
    """Draws each usual range; that of the first series has its limits in words."""
    for index, one in enumerate(series):
        if one.band and one.band.ends:
            top, bottom = y.clipped(one.band.high, y.high), y.clipped(one.band.low, y.low)
            yield format_html(
                '<rect class="band" x="0" y="{}" width="100%" height="{}"/>', f"{top:.1f}", f"{max(bottom - top, 0):.1f}"
            )
            if index:
                continue
            label = gettext("Usual range, %(range)s") % {"range": range_words(one.band)}
            is_high = y.place(one.ordered[-1].value) < (top + bottom) / 2  # the last value; the label is away from it
            level = bottom - 6 if is_high else top + 14
            yield format_html('<text x="100%" y="{}" dx="-6" text-anchor="end">{}</text>', f"{level:.1f}", label)


def _ticks(y: Scale) -> Iterator[SafeString]:
    """Draws the lines of round values, and their numbers."""
    step = _round_step((y.high - y.low) / _TICKS)
    value = math.ceil(y.low / step) * step
    while value <= y.high:
        place = f"{y.place(value):.1f}"
        yield format_html('<line class="grid" x1="0" x2="100%" y1="{}" y2="{}"/>', place, place)
        yield format_html('<text x="0" y="{}" dy="-3">{}</text>', place, number(value))
        value = round(value + step, 6)


def _round_step(rough: float) -> float:
    size = 10.0 ** math.floor(math.log10(rough))
    return size * next(factor for factor in (1, 2, 5, 10) if factor * size >= rough)


def _dates(instants: Sequence[datetime], x: Scale) -> Iterator[SafeString]:
    """Writes dates below the axis, always the last one, the others where there is room."""
    spans_years = instants[-1].timestamp() - instants[0].timestamp() > _YEAR
    places = [(x.place(at.timestamp()), at) for at in instants]
    chosen = [places[-1]]
    left = -_LABEL_GAP
    for place, at in places[:-1]:
        if place - left >= _LABEL_GAP and places[-1][0] - place >= _LABEL_GAP:
            chosen.append((place, at))
            left = place
    for place, at in chosen:
        here = clinic_times.local(at)
        text = date_format(here, "M Y" if spans_years else "j M")
        yield format_html('<text x="{}%" y="{}" text-anchor="middle">{}</text>', f"{place:.1f}", HEIGHT - 12, text)


def _line(series: Series, x: Scale, y: Scale, index: int) -> Iterator[SafeString]:
    points = series.ordered
    for start, end in pairwise(points):
        yield format_html(
            '<line class="{}" x1="{}%" y1="{}" x2="{}%" y2="{}"/>',
            "seg two" if index else "seg",
            f"{x.place(start.at.timestamp()):.1f}",
            f"{y.place(start.value):.1f}",
            f"{x.place(end.at.timestamp()):.1f}",
            f"{y.place(end.value):.1f}",
        )


def _dots(series: Series, x: Scale, y: Scale, index: int, *, is_named: bool) -> Iterator[SafeString]:
    """Draws the values; those of the first series have their numbers above, those of the second below."""
    points = series.ordered
    labelled = _labelled(points, x)
    for place, point in enumerate(points):
        off = series.flag(point.value) is not Flag.NONE
        left, down = f"{x.place(point.at.timestamp()):.1f}", y.place(point.value)
        classes = " ".join(word for word, applies in (("two", index > 0), ("off", off)) if applies)
        yield format_html('<circle cx="{}%" cy="{}" r="4"{}/>', left, f"{down:.1f}", _class(classes))
        if place in labelled:
            text = f"{series.name} {number(point.value)}" if is_named and place == 0 else number(point.value)
            anchor = "start" if is_named and place == 0 else "middle"
            level = f"{down + 18 if index else down - 9:.1f}"
            yield format_html('<text class="val" x="{}%" y="{}" text-anchor="{}">{}</text>', left, level, anchor, text)


def _labelled(points: Sequence[Point], x: Scale) -> set[int]:
    """Returns which values have their number in the plot: of those that would overlap, the more important one."""
    places = range(len(points))
    least, most = min(places, key=lambda place: points[place].value), max(places, key=lambda place: points[place].value)
    wanted = [len(points) - 1, 0, most, least, *(places if len(points) <= _ALL_LABELLED else ())]
    chosen: dict[int, float] = {}
    for place in wanted:
        across_ = x.place(points[place].at.timestamp())
        if all(abs(across_ - other) >= _NUMBER_GAP for other in chosen.values()):
            chosen[place] = across_
    return set(chosen)


def _class(names: str) -> SafeString:
    return format_html(' class="{}"', names) if names else SafeString("")
