"""Adds drugs to the catalogue and changes what a pharmacy may change of one: brands, schedule, use, whether it is offered."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.access.actor import Actor
from apps.common import text
from apps.common.errors import Conflict, Invalid, NotFound
from apps.events.services import emit
from apps.prescriptions.catalogue import rxnorm_names, words
from apps.prescriptions.catalogue.rxnorm_names import ReadName
from apps.prescriptions.dosing.tall_man import tall_man
from apps.prescriptions.events import DrugAdded, DrugChanged
from apps.prescriptions.models import Brand, Drug, DrugIngredient, DrugWord, Ingredient


class DrugExists(Conflict):
    message = "The catalogue already has a drug with this name or RxCUI. Change that one."


@dataclass(frozen=True, kw_only=True)
class NewDrug:
    """A drug by its name in RxNorm's form, from which strength, form and route are read.

    `ingredients` are named where the name has only a brand. `source` says where it comes from. With `is_complete` the drug has no
    other ingredients than those named, none too; one that `is_withdrawn` is readable and not offered.
    """

    name: str
    rxcui: str = ""
    ingredients: Sequence[str] = ()
    brand_names: Sequence[str] = ()
    schedule: str = ""
    use: str = ""
    source: str = "entered by the pharmacy"
    is_complete: bool = False
    is_withdrawn: bool = False


@transaction.atomic
def add_drug(*, by: Actor, new: NewDrug) -> Drug:
    """Adds a drug that can be prescribed. Raises Invalid (no form or no strength can be read), DrugExists."""
    read = rxnorm_names.read(new.name)
    if not read.form.name:
        raise Invalid(field="name", issue="End the name with the dose form, like Lisinopril 10 MG Oral Tablet.")
    if not read.strengths and not new.ingredients:
        raise Invalid(field="name", issue="Write each ingredient with its strength, like Lisinopril 10 MG Oral Tablet.")
    try:
        with transaction.atomic():
            row = store([new])[0]
    except IntegrityError as clash:
        raise DrugExists from clash
    emit(DrugAdded(drug_id=row.pk), by=by)
    return row


@transaction.atomic
def change_drug(*, by: Actor, drug_id: UUID, changes: dict[str, Any]) -> Drug:
    """Changes `brand_names`, `schedule`, `use` or `is_offered`. Another strength or form is another drug.

    Raises NotFound, and Invalid for a request to offer a drug whose form or ingredients are not known.
    """
    row = Drug.objects.visible_to(by).select_for_update().filter(pk=drug_id).first()
    if row is None:
        raise NotFound("There is no such drug.")
    if changes.get("is_offered") and not (row.form and DrugIngredient.objects.filter(drug=row).exists()):
        raise Invalid(field="is_offered", issue="A drug without a dose form or an ingredient cannot be prescribed.")
    changed = row.amend(**changes)
    if changed:
        Drug.objects.filter(pk=row.pk).update(words=words.vector(_texts(row)))
        _remember_words([row])
        parts = DrugIngredient.objects.filter(drug=row).select_related("ingredient")
        _remember_brands([(row, [one.ingredient for one in parts])])
        emit(DrugChanged(drug_id=row.pk, changes=tuple(changed)), by=by)
    return row


def store(drugs: Sequence[NewDrug], ids: Mapping[str, UUID] | None = None) -> list[Drug]:
    """Inserts the drugs as their names read, without a check; `ids` by name, for samples. One without a form or an ingredient is
    not offered. A fixed number of statements."""
    read = [rxnorm_names.read(new.name) for new in drugs]
    named = [_named(new, one) for new, one in zip(drugs, read, strict=True)]
    ingredients = _ingredients({name for names in named for name in names})
    rows = [_row(new, one, names, ids or {}) for new, one, names in zip(drugs, read, named, strict=True)]
    Drug.objects.bulk_create(rows)
    DrugIngredient.objects.bulk_create(
        _part(row, ingredients[name], one) for row, one, names in zip(rows, read, named, strict=True) for name in names
    )
    _remember_words(rows)
    _remember_brands([(row, [ingredients[name] for name in names]) for row, names in zip(rows, named, strict=True)])
    return rows


def _named(new: NewDrug, read: ReadName) -> tuple[str, ...]:
    sent = tuple(dict.fromkeys(rxnorm_names.base(name) for name in new.ingredients))
    return sent if sent or new.is_complete else read.ingredients


def _row(new: NewDrug, read: ReadName, ingredients: Sequence[str], ids: Mapping[str, UUID]) -> Drug:
    brands = list(dict.fromkeys(filter(None, (*new.brand_names, read.brand))))
    generic, shown = "/".join(ingredients), (read.strength, read.form.name)
    row = Drug(
        rxcui=new.rxcui or None,
        rxnorm_name=text.clean_line(new.name),
        name=tall_man(" ".join(filter(None, (generic, *shown))) if ingredients else new.name),
        generic_name=generic,
        brand_names=brands,
        strength=read.strength,
        form=read.form.name,
        route=read.form.route,
        unit=read.form.unit,
        schedule=new.schedule,
        use=new.use,
        is_offered=bool(read.form.name and ingredients) and not new.is_withdrawn,
        source=new.source,
    )
    row.pk = ids.get(new.name, row.pk)
    row.words = words.vector(_texts(row))
    return row


def _ingredients(names: Collection[str]) -> dict[str, Ingredient]:
    Ingredient.objects.bulk_create([Ingredient(name=name) for name in sorted(names)], ignore_conflicts=True)
    return {one.name: one for one in Ingredient.objects.filter(name__in=names)}


def _part(drug: Drug, ingredient: Ingredient, read: ReadName) -> DrugIngredient:
    """Returns an ingredient of a drug, with its strength if the name gives it."""
    strength = next((one for one in read.strengths if one.ingredient == ingredient.name), None)
    if strength is None:
        return DrugIngredient(drug=drug, ingredient=ingredient)
    amount, per = strength.amount, strength.per
    known = {"amount": amount.value, "amount_unit": amount.unit, "per": per.value, "per_unit": per.unit}
    return DrugIngredient(drug=drug, ingredient=ingredient, **known)


def _texts(row: Drug) -> Iterable[str]:
    return (row.name, row.generic_name, *row.brand_names, row.rxnorm_name)


def _remember_words(rows: Iterable[Drug]) -> None:
    all_words = {word for row in rows for word in words.words(" ".join(_texts(row))) if word.isalpha()}
    DrugWord.objects.bulk_create([DrugWord(word=word) for word in sorted(all_words)], ignore_conflicts=True)


def _remember_brands(drugs: Iterable[tuple[Drug, Sequence[Ingredient]]]) -> None:
    """A brand means the ingredients of its first drug: `Augmentin` means amoxicillin and clavulanate."""
    named = {name.lower(): (name, parts) for row, parts in reversed(list(drugs)) if parts for name in row.brand_names}
    known = set(Brand.objects.filter(key__in=named).values_list("key", flat=True))
    new = {key: Brand(key=key, name=name) for key, (name, _) in sorted(named.items()) if key not in known}
    Brand.objects.bulk_create(new.values())
    of_brand = Brand.ingredients.through
    of_brand._default_manager.bulk_create(
        of_brand(brand_id=brand.pk, ingredient_id=part.pk) for key, brand in new.items() for part in named[key][1]
    )
