"""Doses: amounts, how often and how long, the sentence, and the quantity."""

from decimal import Decimal as D
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.prescriptions.dosing import amounts, conversions, quantities, regimens, timing
from apps.prescriptions.dosing.amounts import Unclear
from apps.prescriptions.dosing.quantities import Fit
from apps.prescriptions.dosing.regimens import ReadLine, SentLine
from apps.prescriptions.dosing.sentences import sentence
from apps.prescriptions.dosing.tall_man import tall_man
from apps.prescriptions.dosing.values import Amount, Dose, Product, Regimen, Strength


def _product(name: str, unit: str, *strengths: tuple[str, str, str], route: str = "oral") -> Product:
    """`strengths`: ingredient, amount, and in how much of the product: `("amoxicillin", "250 mg", "5 mL")`."""
    parts = tuple(Strength(one, amounts.read_amount(much), amounts.read_amount(per)) for one, much, per in strengths)
    return Product(UUID(int=1), name, unit, route, unit, tuple(one.ingredient for one in parts), parts)


METFORMIN = _product("metFORMIN 500 mg tablet", "tablet", ("metformin", "500 mg", "1 tablet"))
AMOXICILLIN = _product("amoxicillin 250 mg/5 mL suspension", "mL", ("amoxicillin", "250 mg", "5 mL"))
NORCO = _product(
    "HYDROcodone/acetaminophen", "tablet", ("hydrocodone", "5 mg", "1 tablet"), ("acetaminophen", "325 mg", "1 tablet")
)
CREAM = _product("ketoconazole 2 % cream", "g", ("ketoconazole", "20 mg", "1 g"), route="topical")


def _read(product: Product | None = METFORMIN, **sent: object) -> ReadLine:
    return regimens.read(SentLine(**sent), product)  # type: ignore[arg-type]  # the fields of a line


def _regimen(product: Product | None = METFORMIN, **sent: object) -> Regimen:
    read = _read(product, **sent)
    assert not read.problems
    return read.regimen


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        (".5 mg", "0.5 mg"),
        ("5.0 mg", "5 mg"),
        ("1,000 mg", "1,000 mg"),
        ("1000mg", "1,000 mg"),
        ("0.125 mg", "0.125 mg"),
        ("½ tablet", "half a tablet"),
        ("1/2 tablet", "half a tablet"),
        ("half a tablet", "half a tablet"),
        ("1 ½ tabs", "1 and a half tablets"),
        ("¼ tablet", "0.25 tablets"),
        ("10U", "10 units"),
        ("10 IU", "10 units"),
        ("50 µg", "50 mcg"),  # the micro sign
        ("50 μg", "50 mcg"),  # the Greek letter
        ("50 ug", "50 mcg"),
        ("5 cc", "5 mL"),
        ("one tablet", "1 tablet"),
        ("two puffs", "2 puffs"),
        ("10\u200b mg", "10 mg"),
        ("1-2 tablets", "1 to 2 tablets"),
        ("one or two tablets", "1 to 2 tablets"),
        ("500mg-1000mg", "500 to 1,000 mg"),
    ],
)
def test_an_amount_is_written_in_one_safe_way(typed: str, written: str) -> None:
    assert amounts.write_dose(amounts.read_dose(typed)) == written


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("1.000 mg", "may mean 1 or 1,000"),
        ("2.500 mg", "may mean 2.5 or 2,500"),
        ("0,5 mg", "decimals with a point"),
        ("1,00 mg", "decimals with a point"),
        ("0 mg", "above zero"),
        ("-1 mg", "above zero"),
        ("1e400 mg", "more than 9,999,999"),
        ("12345678 mg", "more than 9,999,999"),
        ("0.0000001 mg", "more than 6 decimals"),
        ("NaN mg", "is no amount"),
        ("5 mg/kg", "the amount for this patient"),
        ("2", "a number and its unit"),
        ("2 spoons", "is no known unit"),
        ("2-1 tablets", "begins with its larger end"),
        ("5 mg 5 mL", "is no amount"),
    ],
)
def test_an_amount_that_may_mean_two_things_is_refused(typed: str, says: str) -> None:
    with pytest.raises(Unclear, match=says):
        amounts.read_dose(typed)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    value=st.decimals(min_value=D("0.000001"), max_value=9_999_999, places=3).filter(lambda value: value > 0),
    unit=st.sampled_from(["mg", "mcg", "g", "mL", "unit", "tablet", "puff"]),
)
def test_what_is_written_is_read_as_the_same_amount(value: D, unit: str) -> None:
    written = amounts.write(Amount(value, unit))

    assert amounts.read_amount(written) == Amount(value, unit)


@pytest.mark.parametrize(
    ("typed", "written", "per_day"),
    [
        ("once daily", "once a day", D(1)),
        ("QD", "once a day", D(1)),
        ("b.i.d.", "twice a day", D(2)),
        ("three times daily", "3 times a day", D(3)),
        ("2x/day", "twice a day", D(2)),
        ("q6h", "every 6 hours", D(4)),
        ("every 4 to 6 hours", "every 4 to 6 hours", D(6)),
        ("every 6 hours as needed", "every 6 hours, as needed", D(4)),
        ("every other day", "every other day", D("0.5")),
        ("QOD", "every other day", D("0.5")),
        ("every 3 days", "every 3 days", D(1) / 3),
        ("weekly", "once a week", D(1) / 7),
        ("once weekly on Mondays", "once a week on Monday", D(1) / 7),
        ("three times a week", "3 times a week", D(3) / 7),
        ("at bedtime", "at bedtime", D(1)),
        ("PRN", "as needed", None),
    ],
)
def test_a_frequency_is_read_and_written_in_full(typed: str, written: str, per_day: D | None) -> None:
    frequency = timing.read_frequency(typed)

    assert frequency is not None
    assert (timing.write_frequency(frequency), frequency.per_day) == (written, per_day)


@pytest.mark.parametrize("typed", ["", "with food", "every 0 hours", "OD", "every 100 hours", "1000 times a day"])
def test_a_frequency_that_is_not_understood_is_none(typed: str) -> None:
    """OD is once daily to some and the right eye to others (ISMP's list)."""
    assert timing.read_frequency(typed) is None


@pytest.mark.parametrize(
    ("typed", "days"), [("30 days", 30), ("for 2 weeks", 14), ("1 month", 30), ("10d", 10), ("until finished", None), ("", None)]
)
def test_a_duration_is_read_in_days(typed: str, days: int | None) -> None:
    assert timing.read_days(typed) == days


def test_text_and_structure_fill_each_other_in() -> None:
    by_text = _regimen(dosage="1000 mg", frequency="twice a day", duration="7 days")
    by_structure = _regimen(dose_amount=D(1000), dose_unit="mg", doses=D(2), duration_days=7)

    assert by_text == by_structure
    assert sentence(by_text, METFORMIN) == "Take 2 tablets (1,000 mg) by mouth twice a day for 7 days."


def test_the_dosage_may_say_how_often_too() -> None:
    assert _regimen(dosage="1 tablet twice a day").frequency == _regimen(frequency="twice a day").frequency


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"dosage": "1 tablet", "dose_amount": D(2), "dose_unit": "tablets"}, {"dosage", "dose_amount"}),
        ({"dosage": "500 mg", "dose_amount": D(2), "dose_unit": "tablets"}, {"dosage", "dose_amount"}),
        ({"dosage": "1 tablet twice a day", "frequency": "once daily"}, {"dosage", "frequency"}),
        ({"frequency": "once daily", "doses": D(2)}, {"frequency", "doses"}),
        ({"duration": "7 days", "duration_days": 14}, {"duration", "duration_days"}),
        (
            {"dosage": "1 tablet", "frequency": "daily", "instructions": "take 2 tablets twice a day"},
            {"instructions", "dosage", "frequency"},
        ),
        ({"dosage": "1 tablet", "instructions": "Take with food. Take two tablets."}, {"instructions", "dosage"}),
        ({"dosage": "1.000 mg"}, {"dosage"}),
        ({"dosage": "0,5 mg"}, {"dosage"}),
        ({"dose_amount": D(1)}, {"dose_unit"}),
        ({"dose_amount": D(1), "dose_unit": "spoons"}, {"dose_unit"}),
        ({"dose_amount": D(2), "dose_amount_max": D(1), "dose_unit": "tablet"}, {"dose_amount_max"}),
        ({"per_days": D(7)}, {"doses"}),
    ],
)
def test_what_contradicts_itself_names_the_fields(sent: dict[str, object], fields: set[str]) -> None:
    assert {problem.field for problem in _read(METFORMIN, **sent).problems} == fields


@pytest.mark.parametrize(
    "instructions",
    [
        "Take with food",
        "Take with 240 mL of water",
        "Take 500 mg with breakfast",
        "Do not take more than 8 tablets a day",
        "Check your blood sugar twice a day",
        "Take 2 hours before the antacid",
        "",
    ],
)
def test_instructions_that_say_no_other_dose_pass(instructions: str) -> None:
    assert not _read(METFORMIN, dosage="1 tablet", frequency="once daily", instructions=instructions).problems


def test_a_liquid_is_shown_in_its_volume_and_its_mass() -> None:
    regimen = _regimen(AMOXICILLIN, dosage="10 mL", frequency="three times a day")

    assert sentence(regimen, AMOXICILLIN) == "Take 10 mL (500 mg) by mouth 3 times a day."
    assert conversions.per_day(regimen, AMOXICILLIN) == {"amoxicillin": Amount(D(1500), "mg")}


def test_milligrams_written_for_millilitres_are_noticed() -> None:
    slip, meant = amounts.read_amount("5 mg"), amounts.read_amount("250 mg")

    assert conversions.likely_dose(slip, AMOXICILLIN) == "5 mL (250 mg)"
    assert conversions.likely_dose(meant, AMOXICILLIN) == ""
    assert conversions.likely_dose(slip, METFORMIN) == ""


def test_a_dose_of_two_ingredients_is_known_by_the_tablet_and_not_by_the_mass() -> None:
    by_tablet = _regimen(NORCO, dosage="1-2 tablets", frequency="every 6 hours")

    assert conversions.per_day(by_tablet, NORCO) == {"hydrocodone": Amount(D(40), "mg"), "acetaminophen": Amount(D(2600), "mg")}
    assert conversions.per_day(_regimen(NORCO, dosage="10 mg", frequency="every 6 hours"), NORCO) == {}


def test_masses_convert_and_other_units_do_not_mix() -> None:
    assert conversions.converted(Amount(D("0.05"), "mg"), "mcg") == Amount(D(50), "mcg")
    assert conversions.converted(Amount(D(10), "unit"), "mg") is None


@pytest.mark.parametrize(
    ("product", "sent", "written"),
    [
        (METFORMIN, {"dosage": "as directed"}, "Use as directed."),
        (METFORMIN, {"frequency": "as directed", "instructions": "See the plan"}, "Use as directed. See the plan."),
        (METFORMIN, {"dosage": "1 tablet", "frequency": "as needed"}, "Take 1 tablet (500 mg) by mouth as needed."),
        (METFORMIN, {"dosage": "100 mg", "frequency": "daily"}, "Take 100 mg by mouth once a day."),  # a fifth of a tablet
        (CREAM, {"dosage": "1 g", "frequency": "BID"}, "Apply 1 g (20 mg) to the skin twice a day."),
        (None, {"dosage": "2 puffs", "frequency": "daily", "route": "inhalation"}, "Inhale 2 puffs once a day."),
        (None, {}, ""),
    ],
)
def test_the_sentence_says_what_the_structure_says(product: Product | None, sent: dict[str, str], written: str) -> None:
    assert sentence(_regimen(product, **sent), product, sent.get("instructions", "")) == written


def test_the_sentence_carries_the_instructions_in_full() -> None:
    instructions = f"{'Keep it cool. ' * 280}No end"

    assert sentence(_regimen(dosage="1 tablet"), METFORMIN, instructions).endswith(f"{instructions}.")


@pytest.mark.parametrize(
    ("sent", "quantity", "fit", "needed"),
    [
        ({"dosage": "1000 mg", "frequency": "three times a day", "duration": "7 days"}, 42, Fit.FITS, 42),
        ({"dosage": "1 tablet", "frequency": "once daily", "duration": "30 days"}, 90, Fit.MISMATCH, 30),
        ({"dosage": "1 tablet", "frequency": "once daily", "duration": "30 days"}, 28, Fit.FITS, 30),
        ({"dosage": "1 tablet", "frequency": "once daily", "duration": "30 days"}, 150, Fit.FAR_OFF, 30),
        ({"dosage": "1 tablet", "frequency": "once daily", "duration": "30 days"}, 6, Fit.FAR_OFF, 30),
        ({"dosage": "1 tablet", "frequency": "every 3 days", "duration": "9 days"}, 3, Fit.FITS, 3),
        ({"dosage": "1 tablet", "frequency": "as needed", "duration": "30 days"}, 90, Fit.UNKNOWN, None),
        ({"dosage": "1 tablet", "frequency": "every 6 hours as needed", "duration": "5 days"}, 90, Fit.UNKNOWN, None),
        ({"dosage": "1 tablet", "frequency": "once daily"}, 90, Fit.UNKNOWN, None),
        ({"dosage": "as directed", "duration": "30 days"}, 90, Fit.UNKNOWN, None),
    ],
)
def test_the_quantity_is_compared_with_dose_and_duration(
    sent: dict[str, str], quantity: int, fit: Fit, needed: int | None
) -> None:
    verdict = quantities.check(D(quantity), _regimen(METFORMIN, **sent), METFORMIN)

    assert verdict == quantities.QuantityCheck(fit, Amount(D(needed), "tablet") if needed else None)


def test_a_liquid_is_counted_in_tenths_of_a_millilitre() -> None:
    regimen = _regimen(AMOXICILLIN, dosage="0.1 mL", frequency="three times a day", duration="1 day")

    assert quantities.expected(regimen, AMOXICILLIN) == Amount(D("0.3"), "mL")


def test_the_days_that_a_quantity_lasts_follow_from_the_dose() -> None:
    assert quantities.days_supply(D(30), _regimen(dosage="2 tablets", frequency="once daily"), METFORMIN) == D("15.00")
    assert quantities.days_supply(D(30), _regimen(dosage="2 tablets", frequency="as needed"), METFORMIN) is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("hydroxyzine 25 mg tablet", "hydrOXYzine 25 mg tablet"),
        ("Hydralazine", "hydrALAZINE"),
        ("hydrocodone/acetaminophen", "HYDROcodone/acetaminophen"),
        ("metformin and metronidazole", "metFORMIN and metroNIDAZOLE"),
        ("lisinopril 10 mg", "lisinopril 10 mg"),
    ],
)
def test_look_alike_names_have_tall_man_letters(name: str, shown: str) -> None:
    assert tall_man(name) == shown


def test_a_dose_that_the_product_cannot_measure_keeps_its_mass() -> None:
    assert conversions.in_product_units(Amount(D(10), "unit"), METFORMIN) is None
    assert _regimen(dosage="10 units").dose == Dose(Amount(D(10), "unit"), Amount(D(10), "unit"))
