"""Changes the knowledge: loads what comes with HIMS, writes an entry, reviews one, retires one."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.db import transaction

from apps.access.actor import SYSTEM, Actor
from apps.common import clock, locks
from apps.common.errors import Conflict, Forbidden, Invalid, NotFound
from apps.common.locks import LockName
from apps.events.services import emit
from apps.prescriptions.events import KnowledgeChanged
from apps.prescriptions.models import DrugClass, Ingredient, IngredientClass
from apps.prescriptions.models.knowledge import KnowledgeEntry, KnowledgeVersion
from apps.prescriptions.safety import selectors, tables
from apps.prescriptions.safety.knowledge import CLASS
from apps.prescriptions.safety.tables import KEYS, TABLES, Row

SEED = Path(__file__).parents[2] / "data"
_FIRST = "Came with HIMS"
_CLASS_TABLES = ("classes", "class_members")  # the catalogue shows them too


class OwnEntry(Forbidden):
    message = "Another pharmacist or a doctor must review an entry that you wrote."


class AlreadyReviewed(Conflict):
    message = "This entry is reviewed already."


class Retired(Conflict):
    message = "This entry is no longer in force. Look at the one that replaced it."


class StillNamed(Conflict):
    message = "Other rules name this class. Retire them first."


@dataclass(frozen=True)
class Loaded:
    """How many entries were added, replaced, and left as they are."""

    added: int
    replaced: int
    unchanged: int


def load_seed() -> Loaded:
    """Loads the tables that come with HIMS, all or nothing. Entries that the pharmacy wrote or retired stay as they are."""
    return load(rows={table: _read(table) for table in TABLES}, reason=_FIRST)


def _read(table: str) -> list[dict[str, str]]:
    with (SEED / f"{table}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@transaction.atomic
def load(*, rows: Mapping[str, Iterable[Row]], reason: str) -> Loaded:
    """Adds and replaces entries of these tables. A retired entry comes back only if it says something else now.

    Raises ValueError naming the table and row that cannot be read.
    """
    rows = {table: list(rows[table]) for table in TABLES}
    tables.read("new", rows)  # what cannot be read is refused before anything is written
    locks.lock(LockName.DRUG_KNOWLEDGE)
    known = {(one.table, one.key): one for one in KnowledgeEntry.objects.current()}
    wanted = {(table, key_of(table, row)): dict(row) for table in TABLES for row in rows[table]}
    retired = [(one.table, one.key, one.data) for one in KnowledgeEntry.objects.exclude(retired_at=None)]
    changed = {
        name: row
        for name, row in wanted.items()
        if (_replaces(known[name], row) if name in known else (*name, row) not in retired)
    }
    if changed:
        version = _next_version(SYSTEM, reason)
        replaced = [known[name].pk for name in changed if name in known]
        KnowledgeEntry.objects.filter(pk__in=replaced).update(retired_at=clock.now(), updated_at=clock.now())
        named = {row["code"]: row["name"] for row in rows["classes"]}
        KnowledgeEntry.objects.bulk_create(_entry(name, row, version, named) for name, row in changed.items())
        _store_classes()
        emit(KnowledgeChanged(version=version.number, entries=len(changed)), by=SYSTEM)
    added = sum(name not in known for name in changed)
    return Loaded(added, len(changed) - added, len(wanted) - len(changed))


def _replaces(known: KnowledgeEntry, row: Row) -> bool:
    return known.author_id is None and known.data != dict(row)


def key_of(table: str, row: Row) -> str:
    """Returns what a row is about. The two sides of an interaction are in order, so that a pair is one."""
    parts = [row[name] for name in KEYS[table]]
    return " + ".join(sorted(parts) if table == "interactions" else parts)


def _entry(
    name: tuple[str, str], row: Row, version: KnowledgeVersion, classes: Mapping[str, str], author: UUID | None = None
) -> KnowledgeEntry:
    (table, key), source = name, row.get("source") or "names and classes of HIMS"
    return KnowledgeEntry(
        table=table,
        key=key,
        title=_title(table, row, classes),
        data=dict(row),
        source=source,
        author_id=author,
        since_version=version.number,
    )


def _title(table: str, row: Row, classes: Mapping[str, str]) -> str:
    """Returns what a row is about, in words: the names of classes instead of their codes."""
    parts = [row[name] for name in KEYS[table] if row[name] and name not in ("per_kg", "age_from", "age_below", "routes")]
    words = [
        classes.get(part.removeprefix(CLASS), part) if part.startswith(CLASS) or table.startswith("class") else part
        for part in parts
    ]
    return (" + " if table == "interactions" else ": ").join(words)


def _next_version(by: Actor, reason: str) -> KnowledgeVersion:
    """The caller has the lock of the knowledge."""
    newest = KnowledgeVersion.objects.order_by("-number").values_list("number", flat=True).first() or 0
    return KnowledgeVersion.objects.create(number=newest + 1, made_by_id=by.id, reason=reason)


def _store_classes() -> None:
    """Writes the classes and their members to the catalogue, which shows them with each drug."""
    current = KnowledgeEntry.objects.current()
    named = {row["code"]: row["name"] for row in current.filter(table="classes").values_list("data", flat=True)}
    members = list(current.filter(table="class_members").values_list("data", flat=True))
    DrugClass.objects.bulk_create(
        [DrugClass(code=code, name=name) for code, name in named.items()],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name"],
    )
    _store_ingredients()
    classes, ingredients = (
        {getattr(one, key): one.pk for one in kind.objects.all()} for kind, key in ((DrugClass, "code"), (Ingredient, "name"))
    )
    IngredientClass.objects.all().delete()
    IngredientClass.objects.bulk_create(
        IngredientClass(
            ingredient_id=ingredients[row["ingredient"]], drug_class_id=classes[row["drug_class"]], source=row["source"]
        )
        for row in members
    )


def _store_ingredients() -> None:
    """Adds every ingredient that an entry names to the catalogue, whose drugs may follow."""
    named = {
        entry.data[column]
        for entry in KnowledgeEntry.objects.current().filter(table__in=tables.DRUG_COLUMNS)
        for column in tables.DRUG_COLUMNS[entry.table]
    }
    new = [Ingredient(name=name) for name in sorted(named) if not name.startswith(CLASS)]
    Ingredient.objects.bulk_create(new, ignore_conflicts=True)


@transaction.atomic
def write_entry(*, by: Actor, table: str, row: Row, reason: str) -> KnowledgeEntry:
    """Adds an entry, or replaces the one about the same; it is not reviewed. Raises Invalid naming the field."""
    locks.lock(LockName.DRUG_KNOWLEDGE)
    row = {name: " ".join(row.get(name, "").split()) for name in tables.COLUMNS[table]}
    _check(table, row)
    key = key_of(table, row)
    KnowledgeEntry.objects.current().filter(table=table, key=key).update(retired_at=clock.now(), updated_at=clock.now())
    classes = dict(DrugClass.objects.values_list("code", "name"))
    entry = _entry((table, key), row, _next_version(by, reason), classes, by.id)
    entry.save(force_insert=True)
    if table in _CLASS_TABLES:
        _store_classes()
    emit(KnowledgeChanged(version=entry.since_version, entries=1), by=by)
    return entry


def _check(table: str, row: Row) -> None:
    """Raises Invalid for a row that cannot be read, or refers to a drug or class that is not known."""
    if not row.get("source", "-"):
        raise Invalid(field="source", issue="Name the source: a label section, a DOI, a guideline.")
    classes = list(KnowledgeEntry.objects.current().filter(table="classes").values_list("data", flat=True))
    codes = {CLASS + one["code"] for one in classes}
    for name in tables.DRUG_COLUMNS.get(table, ()):
        if row[name].startswith(CLASS) and row[name] not in codes:
            raise Invalid(field=name, issue=f"There is no class {row[name]!r}. Write a code of the class table, like class:maoi.")
    current = {name: [] for name in TABLES} | {"classes": classes}
    try:
        tables.read("new", current | {table: [*current[table], row]})
    except ValueError as problem:
        raise Invalid(field="data", issue=f"{problem}.") from problem
    known = set(Ingredient.objects.filter(name__in=row.values()).values_list("name", flat=True))
    for name in tables.DRUG_COLUMNS.get(table, ()):
        if not row[name].startswith(CLASS) and row[name] not in known:
            raise Invalid(
                field=name, issue=f"The catalogue has no ingredient {row[name]!r}. Write its generic name in small letters."
            )
    if table == "interactions" and row["a"] == row["b"] and not row["a"].startswith(CLASS):
        raise Invalid(field="b", issue="A drug does not interact with itself. Name another drug or a class.")


@transaction.atomic
def review_entry(*, by: Actor, entry_id: UUID) -> KnowledgeEntry:
    """Records that a second person, a pharmacist or a doctor, has reviewed the entry. Raises NotFound, OwnEntry, AlreadyReviewed,
    Retired."""
    locks.lock(LockName.DRUG_KNOWLEDGE)
    entry = _in_force(entry_id)
    if entry.author_id is not None and entry.author_id == by.id:
        raise OwnEntry
    if entry.reviewer_id is not None:
        raise AlreadyReviewed
    entry.amend(reviewer_id=by.id, reviewed_at=clock.now())
    _announce(by, f"Reviewed: {entry.key}")
    return entry


@transaction.atomic
def retire_entry(*, by: Actor, entry_id: UUID, reason: str) -> KnowledgeEntry:
    """Takes an entry out of force; it stays readable. Raises Invalid (reason), NotFound, Retired, StillNamed."""
    if not reason.strip():
        raise Invalid(field="reason", issue="Write why the entry is no longer true.")
    locks.lock(LockName.DRUG_KNOWLEDGE)
    entry = _in_force(entry_id)
    entry.amend(retired_at=clock.now())
    if entry.table in _CLASS_TABLES:
        _check_that_the_rest_is_read()
        _store_classes()
    _announce(by, reason.strip())
    return entry


def _check_that_the_rest_is_read() -> None:
    """Raises StillNamed where an entry in force refers to a class that is not: no check could read the knowledge any more."""
    try:
        tables.read("new", selectors.rows_in_force())
    except ValueError as problem:
        raise StillNamed from problem


def _in_force(entry_id: UUID) -> KnowledgeEntry:
    entry = KnowledgeEntry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise NotFound("There is no such entry.")
    if entry.retired_at is not None:
        raise Retired
    return entry


def _announce(by: Actor, reason: str) -> None:
    emit(KnowledgeChanged(version=_next_version(by, reason[:400]).number, entries=1), by=by)
