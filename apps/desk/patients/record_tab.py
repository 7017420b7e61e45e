"""The record of a patient: every entry of the chart in a row, filtered by kind, the latest first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from django.contrib.admin.views.main import PAGE_VAR
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext

from apps.access.actor import Actor
from apps.common import clinic_times
from apps.desk.kit.pages import page_links
from apps.desk.patients import entry_words, tabs
from apps.desk.patients.entry_words import KINDS, Flag, Shown
from apps.desk.patients.labels import since, until
from apps.patients import rights
from apps.patients.chart import overview, units, vitals
from apps.patients.chart.entry_types import ENTERED_IN_ERROR, MEASURED, EntryType
from apps.patients.models import ChartEntry, Patient

KIND, WITH_ERRORS = "type", "include_retracted"  # parameters of the address
_CODED = (EntryType.DIAGNOSIS, EntryType.PROCEDURE)  # kinds whose codes are used in sentences; the entry's page has all others
_SYSTOLIC, _DIASTOLIC = (vitals.LOINC[name][0] for name in ("systolic", "diastolic"))


@dataclass(frozen=True)
class EntryRow:
    """An entry as it is shown. Both readings of a blood pressure are one row: `others` has the addresses of the second."""

    url: str
    icon: str
    kind: str | Promise
    what: str
    code: str
    details: str
    value: str
    range: str
    flag: Flag | None
    status: Shown
    is_error: bool
    why_error: str
    day: str
    time: str
    until: str
    by: str
    recorded: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Chip:
    """A choice above the list, with how many entries it shows."""

    label: str | Promise
    url: str
    is_current: bool
    number: int = 0


def content(request: HttpRequest, patient: Patient, cl: Any) -> dict[str, Any]:
    """Returns what the record shows of a page of entries. Two queries, whatever the size of the chart."""
    user: Any = request.user
    kind = request.GET.get(KIND, "")
    chosen = EntryType(kind) if kind in set(EntryType) else None
    with_errors = bool(request.GET.get(WITH_ERRORS))
    return {
        "rows": rows(user, list(cl.result_list)),
        "chips": _chips(user, patient, cl, chosen, with_errors=with_errors),
        "errors_chip": Chip(
            gettext("With those entered in error"),
            cl.get_query_string({WITH_ERRORS: None if with_errors else "true", PAGE_VAR: None}),
            with_errors,
        ),
        "adds": adds(request, patient),
        "add": next((link for link in adds(request, patient) if link["kind"] == chosen), None),
        "page_links": page_links(cl),
        "nothing": entry_words.NO_ENTRIES[chosen] if chosen else gettext("Nothing is recorded yet"),
        "check_url": _check_url(user, patient, chosen),
        "all_url": cl.get_query_string({KIND: None, WITH_ERRORS: None}) if chosen or with_errors else "",
        "shows_values": not rights.coded_only(user.role),
    }


def adds(request: HttpRequest, patient: Patient) -> list[dict[str, Any]]:
    """Returns the links that add an entry of the kinds that the user may write."""
    address = f"{reverse('admin:patients_chartentry_add')}?patient={patient.pk}"
    return [
        {
            "kind": kind,
            "label": KINDS[kind].add,
            "icon": KINDS[kind].icon,
            "url": tabs.carried(request, f"{address}&type={kind.value}"),
        }
        for kind in EntryType
        if rights.writes_chart(cast("Actor", request.user), kind)
    ]


def rows(user: Any, entries: Sequence[ChartEntry]) -> list[EntryRow]:
    """Returns the entries as rows, the systolic and the diastolic reading of one moment in one."""
    shown, pairs = [], _blood_pressures(entries)
    for entry in entries:
        other = pairs.get(entry.pk)
        if other is None:
            shown.append(_row(user, entry))
        elif entry.code == _SYSTOLIC:
            shown.append(_row(user, entry, other))
    return shown


def _blood_pressures(entries: Iterable[ChartEntry]) -> Mapping[Any, ChartEntry]:
    """Returns, by the id of a systolic or diastolic reading, the other one of the same moment, unit and status."""
    waiting: dict[Any, ChartEntry] = {}
    pairs: dict[Any, ChartEntry] = {}
    for entry in entries:
        if entry.code not in (_SYSTOLIC, _DIASTOLIC) or entry.value is None:
            continue
        moment = (entry.occurred_at, entry.unit, entry.status, entry.source)
        wanted = _DIASTOLIC if entry.code == _SYSTOLIC else _SYSTOLIC
        if (other := waiting.pop((*moment, wanted), None)) is not None:
            pairs |= {entry.pk: other, other.pk: entry}
        else:
            waiting[(*moment, entry.code)] = entry
    return pairs


def _row(user: Any, entry: ChartEntry, other: ChartEntry | None = None) -> EntryRow:
    kind, coded = EntryType(entry.type), rights.coded_only(user.role)
    is_error = entry.status == ENTERED_IN_ERROR
    return EntryRow(
        url=_page(entry),
        icon=KINDS[kind].icon,
        kind=KINDS[kind].one,
        what=gettext("Blood pressure") if other else entry.display,
        code=entry.code if coded or kind in _CODED else "",
        details="" if coded else entry_words.details(entry),
        value="" if coded else _pressure(entry, other) if other else entry_words.value(entry),
        range="" if coded or other else entry_words.reference_range(entry),
        flag=None if coded or other else entry_words.flag(entry),
        status=entry_words.status(entry),
        is_error=is_error,
        why_error=_why_error(entry) if is_error and not coded else "",
        day=since(entry, whole=True),
        time=clinic_times.clock_time(entry.occurred_at) if kind in MEASURED and not entry.occurred_on else "",
        until=until(entry),
        by=entry.recorded_by.full_name if entry.recorded_by else _source(entry),
        recorded=clinic_times.day(entry.recorded_at),
        links=() if coded else _links(user, [entry, other] if other else [entry]),
    )


def _pressure(systolic: ChartEntry, diastolic: ChartEntry) -> str:
    upper, lower = (cast("Decimal", one.value).normalize() for one in (systolic, diastolic))
    return f"{upper:f}/{lower:f} {units.in_words(systolic.unit)}"


def _why_error(entry: ChartEntry) -> str:
    by = entry.retracted_by.full_name if entry.retracted_by else ""
    day = clinic_times.day(entry.retracted_at) if entry.retracted_at else ""
    return f"{', '.join(part for part in (by, day) if part)}: {entry.retraction_reason}"


def _source(entry: ChartEntry) -> str:
    return gettext("Imported") if entry.source == ChartEntry.Source.IMPORT else gettext("Recorded by the system")


def _page(entry: ChartEntry) -> str:
    return reverse("admin:patients_chartentry_change", args=[entry.pk])


def _links(user: Any, entries: Sequence[ChartEntry]) -> tuple[tuple[str, str], ...]:
    """Returns what the user can do with the entries of a row: text and address."""
    links = []
    for entry in entries:
        name = f": {entry.display}" if len(entries) > 1 else ""
        links.append((gettext("Open the entry") + name, _page(entry)))
        if entry.status != ENTERED_IN_ERROR and rights.writes_chart(user, entry.type):
            retract = reverse("admin:patients_chartentry_retract", args=[entry.pk])
            links.append((gettext("Mark as entered in error") + name, retract))
    return tuple(links)


def _chips(user: Any, patient: Patient, cl: Any, chosen: EntryType | None, *, with_errors: bool) -> list[Chip]:
    numbers = overview.counts(visible_to=user, patient_id=patient.pk, with_errors=with_errors)
    choices: list[tuple[EntryType | None, str | Promise, int]] = [(None, gettext("All"), sum(numbers.values()))]
    choices += [(kind, KINDS[kind].several, numbers.get(kind, 0)) for kind in EntryType if rights.reads_chart(user, kind)]
    return [
        Chip(label, cl.get_query_string({KIND: kind.value if kind else None, PAGE_VAR: None}), kind is chosen, number)
        for kind, label, number in choices
    ]


def _check_url(user: Any, patient: Patient, chosen: EntryType | None) -> str:
    """Returns the page that records that there are no allergies, if the patient was not asked yet."""
    if chosen is not EntryType.ALLERGY or patient.allergy_status != "not_asked" or not rights.writes_chart(user, chosen):
        return ""
    return reverse("admin:patients_patient_no_known_allergies", args=[patient.pk])
