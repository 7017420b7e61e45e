"""How pages write an entry of the chart: its kind, its status, its value with the unit, its details."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.patients.chart import entry_types, units
from apps.patients.chart.entry_types import EntryType
from apps.patients.models import ChartEntry

_LONGEST = 200  # characters of the details in the list; the entry's page has the rest


@dataclass(frozen=True)
class Kind:
    """A kind of entry: one, several, the link that adds one, the label of what it is, its icon."""

    one: str | Promise
    several: str | Promise
    add: str | Promise
    what: str | Promise
    icon: str


KINDS: Mapping[EntryType, Kind] = {
    EntryType.ALLERGY: Kind(_("Allergy"), _("Allergies"), _("Add an allergy"), _("Allergic to"), "warning"),
    EntryType.MEDICATION: Kind(_("Medicine"), _("Medicines"), _("Add a medicine"), _("Medicine"), "pill"),
    EntryType.DIAGNOSIS: Kind(_("Problem"), _("Problems"), _("Add a problem"), _("Problem"), "clipboard"),
    EntryType.PROCEDURE: Kind(_("Procedure"), _("Procedures"), _("Add a procedure"), _("Procedure"), "stethoscope"),
    EntryType.IMMUNIZATION: Kind(_("Vaccine"), _("Vaccines"), _("Add a vaccine"), _("Vaccine"), "syringe"),
    EntryType.LAB_RESULT: Kind(_("Test result"), _("Test results"), _("Add a test result"), _("Test"), "flask"),
    EntryType.VITAL_SIGN: Kind(_("Vital sign"), _("Vital signs"), _("Add a vital sign"), _("Vital sign"), "pulse"),
    EntryType.NOTE: Kind(_("Note"), _("Notes"), _("Add a note"), _("About"), "file"),
}
NO_ENTRIES: Mapping[EntryType, str | Promise] = {
    EntryType.ALLERGY: _("No allergies are recorded"),
    EntryType.MEDICATION: _("No medicines are recorded"),
    EntryType.DIAGNOSIS: _("No problems are recorded"),
    EntryType.PROCEDURE: _("No procedures are recorded"),
    EntryType.IMMUNIZATION: _("No vaccines are recorded"),
    EntryType.LAB_RESULT: _("No test results are recorded"),
    EntryType.VITAL_SIGN: _("No vital signs are recorded"),
    EntryType.NOTE: _("No notes are recorded"),
}


@dataclass(frozen=True)
class Shown:
    """How a status is shown: words, icon, class of the tag."""

    words: str | Promise
    icon: str
    tone: str = ""


_STATUSES: Mapping[str, Shown] = {
    entry_types.ACTIVE: Shown(_("Active"), "check", "go"),
    "inactive": Shown(_("Inactive"), "minus"),
    "resolved": Shown(_("Resolved"), "done", "ok"),
    "remission": Shown(_("In remission"), "pause", "info"),
    entry_types.ENCOUNTER: Shown(_("Seen again"), "stethoscope"),
    "completed": Shown(_("Done"), "done", "ok"),
    "stopped": Shown(_("Stopped"), "cancel"),
    "on_hold": Shown(_("On hold"), "pause", "warn"),
    "in_progress": Shown(_("In progress"), "todo", "go"),
    "not_done": Shown(_("Not done"), "cancel"),
    "final": Shown(pgettext_lazy("of a result", "Final"), ""),
    "preliminary": Shown(_("Preliminary"), "clock", "warn"),
    "amended": Shown(_("Corrected"), "edit", "info"),
    entry_types.ENTERED_IN_ERROR: Shown(_("Entered in error"), "void", "bad"),
}
_ENDED = Shown(_("Ended"), "done")  # of a medicine


@dataclass(frozen=True)
class Flag:
    """Where a value lies: words, icon, and whether it is critical."""

    words: str | Promise
    icon: str
    is_critical: bool = False


_FLAGS: Mapping[str, Flag] = {
    "low": Flag(_("Low"), "fall"),
    "high": Flag(_("High"), "rise"),
    "critical_low": Flag(_("Critically low"), "fall", is_critical=True),
    "critical_high": Flag(_("Critically high"), "rise", is_critical=True),
    "abnormal": Flag(_("Abnormal"), "info"),
}
_DEGREES: Mapping[str, str | Promise] = {
    "mild": _("mild"),
    "moderate": _("moderate"),
    "severe": _("severe"),
    "confirmed": _("confirmed"),
    "unconfirmed": _("unconfirmed"),
}
_DETAILS: Mapping[EntryType, tuple[str, ...]] = {  # of a row, in order
    EntryType.ALLERGY: ("reaction", "severity", "certainty", "note"),
    EntryType.MEDICATION: ("dosage", "frequency", "duration", "route", "instructions", "reason", "note"),
    EntryType.DIAGNOSIS: ("severity", "note"),
    EntryType.PROCEDURE: ("performer", "reason", "note"),
    EntryType.IMMUNIZATION: ("dose_number", "site", "lot_number", "note"),
    EntryType.LAB_RESULT: ("interpretation", "note"),
    EntryType.VITAL_SIGN: ("interpretation", "note"),
    EntryType.NOTE: ("title", "text"),
}


def status(row: ChartEntry) -> Shown:
    """Returns how the status of an entry is shown."""
    if row.type == EntryType.MEDICATION and row.status == "completed":
        return _ENDED
    return _STATUSES.get(row.status) or Shown(row.status.replace("_", " ").capitalize(), "info")


def status_choices(kind: EntryType) -> list[tuple[str, str]]:
    """Returns the statuses that a user may choose for a new entry of this kind, in words."""
    return [(word, str(status(ChartEntry(type=kind, status=word)).words)) for word in entry_types.STATUSES[kind]]


def value(row: ChartEntry) -> str:
    """Returns the measured value with its unit (`37 °C`), or the result in words; empty for an entry without one."""
    if row.value is None:
        return str(row.detail.get("value_text", ""))
    return f"{row.value.normalize():f} {units.in_words(row.unit)}".strip()


def reference_range(row: ChartEntry) -> str:
    """Returns the range that the value is compared with, as it was recorded: `3.5-5.0`, `≤ 125`."""
    return str(row.detail.get("reference_range", "")).replace("<=", "≤").replace(">=", "≥")


def flag(row: ChartEntry) -> Flag | None:
    """Returns where the value lies outside its range; for an allergy with a high risk, that."""
    if row.type == EntryType.ALLERGY and (row.detail.get("criticality") == "high" or row.detail.get("severity") == "severe"):
        return Flag(gettext("High risk"), "warning", is_critical=True)
    return _FLAGS.get(str(row.detail.get("flag", "")))


def details(row: ChartEntry) -> str:
    """Returns the details of an entry for its row: `hives, severe`; at most 200 characters."""
    parts = [_detail(name, row.detail[name]) for name in _DETAILS[EntryType(row.type)] if row.detail.get(name)]
    text = " · ".join(parts)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rsplit(' ', 1)[0]} …"


def _detail(name: str, stored: object) -> str:
    if name == "dose_number":
        return gettext("dose %(number)s") % {"number": stored}
    if name == "lot_number":
        return gettext("lot %(number)s") % {"number": stored}
    return degree(str(stored)) if name in ("severity", "certainty") else str(stored)


def degree(stored: str) -> str:
    """Returns how severe or how certain, in words; a word that came from elsewhere as it is stored."""
    return str(_DEGREES[stored]) if stored in _DEGREES else stored.replace("_", " ")
