"""The plan of a merge: how many rows move, where the two records differ, which value stays, and what to check.

Both records keep their MRN; the retired one's finds the survivor from then on.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

from django.db.models import Field

from apps.access.actor import Actor
from apps.common.errors import Invalid
from apps.patients import rights
from apps.patients.chart.dates import Precision
from apps.patients.chart.entry_types import ACTIVE, EntryType
from apps.patients.chart.repeats import LISTED_ONCE, repeats_to_end
from apps.patients.confidentiality.models import led_to_open
from apps.patients.merging import patient_links
from apps.patients.models import AllergyStatus, ChartEntry, Gender, NotDuplicate, Patient
from apps.patients.rights import Permission
from apps.patients.selectors import patient_not_found

Side = Literal["retired", "survivor"]
# What belongs together: half of one address and half of another are not an address.
GROUPS: dict[str, tuple[str, ...]] = {
    "date_of_birth": ("date_of_birth", "date_of_birth_precision", "time_of_birth"),
    "address": ("street", "city", "state", "zip", "country"),
    "emergency_contact": ("emergency_name", "emergency_relationship", "emergency_phone"),
    "insurance": ("insurance_provider", "insurance_policy_number", "insurance_group_number"),
}
_ALONE = (
    "first_name",
    "middle_name",
    "last_name",
    "gender",
    "language",
    "deceased_at",
    "phone",
    "email",
)
COLUMNS: tuple[str, ...] = (*_ALONE, *(column for group in GROUPS.values() for column in group))
_BIRTH = "date_of_birth"
_EXACT = [precision.value for precision in Precision]
_EMPTY = ("", None, Gender.UNKNOWN)
NAMES = ("first_name", "last_name")  # one of them may be empty, not both
SHOWN = tuple(column for column in COLUMNS if column == _BIRTH or column not in GROUPS[_BIRTH])


@dataclass(frozen=True)
class Count:
    """How many rows of a model move."""

    model: str
    name: str
    rows: int


@dataclass(frozen=True)
class Difference:
    """A column in which the records differ, and which value stays by default."""

    field: str
    label: str
    retired: Any
    survivor: Any
    default: Side


@dataclass(frozen=True)
class MergeWarning:
    """A reason against one person, or something to check afterwards."""

    code: str
    message: str


@dataclass(frozen=True)
class Preview:
    retired: Patient
    survivor: Patient
    counts: tuple[Count, ...]
    conflicts: tuple[Difference, ...]
    warnings: tuple[MergeWarning, ...]


def preview(*, visible_to: Actor, retired_id: UUID, survivor_id: UUID) -> Preview:
    """Returns the effect of merging one into the other. Raises NotFound, and Invalid for an `into` that is unknown or the
    same."""
    people = Patient.objects.visible_to(visible_to).filter(led_to_open(visible_to), pk__in=[retired_id, survivor_id])
    retired, survivor = retired_and_survivor({row.pk: row for row in people}, retired_id, survivor_id)
    return Preview(
        retired=retired,
        survivor=survivor,
        counts=_counts(retired),
        conflicts=tuple(_differences(retired, survivor)),
        warnings=tuple(_warnings(visible_to, retired, survivor)),
    )


def retired_and_survivor(patients: Mapping[UUID, Patient], retired_id: UUID, survivor_id: UUID) -> tuple[Patient, Patient]:
    """Returns the retired and the surviving record. Raises as `preview` does."""
    if retired_id not in patients:
        raise patient_not_found(retired_id)
    if survivor_id not in patients:
        raise Invalid(field="into", issue="There is no such patient.")
    if retired_id == survivor_id:
        raise Invalid(field="into", issue="A record cannot be merged into itself.")
    return patients[retired_id], patients[survivor_id]


def choices(retired: Patient, survivor: Patient, requested: Mapping[str, str]) -> dict[str, Side]:
    """Returns whose value each column takes: as requested, by column or by group, else the default. Raises Invalid with the
    unknown name."""
    chosen = {column: default_side(retired, survivor, column) for column in COLUMNS}
    for field, side in requested.items():
        name = _BIRTH if field in GROUPS[_BIRTH] else field  # a date and another record's precision are not a birth
        columns = GROUPS.get(name, (name,) if name in COLUMNS else ())
        if not columns:
            raise Invalid(field=f"fields.{field}", issue=f"Valid choices: {', '.join((*COLUMNS, *GROUPS))}.")
        if side not in ("retired", "survivor"):
            raise Invalid(field=f"fields.{field}", issue="Must be retired or survivor.")
        chosen |= dict.fromkeys(columns, cast("Side", side))
    if not any(getattr(retired if chosen[name] == "retired" else survivor, name) for name in NAMES):
        raise Invalid(
            field="fields.last_name", issue="The record would have no name. Keep the first or the last name of one of them."
        )
    return chosen


def default_side(retired: Patient, survivor: Patient, column: str) -> Side:
    """Returns the survivor's value, but the retired one's if the survivor has none and the rest of the group does not contradict.

    Of two births, the one that is known more exactly.
    """
    if column in GROUPS[_BIRTH]:
        more = _EXACT.index(retired.date_of_birth_precision) < _EXACT.index(survivor.date_of_birth_precision)
        return "retired" if more else "survivor"
    if not _is_empty(survivor, column) or _is_empty(retired, column):
        return "survivor"
    group = next((group for group in GROUPS.values() if column in group), (column,))
    agree = all(_is_empty(survivor, name) or getattr(survivor, name) == getattr(retired, name) for name in group)
    return "retired" if agree else "survivor"


def together(columns: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Returns these columns by the name of their group; one that belongs to none alone, by its own name."""
    group_of = {column: name for name, group in GROUPS.items() for column in group}
    parts: dict[str, tuple[str, ...]] = {}
    for column in columns:
        name = group_of.get(column, column)
        parts[name] = (*parts.get(name, ()), column)
    return parts


def label_of(name: str) -> str:
    """Returns the name of a column or a group in a sentence."""
    return name.replace("_", " ") if name in GROUPS else str(column_named(name).verbose_name)


def shown_value(patient: Patient, column: str) -> Any:
    """Returns a column's value as it is compared and shown; the day of a birth with its precision and time."""
    if column != _BIRTH or (patient.date_of_birth_precision == Precision.DAY and not patient.time_of_birth):
        return getattr(patient, column)
    return f"{patient.born} {patient.time_of_birth:%H:%M}" if patient.time_of_birth else patient.born


def column_named(name: str) -> Field[Any, Any]:
    """Returns a column of a patient."""
    return cast("Field[Any, Any]", Patient._meta.get_field(name))


def _is_empty(patient: Patient, column: str) -> bool:
    return getattr(patient, column) in _EMPTY


def _counts(retired: Patient) -> tuple[Count, ...]:
    rows = {link.model: 0 for link in patient_links.links()}
    for link in patient_links.links():
        rows[link.model] += link.rows_of(retired).count()
    return tuple(
        Count(model, str(patient_links.links_of(model)[0].kind._meta.verbose_name_plural), rows[model]) for model in rows
    )


def _differences(retired: Patient, survivor: Patient) -> Iterator[Difference]:
    for column in SHOWN:
        theirs, ours = shown_value(retired, column), shown_value(survivor, column)
        if theirs != ours:
            label = str(column_named(column).verbose_name)
            yield Difference(column, label, theirs, ours, default_side(retired, survivor, column))


def _warnings(reader: Actor, retired: Patient, survivor: Patient) -> Iterator[MergeWarning]:
    for row, which in ((retired, "record to be retired"), (survivor, "surviving record")):
        if row.merged_into_id:
            yield MergeWarning(
                "already_merged", f"The {which} was already merged into {row.merged_into_id}. Nothing can be merged."
            )
    if shown_value(retired, _BIRTH) != shown_value(survivor, _BIRTH):
        yield MergeWarning(
            "different_date_of_birth",
            f"The dates of birth differ: {shown_value(retired, _BIRTH)} and {shown_value(survivor, _BIRTH)}.",
        )
    if retired.gender != survivor.gender and not (_is_empty(retired, "gender") or _is_empty(survivor, "gender")):
        yield MergeWarning("different_gender", f"The genders differ: {retired.gender} and {survivor.gender}.")
    policies = {retired.insurance_policy_number, survivor.insurance_policy_number}
    if len(policies) == 2 and "" not in policies:
        yield MergeWarning("different_policy", "Each has an insurance policy of its own.")
    if (retired.deceased_at is None) != (survivor.deceased_at is None):
        yield MergeWarning("one_deceased", "One of the two is deceased.")
    if retired.is_active != survivor.is_active:
        yield MergeWarning("one_inactive", "One of the two is inactive. The survivor stays as it is.")
    if NotDuplicate.objects.filter(low_id=min(retired.pk, survivor.pk), high_id=max(retired.pk, survivor.pk)).exists():
        yield MergeWarning("not_same", "These two records were compared before and recorded as two people.")
    if reader.has_permission(Permission.PATIENT_SEE_ALLERGY_STATUS) and _contradict(retired, survivor):
        yield MergeWarning(
            "allergies_differ",
            "One has no known allergies, the other has some. The merge ends the former. Ask the patient again.",
        )
    yield from _listed_twice(reader, retired, survivor)


def _listed_twice(reader: Actor, retired: Patient, survivor: Patient) -> Iterator[MergeWarning]:
    """Returns what both charts list as active, within the reader's permissions."""
    kinds = [kind for kind in (*LISTED_ONCE, EntryType.MEDICATION) if rights.reads_chart(reader, kind)]
    if not reader.has_permission(Permission.CHART_VIEW) or not kinds:
        return
    rows = ChartEntry.objects.filter(patient__in=[retired, survivor], type__in=kinds, status=ACTIVE).order_by("display", "pk")
    theirs = {row.pk for row in rows if row.patient_id == retired.pk}
    same = repeats_to_end(rows, theirs)
    once = [f"{row.display} ({row.type})" for row in same if row.type in LISTED_ONCE]
    if once:
        yield MergeWarning(
            "listed_twice",
            f"Both charts list as active: {'; '.join(once)}. The merge keeps one of each active and ends the other.",
        )
    medicines = [row.display for row in same if row.type == EntryType.MEDICATION]
    if medicines:
        yield MergeWarning("medication_twice", f"Both charts list as active: {'; '.join(medicines)}. Check them after the merge.")


def _contradict(retired: Patient, survivor: Patient) -> bool:
    return {retired.allergy_status, survivor.allergy_status} == {AllergyStatus.NONE_KNOWN, AllergyStatus.LISTED}
