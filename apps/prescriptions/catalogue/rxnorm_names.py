"""A drug's ingredients, strengths, form and route from its name in RxNorm's form. Pure.

    Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet [Augmentin]

A name is: each ingredient with its strength, the dose form, and the brand in brackets. What comes before the first ingredient is
how long a dose acts (`24 HR`) or what a container holds (`10 ML`, `200 ACTUAT`). From RxNorm's technical documentation (NLM).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from apps.prescriptions.dosing import conversions
from apps.prescriptions.dosing.amounts import write
from apps.prescriptions.dosing.values import Amount, Strength


@dataclass(frozen=True)
class DoseForm:
    """A dose form as the catalogue writes it, how it is given, and what it is counted in when it is dispensed."""

    name: str
    route: str
    unit: str


_FORMS: Mapping[str, DoseForm] = {
    words: DoseForm(name, route, unit)
    for words, name, route, unit in (
        ("delayed release oral tablet", "delayed-release tablet", "oral", "tablet"),
        ("extended release oral tablet", "extended-release tablet", "oral", "tablet"),
        ("disintegrating oral tablet", "disintegrating tablet", "oral", "tablet"),
        ("chewable tablet", "chewable tablet", "oral", "tablet"),
        ("sublingual tablet", "sublingual tablet", "sublingual", "tablet"),
        ("oral tablet", "tablet", "oral", "tablet"),
        ("delayed release oral capsule", "delayed-release capsule", "oral", "capsule"),
        ("extended release oral capsule", "extended-release capsule", "oral", "capsule"),
        ("oral capsule", "capsule", "oral", "capsule"),
        ("oral suspension", "oral suspension", "oral", "mL"),
        ("oral solution", "oral solution", "oral", "mL"),
        ("metered dose inhaler", "inhaler", "inhalation", "puff"),
        ("dry powder inhaler", "powder inhaler", "inhalation", "puff"),
        ("inhalation solution", "solution for inhalation", "inhalation", "mL"),
        ("nasal spray", "nasal spray", "nasal", "spray"),
        ("mucosal spray", "spray", "sublingual", "spray"),
        ("topical cream", "cream", "topical", "g"),
        ("topical gel", "gel", "topical", "g"),
        ("topical ointment", "ointment", "topical", "g"),
        ("ophthalmic solution", "eye drops", "ophthalmic", "mL"),
        ("otic solution", "ear drops", "otic", "mL"),
        ("transdermal system", "patch", "transdermal", "patch"),
        ("rectal suppository", "suppository", "rectal", "suppository"),
        ("vaginal ring", "vaginal ring", "vaginal", "ring"),
        ("intrauterine system", "intrauterine system", "intrauterine", "device"),
        ("drug implant", "implant", "subcutaneous", "device"),
        ("pen injector", "pen", "subcutaneous", "mL"),
        ("auto-injector", "auto-injector", "intramuscular", "mL"),
        ("prefilled syringe", "prefilled syringe", "subcutaneous", "mL"),
        ("injectable suspension", "injection", "subcutaneous", "mL"),
        ("injectable solution", "injection", "intravenous", "mL"),
        ("injection", "injection", "intravenous", "mL"),
        ("day pack", "pack", "oral", "pack"),
    )
}
_NO_FORM = DoseForm("", "", "")
_UNITS: Mapping[str, str] = {"mg": "mg", "mcg": "mcg", "g": "g", "unt": "unit", "meq": "mEq", "ml": "mL"}
_PER: Mapping[str, str] = {"ml": "mL", "actuat": "puff", "mg": "mg", "g": "g"}
_SALTS = re.compile(
    r"\b(hydrochloride|hydrocholoride|sodium|potassium|calcium|maleate|sulfate|succinate|tartrate|bitartrate|hydrobromide|"
    r"propionate|acetate|mesylate|besylate|fumarate|phosphate|citrate|carbonate|magnesium|trihydrate|monohydrate|anhydrous)\b"
)
_BASES: Mapping[str, str] = {  # names that the salt is part of, and those with a usual shorter name
    "ferrous sulfate": "ferrous sulfate",
    "potassium chloride": "potassium chloride",
    "calcium carbonate": "calcium carbonate",
    "sodium bicarbonate": "sodium bicarbonate",
    "alendronic acid": "alendronate",
    "vitamin b 12": "cyanocobalamin",
    "nitrofurantoin, macrocrystals": "nitrofurantoin",
    "regular insulin, human": "insulin regular",
    "insulin human, isophane": "insulin isophane",
    "simvistatin": "simvastatin",  # a misspelling in Synthea's data
}
_SPOON = Decimal(5)  # mL
_BRAND = re.compile(r"\s*\[([^\]]+)\]\s*$")
_LEAD = re.compile(r"^(?:(?:abuse-deterrent|nda\d+|[\d.]+ ?(?:hr|ml|actuat|day))\s+)+", re.IGNORECASE)
_PART = re.compile(
    r"^(?P<name>.+?)\s+(?P<amount>\d[\d.,]*)\s*(?P<unit>MG|MCG|G|UNT|MEQ|ML)\b(?:/(?P<per>ML|ACTUAT|HR|MG|G)\b)?(?P<rest>.*)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ReadName:
    """What a name says. `form.name` is empty for a name without a dose form; `strengths` may be fewer than the ingredients."""

    ingredients: tuple[str, ...]
    strengths: tuple[Strength, ...]
    form: DoseForm
    brand: str

    @property
    def generic_name(self) -> str:
        return "/".join(self.ingredients)

    @property
    def strength(self) -> str:
        return strength_text(self.strengths)

    @property
    def display(self) -> str:
        """Returns the name as pages show it: `amoxicillin/clavulanate 250 mg / 125 mg tablet`."""
        return " ".join(filter(None, (self.generic_name, self.strength, self.form.name)))


def read(name: str) -> ReadName:
    """Returns what a name in RxNorm's form says of the drug."""
    text = " ".join(name.replace("\u200b", "").split())
    brand = _BRAND.search(text)
    text = _LEAD.sub("", _BRAND.sub("", text))
    form = next((form for words, form in _FORMS.items() if text.lower().endswith(words)), _NO_FORM)
    parts = [_part(part) for part in text.split(" / ")]
    ingredients = tuple(dict.fromkeys(base(part[0]) for part in parts if part[0]))
    if form.unit == "mL" and not any(per for _, amount, per in parts if amount is not None):
        form = replace(form, unit="vial")  # a powder, or a container that is used up at once
    strengths = tuple(_strength(base(one), amount, per, form) for one, amount, per in parts if amount is not None)
    if form.name and not strengths:  # a brand with a form: what it contains is not in the name
        ingredients = ()
    return ReadName(ingredients, strengths, form, brand[1] if brand else "")


def base(name: str) -> str:
    """Returns the ingredient without its salt, in small letters: `Metformin hydrochloride` is `metformin`."""
    words = " ".join(name.lower().split())
    if words in _BASES:
        return _BASES[words]
    return " ".join(_SALTS.sub(" ", words).split()) or words


def _part(text: str) -> tuple[str, Amount | None, str]:
    """Returns the ingredient, its amount, and in what: `("Ampicillin", 100 mg, "ML")`."""
    match = _PART.match(text)
    if match is None:
        words = next((words for words in _FORMS if text.lower().endswith(words)), "")
        return text[: len(text) - len(words)].strip(), None, ""
    amount = Amount(Decimal(match["amount"].replace(",", "")), _UNITS[match["unit"].lower()])
    return match["name"], amount, (match["per"] or "").lower()


def _strength(ingredient: str, amount: Amount, per: str, form: DoseForm) -> Strength:
    """Without "per", the amount is in one unit of the product. Liquids by mouth are given by the spoon of 5 mL, as labels do."""
    unit = form.unit if not per or per in ("hr", "actuat") else _PER[per]
    if unit == "mL" and form.route == "oral":
        return Strength(ingredient, _readable(Amount(amount.value * _SPOON, amount.unit)), Amount(_SPOON, unit))
    return Strength(ingredient, _readable(amount), Amount(Decimal(1), unit or "dose"))


def _readable(amount: Amount) -> Amount:
    """Returns less than a tenth of a milligram in micrograms, as labels write it."""
    small = conversions.converted(amount, "mcg") if amount.unit == "mg" and amount.value < Decimal("0.1") else None
    shown = small or amount
    return Amount(shown.value.normalize(), shown.unit)


def strength_text(strengths: tuple[Strength, ...]) -> str:
    """Returns the strengths as the catalogue writes them: `10 mg`, `50 mg/mL`, `5 mg / 325 mg`."""
    return " / ".join(_strength_text(one) for one in strengths)


def _strength_text(strength: Strength) -> str:
    if strength.per.unit in ("mL", "g"):
        per = strength.per.unit if strength.per.value == 1 else write(strength.per)
        return f"{write(strength.amount)}/{per}"
    return write(strength.amount)
