"""Units as people write them: `Cel` is °C, `mm[Hg]` mmHg, `mL/min/{1.73_m2}` mL/min/1.73 m². Pure.

Entries contain UCUM codes (ucum.org), or the text that a user or another system wrote.
"""

import re
from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "cel": "°C",
    "c": "°C",
    "[degf]": "°F",
    "f": "°F",
    "mm[hg]": "mmHg",
    "[lb_av]": "lb",
    "[oz_av]": "oz",
    "[in_i]": "in",
}
_QUANTITY = re.compile(r"\{(\d[^}]*)\}")  # an annotation that is part of the unit: {1.73_m2}
_ANNOTATION = re.compile(r"\{[^}]*\}")  # any other says what is measured: {score}, {beats}, {creat}
_BRACKETS = re.compile(r"\[(\w+)\]")
_MICRO = re.compile(r"(?<![A-Za-z])u(?=(?:g|mol|L|l|IU|kat|m|s)\b)")
_POWER = re.compile(r"10\*(\d+)")
_SQUARE = re.compile(r"(?<=m)([23])\b")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def in_words(unit: str) -> str:
    """Returns the unit as people write it; empty for one that only says what is counted (`{score}`)."""
    if (known := _WORDS.get(unit.strip().casefold())) is not None:
        return known
    text = _QUANTITY.sub(lambda match: match[1].replace("_", " "), unit.strip())
    text = _BRACKETS.sub(r"\1", _ANNOTATION.sub("", text))
    text = _POWER.sub(lambda match: f"10{match[1].translate(_RAISED)}", _MICRO.sub("µ", text))
    return _SQUARE.sub(lambda match: match[1].translate(_RAISED), text).strip()
