"""The catalogue: loading, adding and changing drugs, and searching them."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.access.actor import SYSTEM
from apps.common.errors import Invalid, NotFound
from apps.common.ids import new_id
from apps.events.models import OutboxEvent
from apps.prescriptions.catalogue import search, selectors
from apps.prescriptions.catalogue.services import keeping, loading
from apps.prescriptions.catalogue.services.keeping import DrugExists, NewDrug
from apps.prescriptions.dosing.values import Amount, Strength
from apps.prescriptions.models import Brand, Drug, DrugIngredient, DrugWord, Ingredient
from apps.prescriptions.tests import factories

pytestmark = pytest.mark.django_db
HEADER = "rxcui,name,ingredients,brands,schedule,use,source\n"


def _found(text: str, **more: bool) -> list[str]:
    return [row.name for row in search.find(visible_to=SYSTEM, text=text, **more).rows]


def test_the_seed_loads_once_and_whole() -> None:
    first, second = loading.load_seed(), loading.load_seed()

    assert (first.known, second.added, second.known) == (0, 0, first.added)
    assert Drug.objects.count() == first.added
    offered = Drug.objects.filter(is_offered=True)
    assert offered.exclude(form="").exclude(unit="").count() == offered.count()
    assert OutboxEvent.objects.filter(name="drug.loaded").count() == 1


def test_every_drug_of_the_seed_that_is_offered_has_an_ingredient() -> None:
    loading.load_seed()

    with_ingredient = DrugIngredient.objects.values("drug")
    assert not Drug.objects.filter(is_offered=True).exclude(pk__in=with_ingredient).exists()


def test_the_number_of_statements_does_not_grow_with_the_file() -> None:
    lines = [f",Drug{place} 10 MG Oral Tablet,,,,,test\n" for place in range(200)]
    few, many = loading.read_csv([HEADER, *lines[:2]]), loading.read_csv([HEADER, *lines[2:]])

    with CaptureQueriesContext(
        connection,
    ) as for_few:
        loading.load(drugs=few)
    with CaptureQueriesContext(connection) as for_many:
        loading.load(drugs=many)

    assert len(for_many) == len(for_few)


def test_a_brand_stands_for_each_of_its_ingredients() -> None:
    factories.catalogue()

    augmentin = Brand.objects.get(key="augmentin")
    assert sorted(one.name for one in augmentin.ingredients.all()) == ["amoxicillin", "clavulanate"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (",,,,,,test", "Write the name of the drug"),
        ("12x,Lisinopril 10 MG Oral Tablet,,,,,test", "rxcui is a number"),
        (",Lisinopril 10 MG Oral Tablet,,,VI,,test", "schedule must be"),
        (",Lisinopril 10 MG Oral Tablet,,,,,", "Say in source"),
        (",Lisinopril 10 MG Oral Tablet,,,,blood, pressure,test", "Has another number of columns"),
        (",Lisinopril 10 MG Oral Tablet", "Has another number of columns"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_loaded(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "drugs.csv"
    file.write_text(f"{HEADER},Ramipril 5 MG Oral Capsule,,,,,test\n{line}\n")

    with pytest.raises(CommandError, match=rf"line 3: {says}"):
        call_command("load_drugs", str(file))

    assert not Drug.objects.exists()


def test_a_drug_that_is_twice_in_a_file_is_refused() -> None:
    with pytest.raises(Invalid, match="Invalid") as refused:
        loading.read_csv([HEADER, "7,Ramipril 5 MG Oral Capsule,,,,,test\n", "7,ramipril 5 mg oral capsule,,,,,test\n"])

    assert [one["field"] for one in refused.value.details["errors"]] == ["line 3"]


def test_another_header_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        loading.read_csv(["name,strength\n", "Ramipril,5 mg\n"])

    assert refused.value.details["field"] == "line 1"


def test_the_command_says_what_it_added() -> None:
    output = io.StringIO()

    call_command("load_drugs", stdout=output)

    assert output.getvalue().startswith(f"Added {Drug.objects.count()} drugs")


def test_a_changed_drug_keeps_its_changes_when_the_file_is_loaded_again() -> None:
    loading.load_seed()
    row = Drug.objects.get(rxnorm_name="Lisinopril 10 MG Oral Tablet")
    keeping.change_drug(by=SYSTEM, drug_id=row.pk, changes={"use": "high blood pressure"})

    loading.load_seed()

    row.refresh_from_db()
    assert row.use == "high blood pressure"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("lisinopril", "lisinopril 10 mg tablet"),
        ("Zestril", "lisinopril 10 mg tablet"),
        ("amox 500", "amoxicillin 500 mg capsule"),
        ("500 amox", "amoxicillin 500 mg capsule"),
        ("augmentin", "amoxicillin/clavulanate 875 mg / 125 mg tablet"),
        ("hydroxyzine", "hydrOXYzine 25 mg tablet"),
        ("hydralazine", "hydrALAZINE 25 mg tablet"),
        ("metf", "metFORMIN 500 mg tablet"),
        ("METRO", "metroNIDAZOLE 500 mg tablet"),
    ],
)
def test_a_drug_is_found_by_the_beginnings_of_its_words(text: str, first: str) -> None:
    factories.catalogue()

    assert _found(text)[0] == first


@pytest.mark.parametrize(
    ("text", "meant"), [("amoxicilin", "amoxicillin"), ("lisinipril", "lisinopril"), ("hydroxizine", "hydrOXYzine")]
)
def test_a_misspelt_drug_is_found_and_marked(text: str, meant: str) -> None:
    factories.catalogue()

    result = search.find(visible_to=SYSTEM, text=text)
    assert result.fuzzy
    assert result.rows[0].name.startswith(meant)


def test_no_look_alike_is_above_an_exact_beginning() -> None:
    factories.catalogue()

    assert _found("met") == ["metFORMIN 500 mg tablet", "metoprolol 50 mg tablet", "metroNIDAZOLE 500 mg tablet"]
    assert not search.find(visible_to=SYSTEM, text="hydroxyzine").fuzzy
    assert _found("hydroxyzine") == ["hydrOXYzine 25 mg tablet"]


@pytest.mark.parametrize("text", ["qqqqqqqq", "???", "lisinopril 999"])
def test_what_no_drug_has_finds_none(text: str) -> None:
    factories.catalogue()

    assert _found(text) == []


def test_a_drug_that_is_not_offered_is_found_only_when_asked_for() -> None:
    factories.catalogue()

    assert _found("simvastatin") == []
    assert _found("simvastatin", with_not_offered=True) == ["simvastatin 10 mg"]


def test_a_drug_cannot_be_added_twice() -> None:
    factories.add_drug(rxcui="12345")

    for new in (NewDrug(name="Ramipril 5 MG Oral Capsule"), NewDrug(name="Quinapril 5 MG Oral Tablet", rxcui="12345")):
        with pytest.raises(DrugExists):
            keeping.add_drug(by=SYSTEM, new=new)


@pytest.mark.parametrize("name", ["Ramipril 5 MG", "Ramipril", "Ramipril Oral Capsule"])
def test_a_name_without_strength_or_form_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        factories.add_drug(name)

    assert refused.value.details["field"] == "name"
    assert not Drug.objects.exists()


def test_a_drug_without_a_form_cannot_be_offered() -> None:
    row = factories.catalogue()["simvastatin 10 mg"]

    with pytest.raises(Invalid) as refused:
        keeping.change_drug(by=SYSTEM, drug_id=row.pk, changes={"is_offered": True})
    with pytest.raises(IntegrityError), transaction.atomic():
        Drug.objects.filter(pk=row.pk).update(is_offered=True)

    assert refused.value.details["field"] == "is_offered"


def test_a_new_brand_is_found_and_announced() -> None:
    row = factories.add_drug()

    keeping.change_drug(by=SYSTEM, drug_id=row.pk, changes={"brand_names": ["Altace"]})

    assert _found("altace") == [row.name]
    assert OutboxEvent.objects.filter(name="drug.changed", payload__drug_id=str(row.pk)).count() == 1


def test_a_change_that_changes_nothing_announces_nothing() -> None:
    row = factories.add_drug(use="blood pressure")

    keeping.change_drug(by=SYSTEM, drug_id=row.pk, changes={"use": "blood pressure"})

    assert not OutboxEvent.objects.filter(name="drug.changed").exists()


def test_an_unknown_drug_is_not_found() -> None:
    with pytest.raises(NotFound):
        keeping.change_drug(by=SYSTEM, drug_id=new_id(), changes={"use": "pain"})
    with pytest.raises(NotFound):
        selectors.drug(SYSTEM, new_id())


def test_products_carry_what_dosing_needs_in_two_queries() -> None:
    rows = factories.catalogue()

    with CaptureQueriesContext(connection) as queries:
        products = selectors.products([row.pk for row in rows.values()])

    suspension = products[rows["amoxicillin 250 mg/5 mL oral suspension"].pk]
    assert len(queries) == 2
    assert suspension.strengths == (Strength("amoxicillin", Amount(250, "mg"), Amount(5, "mL")),)  # type: ignore[arg-type]  # equal to a Decimal
    assert (suspension.route, suspension.unit) == ("oral", "mL")


def test_the_database_keeps_a_strength_whole() -> None:
    row = factories.add_drug()
    part = DrugIngredient.objects.get(drug=row)

    for values in ({"amount": None}, {"per": 0}, {"amount": -1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            DrugIngredient.objects.filter(pk=part.pk).update(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        DrugIngredient.objects.create(drug=row, ingredient=part.ingredient)


def test_an_ingredient_and_a_word_are_stored_once() -> None:
    factories.add_drug()
    factories.add_drug("Ramipril 10 MG Oral Capsule")

    assert Ingredient.objects.filter(name="ramipril").count() == 1
    assert DrugWord.objects.filter(word="ramipril").count() == 1
