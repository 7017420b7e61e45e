"""Reads the knowledge: what the checks use, and the entries as people look them up."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import QuerySet

from apps.access.actor import Actor
from apps.prescriptions.models import Brand, Ingredient
from apps.prescriptions.models.knowledge import KnowledgeEntry, KnowledgeVersion
from apps.prescriptions.safety import tables
from apps.prescriptions.safety.knowledge import Knowledge
from apps.prescriptions.safety.tables import TABLES, Row


@dataclass(frozen=True)
class KnowledgeBase:
    """What a reply says of the knowledge behind it."""

    version: str
    rows: int
    reviewed: int
    name: str = "HIMS drug knowledge"
    scope: str = "not exhaustive"


def knowledge() -> Knowledge:
    """Returns the knowledge in force. Three queries; three more in a process that does not have this state yet."""
    newest = KnowledgeVersion.objects.order_by("-number").values_list("number", "made_at").first()
    # The counts change when the catalogue gets a name. The instant tells two versions of one number apart: one was rolled back.
    return _built((newest, Brand.objects.count(), Ingredient.objects.count()))


@lru_cache(maxsize=2)
def _built(state: tuple[tuple[int, datetime] | None, int, int]) -> Knowledge:
    catalogue: dict[str, set[str]] = {name: {name} for name in Ingredient.objects.values_list("name", flat=True)}
    for key, ingredient in Brand.objects.values_list("key", "ingredients__name"):
        catalogue.setdefault(key, set()).add(ingredient)
    return tables.read(str(state[0][0] if state[0] else 0), rows_in_force(), catalogue)


def rows_in_force() -> dict[str, list[Row]]:
    """Returns the rows of each table (`TABLES`) that are in force."""
    rows: dict[str, list[Row]] = {table: [] for table in TABLES}
    for table, data in KnowledgeEntry.objects.current().values_list("table", "data"):
        rows[table].append(data)
    return rows


def knowledge_base() -> KnowledgeBase:
    """Returns the version of the knowledge, and how many of its entries are reviewed."""
    current = KnowledgeEntry.objects.current()
    newest = KnowledgeVersion.objects.order_by("-number").values_list("number", flat=True).first() or 0
    return KnowledgeBase(str(newest), current.count(), current.exclude(reviewer=None).count())


def interactions(*, visible_to: Actor, drug: str = "") -> QuerySet[KnowledgeEntry]:
    """Returns the interactions in force, of one ingredient (with its classes) if it is named."""
    rows = KnowledgeEntry.objects.visible_to(visible_to).current().filter(table="interactions").select_related("reviewer")
    if not drug:
        return rows
    references = knowledge().references(drug.strip().lower())
    return rows.filter(data__a__in=references) | rows.filter(data__b__in=references)
