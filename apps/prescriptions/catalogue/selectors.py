"""Reads drugs with their ingredients and classes."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from apps.access.actor import Actor
from apps.common.errors import NotFound
from apps.prescriptions.dosing.values import Amount, Product, Strength
from apps.prescriptions.models import Drug, DrugIngredient, IngredientClass


@dataclass(frozen=True)
class DrugDetails:
    """A drug with its ingredients, in order of their names, and the classes of these."""

    row: Drug
    ingredients: tuple[DrugIngredient, ...]
    classes: tuple[str, ...]


def drug(by: Actor, drug_id: UUID) -> DrugDetails:
    """Returns the drug. Raises NotFound."""
    row = Drug.objects.visible_to(by).filter(pk=drug_id).defer("words").first()
    if row is None:
        raise NotFound("There is no such drug.")
    return details([row])[0]


def details(rows: Iterable[Drug]) -> list[DrugDetails]:
    """Returns the drugs with their ingredients and classes, in order. Two queries for all."""
    rows = list(rows)
    ingredients = _ingredients([row.pk for row in rows])
    named = {one.ingredient_id for parts in ingredients.values() for one in parts}
    classes = defaultdict(list)
    for one in IngredientClass.objects.filter(ingredient__in=named).select_related("drug_class").order_by("drug_class__name"):
        classes[one.ingredient_id].append(one.drug_class.name)
    return [
        DrugDetails(
            row,
            tuple(ingredients[row.pk]),
            tuple(dict.fromkeys(name for one in ingredients[row.pk] for name in classes[one.ingredient_id])),
        )
        for row in rows
    ]


def products(ids: Collection[UUID]) -> dict[UUID, Product]:
    """Returns what dosing and the safety checks need of these drugs, by id. Two queries."""
    rows = Drug.objects.filter(pk__in=ids).defer("words")
    ingredients = _ingredients(ids)
    return {row.pk: _product(row, ingredients[row.pk]) for row in rows}


def _ingredients(ids: Collection[UUID]) -> dict[UUID, list[DrugIngredient]]:
    by_drug = defaultdict(list)
    for one in DrugIngredient.objects.filter(drug__in=ids).select_related("ingredient").order_by("ingredient__name"):
        by_drug[one.drug_id].append(one)
    return by_drug


def _product(row: Drug, parts: Iterable[DrugIngredient]) -> Product:
    strengths = tuple(
        Strength(one.ingredient.name, Amount(one.amount, one.amount_unit), Amount(one.per, one.per_unit))
        for one in parts
        if one.amount is not None and one.per is not None
    )
    names = tuple(one.ingredient.name for one in parts)
    return Product(row.pk, row.name, row.form, row.route, row.unit, names, strengths, row.schedule)
