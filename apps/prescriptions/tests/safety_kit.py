"""The seed's knowledge and drugs without a database, and short ways to write a line, an active medicine and an allergy."""

import csv
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from apps.prescriptions.catalogue import rxnorm_names
from apps.prescriptions.catalogue.rxnorm_names import ReadName
from apps.prescriptions.dosing import conversions, regimens
from apps.prescriptions.dosing.regimens import SentLine
from apps.prescriptions.dosing.values import Product
from apps.prescriptions.safety import engine, names, tables
from apps.prescriptions.safety.facts import Allergy, Chart, Medicine, Person, Pregnant, Verdict
from apps.prescriptions.safety.knowledge import Knowledge

_DATA = Path(__file__).parents[1] / "data"
TODAY = date(2026, 9, 30)
ADULT = Person(age_days=45 * 365, sex="male")
_keys = count(1)


def _rows(table: str) -> list[dict[str, str]]:
    with (_DATA / f"{table}.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def drugs() -> dict[str, tuple[ReadName, tuple[str, ...], tuple[str, ...]]]:
    """Returns the seed's drugs by the name in RxNorm's form in small letters: as read, ingredients, brands."""
    drugs = {}
    for row in _rows("drugs"):
        read = rxnorm_names.read(row["name"])
        ingredients = tuple(one.strip() for one in row["ingredients"].split(";") if one.strip()) or read.ingredients
        brands = [one.strip() for one in row["brands"].split(";")] + [read.brand]
        drugs[row["name"].lower()] = (read, ingredients, tuple(filter(None, brands)))
    return drugs


@cache
def knowledge() -> Knowledge:
    """Returns the knowledge of the seed, with the brands and ingredients of the seed's drugs."""
    catalogue = {one: (one,) for _, ingredients, _ in drugs().values() for one in ingredients}
    for _, ingredients, brands in drugs().values():
        for brand in brands:
            catalogue.setdefault(brand.lower(), ingredients)
    return tables.read("seed", {table: _rows(table) for table in tables.TABLES}, catalogue)


def product(name: str) -> Product:
    """Returns a drug of the seed by the beginning of its name."""
    full = next(one for one in drugs() if one.startswith(name.lower()))
    read, ingredients, _ = drugs()[full]
    return Product(
        uuid5(NAMESPACE_OID, full), read.display, read.form.name, read.form.route, read.form.unit, ingredients, read.strengths
    )


def line(drug: str, dosage: str = "", frequency: str = "", duration: str = "", **more: object) -> Medicine:
    """Returns a new line, or with `since`, `ends` and `days` an active medicine."""
    chosen = product(drug)
    regimen = regimens.read(SentLine(dosage=dosage, frequency=frequency, duration=duration), chosen).regimen
    return Medicine(
        key=f"line {next(_keys)}",
        name=chosen.name,
        ingredients=frozenset(chosen.ingredients),
        route=chosen.route,
        regimen=regimen,
        per_dose=conversions.per_dose(regimen, chosen),
        per_day=conversions.per_day(regimen, chosen),
        product=chosen,
        **more,  # type: ignore[arg-type]  # fields of a medicine
    )


def recorded(text: str, since: date | None = None, **more: object) -> Medicine:
    """Returns an active medicine that the chart has only as a text."""
    meaning = names.meaning(text, knowledge())
    return Medicine(key=f"entry {next(_keys)}", name=text, ingredients=meaning.means, since=since, **more)  # type: ignore[arg-type]  # fields of a medicine


def allergy(text: str, **more: object) -> Allergy:
    """Returns an allergy that the chart has as a text."""
    meaning = names.meaning(text, knowledge())
    return Allergy(key=text, text=text, means=meaning.means, rest=meaning.rest, **more)  # type: ignore[arg-type]  # fields of an allergy


def chart(*entries: Allergy | Medicine, person: Person = ADULT, asked: bool = True, today: date = TODAY) -> Chart:
    """Returns a chart with these allergies and active medicines."""
    return Chart(
        today=today,
        person=person,
        allergies_asked=asked,
        allergies=tuple(one for one in entries if isinstance(one, Allergy)),
        medicines=tuple(one for one in entries if isinstance(one, Medicine)),
    )


def check(lines: Medicine | list[Medicine], about: Chart | None = None) -> Verdict:
    """Returns the verdict on one line or several."""
    return engine.check([lines] if isinstance(lines, Medicine) else lines, about or chart(), knowledge())


def child(years: float, kilograms: str | None = None, weighed: date = TODAY) -> Person:
    """Returns a child, with a weight if one is given."""
    weight = (Decimal(kilograms), weighed) if kilograms else None
    return Person(age_days=int(years * 365.25), sex="female", weight=weight)


def woman(pregnant: Pregnant = Pregnant.NOT_ASKED) -> Person:
    """Returns a woman of 30."""
    return Person(age_days=30 * 365, sex="female", weight=(Decimal(60), TODAY), pregnant=pregnant)
