"""Plots show the values to scale, and say the same in words and in a table."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from apps.documents.plots import Band, Drawing, Flag, Point, Series, plot, sparkline

START = datetime(2026, 3, 2, 20, tzinfo=UTC)  # noon at the clinic
DAY = timedelta(days=1)


def points(*values: float, apart: timedelta = DAY) -> list[Point]:
    return [Point(START + number * apart, value) for number, value in enumerate(values)]


def drawn(drawing: Drawing) -> ElementTree.Element:
    return ElementTree.fromstring(drawing.svg)


def corners(drawing: Drawing) -> list[tuple[float, float]]:
    line = drawn(drawing).find("polyline")
    assert line is not None
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in line.attrib["points"].split())]


def texts(drawing: Drawing) -> list[str]:
    return [text.text or "" for text in drawn(drawing).iter("text")]


def test_a_sparkline_spaces_the_values_by_time() -> None:
    uneven = [Point(START, 1), Point(START + DAY, 2), Point(START + 4 * DAY, 3)]
    (first, _), (second, _), (third, _) = corners(sparkline(uneven))
    assert third - second == pytest.approx(3 * (second - first), abs=0.2)


def test_a_higher_value_is_drawn_higher() -> None:
    (_, low), (_, high) = corners(sparkline(points(80, 90)))
    assert high < low


def test_the_order_of_the_values_does_not_matter() -> None:
    there = points(88, 86, 84.2)
    assert sparkline(there) == sparkline(list(reversed(there)))


def test_the_sentence_says_from_when_to_when_and_where_the_last_value_lies() -> None:
    words = sparkline(points(150, 138), Band(90, 140), name="Blood pressure", unit="mmHg").summary
    assert words == (
        "Blood pressure: 2 values from 2 Mar 2026 to 3 Mar 2026, from 150 to 138 mmHg. The last is in the usual range, 90 to 140."
    )


@pytest.mark.parametrize(("value", "place"), [(139, "in"), (140, "in"), (141, "above"), (90, "in"), (89, "below")], ids=str)
def test_a_value_at_the_limit_is_in_the_usual_range(value: int, place: str) -> None:
    drawing = sparkline(points(120, value), Band(90, 140), name="Systolic", unit="mmHg")
    assert f"is {place} the usual range" in drawing.summary
    dot = drawn(drawing).find("circle")
    assert dot is not None
    assert (dot.get("class") == "off") is (place != "in")


def test_without_a_band_no_value_is_called_usual() -> None:
    drawing = sparkline(points(84.2, 83), name="Weight", unit="kg")
    assert "usual" not in drawing.summary
    assert "band" not in drawing.svg


def test_one_value_and_equal_values_are_drawn() -> None:
    assert len(corners(sparkline(points(84.2)))) == 1
    assert sparkline(points(84.2), name="Weight", unit="kg").summary == "Weight: 84.2 kg on 2 Mar 2026."
    assert {y for _, y in corners(sparkline(points(70, 70, 70)))} == {12.0}


def test_without_values_there_is_no_drawing_but_a_sentence() -> None:
    for empty in (sparkline([], name="Weight"), plot(Series("Weight", "kg", []))):
        assert (empty.svg, empty.summary, empty.rows) == ("", "Weight: no values.", ())


def test_a_value_that_is_no_number_is_left_out() -> None:
    assert len(sparkline([*points(70, 72), Point(START + 9 * DAY, float("nan"))]).rows) == 2


def test_the_band_stays_within_the_drawing() -> None:
    for band in (Band(0, 500), Band(None, 60), Band(100, None), Band(60, 90)):
        rect = drawn(sparkline(points(70, 80), band)).find("rect")
        assert rect is not None
        top, height = float(rect.attrib["y"]), float(rect.attrib["height"])
        assert top >= 0
        assert top + height <= 24


def test_the_rows_have_the_newest_value_first_with_its_flag() -> None:
    rows = plot(Series("Systolic", "mmHg", points(150, 138), Band(90, 140)), Series("Diastolic", "mmHg", points(84))).rows
    assert [row.when for row in rows] == ["Tue 3 Mar 2026, 12:00", "Mon 2 Mar 2026, 12:00"]
    assert [[cell.text for cell in row.cells] for row in rows] == [["138", ""], ["150", "84"]]
    assert [row.cells[0].flag for row in rows] == [Flag.NONE, Flag.HIGH]


def test_a_value_is_written_as_its_source_writes_it() -> None:
    drawing = sparkline([Point(START, 138, "138/84")], name="Blood pressure", unit="mmHg")
    assert drawing.rows[0].cells[0].text == "138/84"
    assert "138/84 mmHg" in drawing.summary


def test_a_plot_has_the_names_of_two_series_and_their_numbers() -> None:
    shown = texts(plot(Series("Systolic", "mmHg", points(150, 138)), Series("Diastolic", "mmHg", points(90, 84))))
    assert {"Systolic 150", "138", "Diastolic 90", "84"} <= set(shown)


def test_a_plot_of_many_values_stays_readable() -> None:
    many = plot(Series("Weight", "kg", points(*range(60, 260), apart=DAY)))
    dates = [text for text in texts(many) if text.endswith(("Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep"))]
    assert 2 <= len(dates) <= 7
    numbers = [text for text in drawn(many).iter("text") if text.get("class") == "val"]
    assert len(numbers) == 2


def test_a_plot_over_years_names_the_years() -> None:
    assert "Mar 2026" in texts(plot(Series("Weight", "kg", points(80, 82, apart=500 * DAY))))


def test_names_cannot_bring_markup_into_the_drawing() -> None:
    hostile = '<script>alert(1)</script>"'
    for drawing in (sparkline(points(1, 2), name=hostile), plot(Series(hostile, hostile, points(1, 2)))):
        assert "<script" not in drawing.svg
        assert drawn(drawing).find("title") is not None


def test_the_drawing_has_no_inline_style() -> None:
    both = (
        plot(Series("A", "x", points(1, 2, 3), Band(1, 2)), Series("B", "x", points(4, 5))),
        sparkline(points(1, 2), Band(0, 1)),
    )
    assert all("style" not in drawing.svg for drawing in both)
