"""RxNorm's files: one drug for each RxCUI, its ingredients through its components, all or nothing."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.events.models import OutboxEvent
from apps.prescriptions.catalogue import rxnorm_files
from apps.prescriptions.catalogue.services.keeping import NewDrug
from apps.prescriptions.models import Brand, Drug, DrugIngredient

pytestmark = pytest.mark.django_db
NAMES = [  # RxCUI, type, name, suppress
    ("6809", "IN", "Metformin", "N"),
    ("29046", "IN", "Lisinopril", "N"),
    ("5487", "IN", "Hydrochlorothiazide", "N"),
    ("2193", "IN", "Ceftriaxone", "N"),
    ("151827", "BN", "Zestoretic", "N"),
    ("316151", "SCDC", "Lisinopril 10 MG", "N"),
    ("316047", "SCDC", "Hydrochlorothiazide 12.5 MG", "N"),
    ("316255", "SCDC", "Metformin hydrochloride 500 MG", "N"),
    ("314076", "SCD", "Lisinopril 10 MG Oral Tablet", "N"),
    ("314076", "SY", "Lisinopril 10 MG Oral Tab", "N"),
    ("314076", "PSN", "lisinopril 10 MG Oral Tablet", "N"),
    ("197885", "SCD", "Hydrochlorothiazide 12.5 MG / Lisinopril 10 MG Oral Tablet", "N"),
    ("823971", "SBD", "Hydrochlorothiazide 12.5 MG / Lisinopril 10 MG Oral Tablet [Zestoretic]", "N"),
    ("861007", "SCD", "Metformin hydrochloride 500 MG Oral Tablet\u200b", "O"),
    ("311041", "SCD", "Insulin glargine 100 UNT/ML Injectable Solution", "Y"),
    ("999999", "SCD", "Orphan 5 MG Oral Tablet", "N"),
]
RELATIONS = [  # of, relation, to
    ("314076", "consists_of", "316151"),
    ("316151", "has_ingredient", "29046"),
    ("197885", "consists_of", "316151"),
    ("197885", "consists_of", "316047"),
    ("316047", "has_ingredient", "5487"),
    ("823971", "tradename_of", "197885"),
    ("823971", "has_ingredient", "151827"),
    ("861007", "consists_of", "316255"),
    ("316255", "has_ingredient", "6809"),
    ("314076", "isa", "197885"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The three files of a small release, with rows of other sources among them."""
    rows = [_row(18, {0: one, 1: "ENG", 11: "RXNORM", 12: kind, 14: name, 16: suppress}) for one, kind, name, suppress in NAMES]
    rows.append(_row(18, {0: "314076", 11: "MTHSPL", 12: "DP", 14: "LISINOPRIL", 16: "N"}))
    (tmp_path / "RXNCONSO.RRF").write_text("".join(rows))
    (tmp_path / "RXNREL.RRF").write_text("".join(_row(16, {0: to, 4: of, 7: relation}) for of, relation, to in RELATIONS))
    (tmp_path / "RXNSAT.RRF").write_text(
        _row(13, {0: "999999", 8: "DCSA", 10: "CIV"}) + _row(13, {0: "314076", 8: "NDC", 10: "1"})
    )
    return tmp_path


def _row(count: int, fields: dict[int, str]) -> str:
    return "".join(f"{fields.get(place, '')}|" for place in range(count)) + "\n"


def _drugs(folder: Path) -> dict[str, NewDrug]:
    return {drug.rxcui: drug for drug in rxnorm_files.read(folder)}


def test_each_rxcui_is_one_drug_whatever_its_names(folder: Path) -> None:
    assert set(_drugs(folder)) == {"314076", "197885", "823971", "861007", "311041", "999999"}
    assert _drugs(folder)["314076"].name == "Lisinopril 10 MG Oral Tablet"


def test_a_drug_reaches_its_ingredients_through_its_components(folder: Path) -> None:
    assert _drugs(folder)["197885"].ingredients == ("hydrochlorothiazide", "lisinopril")


def test_a_branded_drug_has_the_ingredients_of_the_generic_one(folder: Path) -> None:
    branded = _drugs(folder)["823971"]

    assert (branded.ingredients, branded.brand_names) == (("hydrochlorothiazide", "lisinopril"), ("Zestoretic",))


def test_the_release_is_loaded_with_strengths_brands_and_schedules(folder: Path) -> None:
    call_command("load_rxnorm", folder)

    zestoretic = Drug.objects.get(rxcui="823971")
    assert zestoretic.name == "hydroCHLOROthiazide/lisinopril 12.5 mg / 10 mg tablet"
    assert sorted(one.name for one in Brand.objects.get(key="zestoretic").ingredients.all()) == [
        "hydrochlorothiazide",
        "lisinopril",
    ]
    strengths = DrugIngredient.objects.filter(drug=zestoretic).values_list("ingredient__name", "amount", "amount_unit")
    assert {(name, float(amount), unit) for name, amount, unit in strengths} == {
        ("hydrochlorothiazide", 12.5, "mg"),
        ("lisinopril", 10, "mg"),
    }
    assert Drug.objects.get(rxcui="999999").schedule == "IV"


def test_suppressed_drugs_are_readable_and_not_offered(folder: Path) -> None:
    call_command("load_rxnorm", folder)

    assert set(Drug.objects.filter(is_offered=False).values_list("rxcui", flat=True)) == {"861007", "311041", "999999"}
    assert Drug.objects.get(rxcui="861007").name == "metFORMIN 500 mg tablet"


def test_a_drug_without_an_ingredient_is_stored_without_one(folder: Path) -> None:
    call_command("load_rxnorm", folder)

    assert not DrugIngredient.objects.filter(drug__rxcui="999999").exists()


def test_a_drug_that_is_withdrawn_in_a_later_release_is_no_longer_offered(folder: Path) -> None:
    call_command("load_rxnorm", folder)
    names = folder / "RXNCONSO.RRF"
    names.write_text(names.read_text().replace("Lisinopril 10 MG Oral Tablet||N|", "Lisinopril 10 MG Oral Tablet||O|"))

    call_command("load_rxnorm", folder)

    assert Drug.objects.get(rxcui="314076").is_offered is False
    assert Drug.objects.count() == 6
    announced = OutboxEvent.objects.filter(name="drug.loaded").order_by("occurred_at").last()
    assert announced is not None
    assert (announced.payload["drugs"], announced.payload["withdrawn"]) == (0, 2)  # lisinopril alone, and in a combination


@pytest.mark.parametrize("name", ["RXNCONSO.RRF", "RXNREL.RRF", "RXNSAT.RRF"])
def test_a_file_that_was_cut_off_loads_nothing(folder: Path, name: str) -> None:
    content = (folder / name).read_text()
    (folder / name).write_text(content[:-4])

    with pytest.raises(CommandError, match=rf"{name}, line {len(content.splitlines())}: Must have"):
        call_command("load_rxnorm", folder)

    assert not Drug.objects.exists()


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "RXNSAT.RRF").unlink()

    with pytest.raises(CommandError, match=r"RXNSAT.RRF: Cannot be read"):
        call_command("load_rxnorm", folder)
