"""The small line in a row: the values, the band behind them, and a dot at the last one."""

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.documents.plots.scale import across, upwards
from apps.documents.plots.sentences import summary
from apps.documents.plots.values import Band, Drawing, Flag, Point, Series, table

WIDTH, HEIGHT = 88, 24
_LEFT, _RIGHT, _TOP, _BOTTOM = 2, 84, 3, 21


def sparkline(points: Sequence[Point], band: Band | None = None, *, name: str = "", unit: str = "") -> Drawing:
    """Draws the values in the size of a table row. `name` and `unit` are for the sentence."""
    series = Series(name, unit, points, band)
    words = summary(series)
    return Drawing(_svg(series, words) if series.ordered else SafeString(""), words, table([series]))


def _svg(series: Series, words: str) -> SafeString:
    points = series.ordered
    x, y = across([point.at for point in points], _LEFT, _RIGHT), upwards([series], _BOTTOM, _TOP)
    places = [(x.place(point.at.timestamp()), y.place(point.value)) for point in points]
    line = " ".join(f"{across_:.1f},{down:.1f}" for across_, down in places)
    off = series.flag(points[-1].value) is not Flag.NONE
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" role="img"><title>{}</title>{}<polyline points="{}"/>'
        '<circle cx="{}" cy="{}" r="2.6"{}/></svg>',
        WIDTH,
        HEIGHT,
        words,
        _band(series.band, y.clipped(series.band.high, y.high), y.clipped(series.band.low, y.low)) if series.band else "",
        line,
        f"{places[-1][0]:.1f}",
        f"{places[-1][1]:.1f}",
        SafeString(' class="off"') if off else "",
    )


def _band(band: Band, top: float, bottom: float) -> SafeString:
    if not band.ends:
        return SafeString("")
    top, bottom = (1 if band.high is None else top), (HEIGHT - 1 if band.low is None else bottom)
    return format_html('<rect class="band" x="0" y="{}" width="{}" height="{}"/>', f"{top:.1f}", WIDTH, f"{bottom - top:.1f}")
