"""How pages show a pair of records that may be one person's: side by side, what differs, and whether a merge was asked for."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from apps.common import clinic_times
from apps.desk.kit.site import can_open
from apps.patients.chart import ages
from apps.patients.matching import scoring
from apps.patients.matching.models import DuplicateCandidate
from apps.patients.models import Patient
from apps.patients.rights import Permission


@dataclass(frozen=True)
class Fact:
    """A fact about one of the two, and whether it differs from the other."""

    label: str
    text: str
    differs: bool


@dataclass(frozen=True)
class Side:
    """One of the two records."""

    url: str
    name: Fact
    facts: tuple[Fact, ...]
    is_kept: bool  # a user asked for a merge that keeps this record


@dataclass(frozen=True)
class MergeRequest:
    """Who asked for the merge, and when, in one sentence; why; and the number of the record that stays."""

    words: str
    reason: str
    keeps: str


@dataclass(frozen=True)
class CandidateRow:
    """A pair as shown: the older record, which a merge keeps by default, and the newer."""

    url: str
    sides: tuple[Side, Side]
    both: str
    why: str
    percent: int
    since: str
    request: MergeRequest | None
    merge_url: str
    not_same_url: str
    ask_url: str


def row(pair: DuplicateCandidate, reader: Any) -> CandidateRow:
    """Returns the pair with what this reader may do. Without a query."""
    older, newer = in_order(pair)
    kept = newer if pair.kept_id == newer.pk else older
    retired = older if kept is newer else newer
    at = [pair.pk]
    merge = f"{reverse('admin:patients_patient_merge', args=[retired.pk])}?into={kept.pk}&queue=1"
    ask = reverse("admin:patients_duplicatecandidate_ask_merge", args=at)
    return CandidateRow(
        url=reverse("admin:patients_duplicatecandidate_change", args=at),
        sides=(_side(older, newer, pair, reader), _side(newer, older, pair, reader)),
        both=gettext("%(one)s and %(other)s") % {"one": older, "other": newer},
        why=", ".join(scoring.IN_WORDS.get(reason, reason) for reason in pair.reasons),  # type: ignore[call-overload]  # a reason is its word
        percent=round(pair.score * 100),
        since=clinic_times.day(pair.found_at),
        request=request_of(pair),
        merge_url=merge if can_open(reader, Permission.PATIENT_MERGE) else "",
        not_same_url=reverse("admin:patients_duplicatecandidate_not_same", args=at),
        ask_url=ask if may_ask(pair, reader) else "",
    )


def in_order(pair: DuplicateCandidate) -> tuple[Patient, Patient]:
    """Returns the older and the newer record."""
    older, newer = sorted((pair.low, pair.high), key=lambda patient: patient.seq)
    return older, newer


def may_ask(pair: DuplicateCandidate, reader: Any) -> bool:
    """Returns whether the reader may ask for the merge of this pair: once, and only who cannot merge."""
    return can_open(reader, Permission.PATIENT_ASK_FOR_MERGE) and pair.merge_asked_at is None


def request_of(pair: DuplicateCandidate) -> MergeRequest | None:
    """Returns the request for the merge of this pair, if there is one."""
    if pair.merge_asked_at is None or pair.merge_asked_by is None:
        return None
    when = f"{clinic_times.day(pair.merge_asked_at)} {clinic_times.clock_time(pair.merge_asked_at)}"
    words = gettext("Merge asked for by %(name)s, %(when)s") % {"name": pair.merge_asked_by.full_name, "when": when}
    return MergeRequest(words, pair.merge_reason, (pair.low if pair.kept_id == pair.low_id else pair.high).mrn)


def _side(patient: Patient, other: Patient, pair: DuplicateCandidate, reader: Any) -> Side:
    known, theirs = _facts(patient, reader), _facts(other, reader)
    (name, _), *labels = known.items()
    facts = tuple(Fact(label, text, label != "MRN" and text != theirs[label]) for label, text in labels)
    url = reverse("admin:patients_patient_change", args=[patient.pk])
    return Side(url, Fact(name, known[name], known[name] != theirs[name]), facts, pair.kept_id == patient.pk)


def _facts(patient: Patient, reader: Any) -> dict[str, str]:
    """Returns the facts that identify a person, as far as the reader may see them, the name first."""
    sex = {gettext("Sex"): str(patient.get_gender_display())} if can_open(reader, Permission.PATIENT_SEE_DETAILS) else {}
    return {
        gettext("Name"): patient.filed_name,
        gettext("Born"): ages.born_and_age(patient),
        **sex,
        "MRN": patient.mrn,
        gettext("Phone"): patient.phone or gettext("None"),
    }
