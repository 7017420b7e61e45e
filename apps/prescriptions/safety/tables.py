"""Reads the knowledge from its tables, in which a row is a mapping of texts. Raises ValueError naming the table and the row."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TypeVar

from apps.prescriptions.dosing.values import Amount
from apps.prescriptions.safety.facts import Severity
from apps.prescriptions.safety.knowledge import CLASS, Condition, CrossAllergy, DoseLimit, DrugClassRow, Interaction, Knowledge

Row = Mapping[str, str]
T = TypeVar("T")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "classes": ("code", "name", "duplicate"),
    "class_members": ("drug_class", "ingredient", "source"),
    "interactions": ("a", "b", "severity", "effect", "management", "group", "routes", "source"),
    "cross_allergies": ("allergen", "drug", "severity", "text", "source"),
    "dose_limits": (
        *("ingredient", "kind", "severity", "low", "most", "unit", "per_kg", "age_from", "age_below", "routes"),
        *("every_days", "text", "source"),
    ),
    "conditions": ("kind", "drug", "severity", "below", "text", "source"),
    "substance_names": ("name", "means"),
}
TABLES = tuple(COLUMNS)
KEYS: Mapping[str, tuple[str, ...]] = {  # what a row is about
    "classes": ("code",),
    "class_members": ("drug_class", "ingredient"),
    "interactions": ("a", "b"),
    "cross_allergies": ("allergen", "drug"),
    "dose_limits": ("ingredient", "kind", "per_kg", "age_from", "age_below", "routes"),
    "conditions": ("kind", "drug", "below"),
    "substance_names": ("name",),
}
DRUG_COLUMNS: Mapping[str, tuple[str, ...]] = {  # an ingredient, or a class by its code
    "class_members": ("ingredient",),
    "interactions": ("a", "b"),
    "cross_allergies": ("allergen", "drug"),
    "dose_limits": ("ingredient",),
    "conditions": ("drug",),
}


def read(version: str, tables: Mapping[str, Iterable[Row]], catalogue: Mapping[str, Iterable[str]] | None = None) -> Knowledge:
    """Returns the knowledge of these tables (`TABLES`). `catalogue` are its brands and ingredients in small letters, each with
    the ingredients that it means: a text of a chart is matched with them too."""
    members = defaultdict(set)
    for row in tables["class_members"]:
        members[row["drug_class"]].add(row["ingredient"])
    classes = {one.code: one for one in _each("classes", tables, _class)}
    names = {key: frozenset(ingredients) for key, ingredients in (catalogue or {}).items()}
    names |= {row["name"]: _several(row["means"]) for row in tables["substance_names"]}
    names |= {one.name.lower(): frozenset((CLASS + one.code,)) for one in classes.values() if one.name.lower() not in names}
    knowledge = Knowledge(
        version=version,
        classes=classes,
        members={code: frozenset(ingredients) for code, ingredients in members.items()},
        interactions=tuple(_each("interactions", tables, _interaction)),
        cross_allergies=tuple(_each("cross_allergies", tables, _cross_allergy)),
        limits=tuple(_each("dose_limits", tables, _limit)),
        conditions=tuple(_each("conditions", tables, _condition)),
        names=names,
        ingredients=_mentioned(tables),
    )
    _check_classes(knowledge)
    return knowledge


def _each(table: str, tables: Mapping[str, Iterable[Row]], make: Callable[[Row], T]) -> list[T]:
    rows = []
    for place, row in enumerate(tables[table], start=1):
        try:
            rows.append(make(row))
        except (KeyError, ValueError, ArithmeticError) as problem:
            raise ValueError(f"{table}, row {place}: {problem}") from problem
    return rows


def _class(row: Row) -> DrugClassRow:
    duplicate = Severity(row["duplicate"]) if row["duplicate"] else None
    return DrugClassRow(row["code"], row["name"], duplicate)


def _interaction(row: Row) -> Interaction:
    return Interaction(
        a=row["a"],
        b=row["b"],
        severity=Severity(row["severity"]),
        effect=row["effect"],
        source=row["source"],
        management=row["management"],
        group=row["group"],
        routes=_several(row["routes"]),
    )


def _cross_allergy(row: Row) -> CrossAllergy:
    return CrossAllergy(row["allergen"], row["drug"], Severity(row["severity"]), row["text"], row["source"])


def _limit(row: Row) -> DoseLimit:
    return DoseLimit(
        ingredient=row["ingredient"],
        kind=row["kind"],
        source=row["source"],
        severity=Severity(row["severity"]),
        text=row["text"],
        every_days=int(row["every_days"] or 0),
        most=Amount(Decimal(row["most"]), row["unit"]) if row["most"] else None,
        low=Amount(Decimal(row["low"]), row["unit"]) if row["low"] else None,
        per_kg=row["per_kg"] == "yes",
        age_from=int(row["age_from"] or 0),
        age_below=int(row["age_below"]) if row["age_below"] else None,
        routes=_several(row["routes"]),
    )


def _condition(row: Row) -> Condition:
    below = Decimal(row["below"]) if row["below"] else None
    return Condition(row["kind"], row["drug"], Severity(row["severity"]), row["text"], row["source"], below)


def _several(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(";") if part.strip())


def _mentioned(tables: Mapping[str, Iterable[Row]]) -> frozenset[str]:
    """Returns the ingredients that some row is about."""
    cells = [row[name] for row in tables["interactions"] for name in ("a", "b")]
    cells += [row[name] for row in tables["cross_allergies"] for name in ("allergen", "drug")]
    cells += [row["ingredient"] for row in tables["dose_limits"]] + [row["drug"] for row in tables["conditions"]]
    cells += [row["ingredient"] for row in tables["class_members"]]
    return frozenset(cell for cell in cells if not cell.startswith(CLASS))


def _check_classes(knowledge: Knowledge) -> None:
    """Raises ValueError for a reference to a class that is not in the table: its rows would match nothing."""
    references = {one for row in knowledge.interactions for one in (row.a, row.b)}
    references |= {one for row in knowledge.cross_allergies for one in (row.allergen, row.drug)}
    references |= {row.drug for row in knowledge.conditions} | {one for means in knowledge.names.values() for one in means}
    references |= {CLASS + code for code in knowledge.members}
    unknown = {one for one in references if one.startswith(CLASS)} - {CLASS + code for code in knowledge.classes}
    if unknown:
        raise ValueError(f"no such class: {', '.join(sorted(unknown))}")
