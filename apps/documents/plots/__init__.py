"""Plots of measured values, drawn on the server: a small line for a row (`sparkline`) and a full plot with its axes (`plot`).

    drawing = sparkline([Point(at, 84.2), …], Band(60, 90), name="Weight", unit="kg")
    drawing.svg       safe SVG; presentation attributes only, because the pages allow no inline style
    drawing.summary   the same in one sentence
    drawing.rows      the same as the rows of a table, the newest first

Time is to scale. A value outside the band has the class `off`; the table says so in words.
"""

from apps.documents.plots.plot import plot
from apps.documents.plots.sparkline import sparkline
from apps.documents.plots.values import Band, Cell, Drawing, Flag, Point, Row, Series

__all__ = ["Band", "Cell", "Drawing", "Flag", "Point", "Row", "Series", "plot", "sparkline"]
