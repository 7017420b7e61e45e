"""What the name of a drug says: ingredients, strengths, form and route."""

from decimal import Decimal as D

import pytest

from apps.prescriptions.catalogue import rxnorm_names
from apps.prescriptions.dosing.values import Amount


@pytest.mark.parametrize(
    ("name", "shown", "route", "unit"),
    [
        ("Lisinopril 10 MG Oral Tablet", "lisinopril 10 mg tablet", "oral", "tablet"),
        (
            "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet",
            "metformin 500 mg extended-release tablet",
            "oral",
            "tablet",
        ),
        ("Amoxicillin 50 MG/ML Oral Suspension", "amoxicillin 250 mg/5 mL oral suspension", "oral", "mL"),
        ("10 ML Furosemide 10 MG/ML Injection", "furosemide 10 mg/mL injection", "intravenous", "mL"),
        ("Cisplatin 50 MG Injection", "cisplatin 50 mg injection", "intravenous", "vial"),
        ("200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", "albuterol 90 mcg inhaler", "inhalation", "puff"),
        ("Levothyroxine Sodium 0.075 MG Oral Tablet", "levothyroxine 75 mcg tablet", "oral", "tablet"),
        ("Digoxin 0.125 MG Oral Tablet", "digoxin 0.125 mg tablet", "oral", "tablet"),
        ("Ketoconazole 20 MG/G Topical Cream", "ketoconazole 20 mg/g cream", "topical", "g"),
        ("Insulin glargine 100 UNT/ML Pen Injector", "insulin glargine 100 units/mL pen", "subcutaneous", "mL"),
        ("ferrous sulfate 325 MG Oral Tablet", "ferrous sulfate 325 mg tablet", "oral", "tablet"),
        ("Penicillin V Potassium 250 MG Oral Tablet", "penicillin v 250 mg tablet", "oral", "tablet"),
        ("Simvistatin 10 MG\u200b", "simvastatin 10 mg", "", ""),  # misspelt in Synthea's data, without a form
    ],
)
def test_a_name_gives_strength_form_and_route(name: str, shown: str, route: str, unit: str) -> None:
    read = rxnorm_names.read(name)

    assert (read.display, read.form.route, read.form.unit) == (shown, route, unit)


def test_each_ingredient_has_its_own_strength_and_the_brand_is_apart() -> None:
    read = rxnorm_names.read("Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet [Augmentin]")

    assert read.ingredients == ("amoxicillin", "clavulanate")
    assert [one.amount for one in read.strengths] == [Amount(D(250), "mg"), Amount(D(125), "mg")]
    assert (read.brand, read.generic_name) == ("Augmentin", "amoxicillin/clavulanate")


def test_a_brand_does_not_say_what_it_contains() -> None:
    read = rxnorm_names.read("Ortho Tri-Cyclen 28 Day Pack")

    assert (read.ingredients, read.strengths, read.form.name) == ((), (), "pack")


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("Metformin hydrochloride", "metformin"),
        ("Alendronic acid", "alendronate"),
        ("Potassium chloride", "potassium chloride"),
        ("Regular Insulin, Human", "insulin regular"),
        ("Calcium", "calcium"),
    ],
)
def test_a_salt_counts_as_its_base(name: str, base: str) -> None:
    assert rxnorm_names.base(name) == base
