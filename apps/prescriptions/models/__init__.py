"""The tables of medicines: the catalogue of drugs."""

from apps.prescriptions.models.catalogue import (
    Brand,
    Drug,
    DrugClass,
    DrugIngredient,
    DrugWord,
    Ingredient,
    IngredientClass,
    Schedule,
)

__all__ = ["Brand", "Drug", "DrugClass", "DrugIngredient", "DrugWord", "Ingredient", "IngredientClass", "Schedule"]
