"""Amounts in words: read from what was typed, and written the one way that page, label, PDF and API show.

Written as ISMP's List of Error-Prone Abbreviations asks: a leading zero, no trailing zero, a comma in thousands, `mcg` and
`units` in full. What that list calls error-prone is read where it has one meaning ("10U", "50 µg", "cc"), and refused where
it has two ("1.000", "0,5").
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from apps.prescriptions.dosing.values import Amount, Dose

LARGEST = Decimal(9_999_999)
MOST_DECIMALS = 6

# Each unit as it is written, with what is read as it. A countable unit has a plural of its own.
_MEASURES: Mapping[str, tuple[str, ...]] = {
    "mcg": ("mcg", "ug", "µg", "μg", "microgram", "micrograms"),
    "mg": ("mg", "milligram", "milligrams"),
    "g": ("g", "gm", "gram", "grams"),
    "mL": ("ml", "cc", "milliliter", "milliliters", "millilitre", "millilitres"),
    "mEq": ("meq", "milliequivalent", "milliequivalents"),
    "mmol": ("mmol", "millimole", "millimoles"),
    "unit": ("u", "iu", "unit", "units", "international unit", "international units", "unt"),
}
_COUNTED: Mapping[str, tuple[str, ...]] = {
    "tablet": ("tablets", "tab", "tabs"),
    "capsule": ("capsules", "cap", "caps"),
    "puff": ("puffs", "inhalation", "inhalations"),
    "spray": ("sprays",),
    "drop": ("drops", "gtt", "gtts"),
    "patch": ("patches",),
    "suppository": ("suppositories",),
    "application": ("applications",),
    "lozenge": ("lozenges",),
    "sachet": ("sachets", "packet", "packets"),
    "ampule": ("ampules", "ampoule", "ampoules", "ampul"),
    "vial": ("vials",),
    "syringe": ("syringes",),
    "dose": ("doses",),
}
_UNITS = {word: unit for unit, words in _MEASURES.items() for word in words} | {
    word: unit for unit, words in _COUNTED.items() for word in (unit, *words)
}
_PLURALS = {unit: words[0] for unit, words in _COUNTED.items()} | {"unit": "units"}

_NUMBER_WORDS: Mapping[str, Decimal] = {
    word: Decimal(place)
    for place, word in enumerate(("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), start=1)
} | {"half": Decimal("0.5"), "a half": Decimal("0.5"), "one half": Decimal("0.5"), "quarter": Decimal("0.25")}
_FRACTIONS = {"½": Decimal("0.5"), "¼": Decimal("0.25"), "¾": Decimal("0.75")}
_SLASH = re.compile(r"(?:(\d+) )?(\d)/([248])")
_PLAIN = re.compile(r"(?:\d+(?:\.\d+)?|\.\d+)(?:e\d+)?")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_AMBIGUOUS = re.compile(r"[1-9]\d{0,2}\.\d\d0")  # a point that separates thousands elsewhere, or a trailing zero
_IN_WORDS = "|".join(sorted(_NUMBER_WORDS, key=len, reverse=True))
_TEXT = re.compile(
    rf"^(?P<number>-?[\d.,]+(?:e\d+)?(?: ?[½¼¾]| \d/\d|/\d)?|[½¼¾]|{_IN_WORDS})\s*(?:of )?(?:an? )?(?P<unit>[a-zµμ][a-zµμ ]*)$"
)
_RATES = ("/kg", "/day", "/h", "/hr", "/min", "/dose", "/m2")
_RANGE = re.compile(r"^(?P<low>.+?)\s*(?:-|–|\bto\b|\bor\b)\s*(?P<high>.+)$")


class Unclear(ValueError):
    """The text is no amount, or may mean two. The message says what to write instead."""


def read_dose(text: str) -> Dose:
    """Returns the dose of a text: `10mg`, `½ tablet`, `1-2 tablets`. Raises Unclear."""
    words = _normal(text)
    if match := _RANGE.match(words):
        high = _read(match["high"], text)
        low = _number(match["low"].removesuffix(high.unit).strip(), text)
        if low > high.value:
            raise Unclear(f"The range {text!r} begins with its larger end.")
        return Dose(Amount(low, high.unit), high)
    amount = _read(words, text)
    return Dose(amount, amount)


def read_amount(text: str) -> Amount:
    """Returns the amount of a text that is no range. Raises Unclear."""
    dose = read_dose(text)
    if dose.low != dose.high:
        raise Unclear(f"{text!r} is a range. Write one amount.")
    return dose.high


def checked(value: Decimal, shown: str) -> Decimal:
    """Returns the number. Raises Unclear for 0, a negative number, one that is too large or has too many decimals."""
    if not value.is_finite() or value <= 0:
        raise Unclear(f"{shown} is no amount. Write a number above zero.")
    if value > LARGEST:
        raise Unclear(f"{shown} is more than {LARGEST:,}. Check the number and its unit.")
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MOST_DECIMALS:
        raise Unclear(f"{shown} has more than {MOST_DECIMALS} decimals. Write it in a smaller unit.")
    return value


def unit_of(word: str) -> str:
    """Returns the unit as it is stored: `tablets` is `tablet`, `µg` is `mcg`. Raises Unclear for an unknown one."""
    unit = _UNITS.get(_normal(word))
    if unit is None:
        raise Unclear(f"{word!r} is no known unit. Write mg, mcg, g, mL, units, tablets, capsules, puffs or drops.")
    return unit


def is_counted(unit: str) -> bool:
    """Returns whether the unit is counted in pieces, like tablets, instead of measured."""
    return unit in _COUNTED


def write_number(value: Decimal) -> str:
    """Returns the number with a leading zero, without trailing zeros, and with commas in thousands: `0.5`, `1,000`."""
    return f"{value.normalize():,f}"


def write(amount: Amount) -> str:
    """Returns the amount: `0.5 mg`, `10 units`, `half a tablet`, `1 and a half tablets`."""
    if is_counted(amount.unit) and amount.value % 1 == Decimal("0.5"):
        whole = amount.value - Decimal("0.5")
        article = "an" if amount.unit[0] in "aeiou" else "a"
        return f"{write_number(whole)} and a half {_PLURALS[amount.unit]}" if whole else f"half {article} {amount.unit}"
    unit = amount.unit if amount.value == 1 else _PLURALS.get(amount.unit, amount.unit)
    return f"{write_number(amount.value)} {unit}"


def write_dose(dose: Dose) -> str:
    """Returns the dose; a range has its unit once: `1 to 2 tablets`."""
    if dose.low == dose.high:
        return write(dose.high)
    return f"{write_number(dose.low.value)} to {write(dose.high)}"


def _normal(text: str) -> str:
    return " ".join(text.lower().replace("\u200b", "").split())


def _read(words: str, text: str) -> Amount:
    if words.endswith(_RATES):
        raise Unclear(f"{text!r} is a rate. Write the amount for this patient, like 250 mg.")
    match = _TEXT.match(words)
    if match is None:
        raise _no_amount(text)
    return Amount(_number(match["number"], text), unit_of(match["unit"]))


def _no_amount(text: str) -> Unclear:
    return Unclear(f"{text!r} is no amount. Write a number and its unit, like 500 mg or 2 tablets.")


def _number(words: str, text: str) -> Decimal:
    if words in _NUMBER_WORDS:
        return _NUMBER_WORDS[words]
    if words and words[-1] in _FRACTIONS:
        whole = words[:-1].strip()
        return (_number(whole, text) if whole else Decimal(0)) + _FRACTIONS[words[-1]]
    if match := _SLASH.fullmatch(words):
        return Decimal(match[1] or 0) + Decimal(match[2]) / Decimal(match[3])
    return checked(_decimal(words, text), repr(text))


def _decimal(words: str, text: str) -> Decimal:
    if _AMBIGUOUS.fullmatch(words):
        small, large = write_number(Decimal(words)), words.replace(".", ",")
        raise Unclear(f"{text!r} may mean {small} or {large}. Write {small} or {large}.")
    if _THOUSANDS.fullmatch(words):
        return Decimal(words.replace(",", ""))
    if "," in words:
        raise Unclear(f"{text!r} has a comma that separates no thousands. Write decimals with a point, like 0.5.")
    if not _PLAIN.fullmatch(words.removeprefix("-")):
        raise _no_amount(text)
    return Decimal(words)
