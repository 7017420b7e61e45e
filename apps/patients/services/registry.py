"""Registers, changes and deactivates patients: the demographics of the record."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction

from apps.access.actor import Actor
from apps.common import clock, text
from apps.common.errors import Conflict, Forbidden, Invalid
from apps.common.ids import new_id
from apps.events.services import emit
from apps.patients import rules, selectors
from apps.patients.chart import dates
from apps.patients.chart.dates import Precision
from apps.patients.events import PatientDeactivated, PatientReactivated, PatientRegistered, PatientUpdated
from apps.patients.matching import duplicates
from apps.patients.matching.duplicates import Match
from apps.patients.matching.scoring import Person
from apps.patients.models import Merge, Patient, SearchWord
from apps.patients.ports import booked_appointments
from apps.patients.rights import Permission
from apps.patients.search import search_terms, sql
from apps.patients.sql import next_mrn_number

INSURANCE = frozenset({"insurance_provider", "insurance_policy_number", "insurance_group_number"})
BIRTH = frozenset({"date_of_birth", "date_of_birth_precision", "time_of_birth"})
_SEARCHED = frozenset({"first_name", "middle_name", "last_name", "mrn", "phone"})


class MrnTaken(Conflict):
    message = "Another patient already has this MRN."


class InsuranceOnly(Forbidden):
    message = "Your role may change the insurance only."


class AlreadyInactive(Conflict):
    message = "The patient is already inactive."


class AlreadyActive(Conflict):
    message = "The patient is already active."


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The data of a registration. An empty `mrn` lets the server issue the next."""

    first_name: str
    last_name: str
    date_of_birth: date
    gender: str
    date_of_birth_precision: str = Precision.DAY
    time_of_birth: time | None = None
    mrn: str = ""
    middle_name: str = ""
    language: str = ""
    deceased_at: datetime | None = None
    phone: str = ""
    email: str = ""
    street: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""
    emergency_name: str = ""
    emergency_relationship: str = ""
    emergency_phone: str = ""
    insurance_provider: str = ""
    insurance_policy_number: str = ""
    insurance_group_number: str = ""


@dataclass(frozen=True)
class Registered:
    """The new patient, and recorded ones who are likely the same person."""

    patient: Patient
    matches: list[Match]


@transaction.atomic
def register(*, by: Actor, registration: Registration, patient_id: UUID | None = None) -> Registered:
    """Opens a record. Raises Invalid for an impossible birth or MRN, MrnTaken for an MRN in use in any case."""
    person = described_person(registration)
    duplicates.lock_likely_records(person)
    matches = selectors.likely_matches(visible_to=by, person=person)
    patient = open_record(registration, patient_id)
    emit(PatientRegistered(patient_id=patient.pk), by=by)
    return Registered(patient=patient, matches=matches)


def described_person(registration: Registration) -> Person:
    """Returns the person that a registration describes, for comparison with recorded patients."""
    return Person(
        first_name=registration.first_name,
        middle_name=registration.middle_name,
        last_name=registration.last_name,
        date_of_birth=registration.date_of_birth,
        precision=registration.date_of_birth_precision,
        gender=registration.gender,
        phone=registration.phone,
        phone_e164=rules.e164(registration.phone, settings.CLINIC_COUNTRY),
        email=registration.email,
        street=registration.street,
        zip=registration.zip,
        policy=registration.insurance_policy_number,
    )


def open_record(registration: Registration, patient_id: UUID | None = None) -> Patient:
    """Inserts the patient and the search words; emits nothing (its callers do)."""
    values = _cleaned(asdict(registration))
    _check_names(values["first_name"], values["last_name"])
    _check_birth(values["date_of_birth"], values["date_of_birth_precision"], values["time_of_birth"])
    _check_mrn(values["mrn"])
    check_death(values["date_of_birth"], values["deceased_at"])
    values |= {"phone_e164": rules.e164(values["phone"], settings.CLINIC_COUNTRY)}
    mrn = values.pop("mrn") or next_mrn()
    patient = Patient(id=patient_id or new_id(), mrn=mrn, **values)
    try:
        with transaction.atomic():
            patient.save(force_insert=True)
    except IntegrityError as error:
        if "patient_mrn_once" in str(error):
            raise MrnTaken(field="mrn", mrn=mrn) from error
        raise
    _write_words({patient.seq: words_of(patient)})
    return patient


@transaction.atomic
def amend(*, by: Actor, patient_id: UUID, changes: dict[str, Any]) -> Patient:
    """Changes the named columns; the others keep their values, also with concurrent writers.

    Raises NotFound, Forbidden, and Invalid for an MRN that changes, an impossible birth or an impossible death.
    """
    if not by.has_permission(Permission.PATIENT_AMEND) and (beyond := set(changes) - INSURANCE):
        raise InsuranceOnly(fields=sorted(beyond))
    patient = selectors.get_for_update(by, patient_id)
    if "mrn" in changes and changes["mrn"] != patient.mrn:
        raise Invalid(field="mrn", issue="An MRN never changes. Leave it out.")
    changes = _cleaned(changes)
    _check_names(changes.get("first_name", patient.first_name), changes.get("last_name", patient.last_name))
    changes |= _birth_changes(patient, changes)
    if {"date_of_birth", "deceased_at"} & changes.keys():
        born, died = (changes.get(name, getattr(patient, name)) for name in ("date_of_birth", "deceased_at"))
        check_death(born, died, field="deceased_at" if "deceased_at" in changes else "date_of_birth")
    if "phone" in changes:
        changes |= {"phone_e164": rules.e164(changes["phone"], settings.CLINIC_COUNTRY)}
    changed = patient.amend(**changes)
    if duplicates.COMPARED & set(changed):  # the caller checks next whether it is similar to another record now
        duplicates.lock_likely_records(duplicates.person_of(patient))
    if _SEARCHED & set(changed):
        write_search_words([patient])
    if changed:
        emit(PatientUpdated(patient_id=patient.pk, changes=tuple(changed)), by=by)
    return patient


@transaction.atomic
def deactivate(*, by: Actor, patient_id: UUID) -> Patient:
    """Removes the patient from the active list. The record stays. Raises AlreadyInactive."""
    patient = selectors.get_for_update(by, patient_id)
    if not patient.amend(is_active=False):
        raise AlreadyInactive
    emit(PatientDeactivated(patient_id=patient.pk), by=by)
    return patient


@transaction.atomic
def reactivate(*, by: Actor, patient_id: UUID) -> Patient:
    """Returns the patient to the active list. Raises AlreadyActive."""
    patient = selectors.get_for_update(by, patient_id)
    if not patient.amend(is_active=True):
        raise AlreadyActive
    emit(PatientReactivated(patient_id=patient.pk), by=by)
    return patient


def visits_affected(patient: Patient) -> int:
    """Returns how many booked appointments of the patient cannot take place: those after the death, else, of an inactive patient,
    all future ones."""
    if patient.deceased_at:
        return booked_appointments.booked(patient.pk, patient.deceased_at)
    return 0 if patient.is_active else booked_appointments.booked(patient.pk, clock.now())


def next_mrn() -> str:
    """Returns the next free MRN of our own numbering; numbers from elsewhere are skipped."""
    while True:
        mrn = rules.mrn_from(next_mrn_number())
        if not selectors.mrn_in_use(mrn):
            return mrn


@transaction.atomic
def write_search_words(patients: Iterable[Patient]) -> None:
    """Rewrites the search words of these patients, and adds those of their names to the vocabulary."""
    rows = list(patients)
    absorbed: dict[UUID, list[Patient]] = {patient.pk: [] for patient in rows}
    for retired in Patient.objects.filter(merged_into__in=absorbed):
        absorbed[cast("UUID", retired.merged_into_id)].append(retired)
    for merge in Merge.objects.filter(survivor__in=absorbed, undone_at=None).select_related("survivor"):
        absorbed[merge.survivor_id].append(_before_merge(merge))
    known = SearchWord.objects.filter(seq__in=[patient.seq for patient in rows]).values_list("seq", "word", "shared")
    _write_words({patient.seq: words_of(patient, absorbed[patient.pk]) for patient in rows}, known=set(known))


def _write_words(words_by_seq: Mapping[int, set[str]], *, known: Set[tuple[int, str, int]] = frozenset()) -> None:
    """Writes the rows of these words, by the patient's `seq`, if they differ from the known ones."""
    rows = {(seq, *row) for seq, patient_words in words_by_seq.items() for row in search_terms.rows(patient_words)}
    old, new = known - rows, rows - known
    if old:
        sql.remove_words((seq, word) for seq, word, _ in old)
    SearchWord.objects.bulk_create([SearchWord(seq=seq, word=word, shared=shared) for seq, word, shared in new])
    sql.add_to_vocabulary({word for _, word, _ in rows if word.isalpha()})


def words_of(patient: Patient, absorbed: Iterable[Patient] = ()) -> set[str]:
    """Returns the search words of this patient: the own ones, and the names, MRNs and telephone numbers of merged records.

    A merged record has none: a search for it finds the survivor.
    """
    if patient.merged_into_id:
        return set()
    return set().union(*(_own_words(row) for row in (patient, *absorbed)))


def _before_merge(merge: Merge) -> Patient:
    """Returns the survivor's names and telephone number that a merge replaced: the search still finds the patient by them."""
    replaced = {
        column: merge.fields.get(column, {}).get("before", "") for column in ("first_name", "middle_name", "last_name", "phone")
    }
    number = rules.e164(replaced["phone"], settings.CLINIC_COUNTRY)
    return Patient(mrn=merge.survivor.mrn, phone_e164=number, **replaced)


def _own_words(row: Patient) -> set[str]:
    return rules.search_words(names=_names(row), mrn=row.mrn, phones=rules.phone_forms(row.phone, row.phone_e164))


def _names(patient: Patient) -> list[str]:
    return [patient.first_name, patient.middle_name, patient.last_name]


def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values, with texts as `text.clean_line` returns them. Raises Invalid with the field."""
    return {name: text.checked_line(value, field=name) if isinstance(value, str) else value for name, value in values.items()}


def _check_names(first: str, last: str) -> None:
    if not first and not last:
        raise Invalid(field="last_name", issue=rules.UNNAMED)


def _birth_changes(patient: Patient, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what else changes with the birth. A date sent without its precision keeps the precision if it is the recorded
    date."""
    if BIRTH.isdisjoint(changes):
        return {}
    born = changes.get("date_of_birth", patient.date_of_birth)
    default_precision = patient.date_of_birth_precision if born == patient.date_of_birth else Precision.DAY
    precision = changes.get("date_of_birth_precision", default_precision)
    at = changes.get("time_of_birth", patient.time_of_birth if precision == Precision.DAY else None)
    _check_birth(born, precision, at)
    return {"date_of_birth_precision": precision, "time_of_birth": at}


def _check_birth(born: date, precision: str, at: time | None) -> None:
    if problem := rules.birth_problem(born, clock.today()):
        raise Invalid(field="date_of_birth", issue=problem)
    if problem := dates.precision_problem(born, precision):
        raise Invalid(field="date_of_birth_precision", issue=problem)
    if at is not None and precision != Precision.DAY:
        raise Invalid(field="time_of_birth", issue="A time of birth needs the whole date of birth.")


def _check_mrn(mrn: str) -> None:
    if mrn and not rules.MRN_SHAPE.fullmatch(mrn):
        raise Invalid(field="mrn", issue="An MRN has 1 to 40 letters, digits and dashes.")


def check_death(born: date, died: datetime | None, *, field: str = "deceased_at") -> None:
    """Raises Invalid with the field for a death in the future or before the birth (`rules.death_problem`)."""
    if died is not None and (problem := rules.death_problem(died, born, clock.now(), ZoneInfo(settings.CLINIC_TIME_ZONE))):
        raise Invalid(field=field, issue=problem)
