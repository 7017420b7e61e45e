"""Units of the chart as people write them."""

import pytest

from apps.patients.chart import units


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("Cel", "°C"),
        ("mm[Hg]", "mmHg"),
        ("[lb_av]", "lb"),
        ("kg/m2", "kg/m²"),
        ("mL/min/{1.73_m2}", "mL/min/1.73 m²"),
        ("u[IU]/mL", "µIU/mL"),
        ("ug/dL", "µg/dL"),
        ("10*3/uL", "10³/µL"),
        ("mg/g{creat}", "mg/g"),
        ("{beats}/min", "/min"),
        ("{score}", ""),
        ("mg/dL", "mg/dL"),
        ("tablets", "tablets"),
    ],
)
def test_a_unit_is_written_as_people_read_it(code: str, words: str) -> None:
    assert units.in_words(code) == words
