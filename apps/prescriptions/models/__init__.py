"""The tables of medicines: the catalogue of drugs, and the knowledge of the safety checks."""

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
from apps.prescriptions.models.knowledge import KnowledgeEntry, KnowledgeVersion

__all__ = [
    "Brand",
    "Drug",
    "DrugClass",
    "DrugIngredient",
    "DrugWord",
    "Ingredient",
    "IngredientClass",
    "KnowledgeEntry",
    "KnowledgeVersion",
    "Schedule",
]
