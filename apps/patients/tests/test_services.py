"""Registering, amending, the chart and transfers, at the services and past them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from apps.access.actor import SYSTEM
from apps.audit.models import AuditEvent
from apps.common.errors import Forbidden, Invalid, NotFound
from apps.events.models import OutboxEvent
from apps.patients import services
from apps.patients.models import AllergyStatus, ChartEntry, Patient, PatientIdentifier, SearchWord
from apps.patients.services import NewEntry, Registration
from apps.patients.tests.factories import chart, register_patient

pytestmark = pytest.mark.django_db


def facts(name: str) -> list[dict[str, Any]]:
    return list(OutboxEvent.objects.filter(name=name).order_by("id").values_list("payload", flat=True))


# --- the person


def test_registration_opens_a_record_says_so_and_is_on_record() -> None:
    patient = register_patient()
    assert facts("patient.registered") == [{"patient_id": str(patient.pk)}]
    assert AuditEvent.objects.get(action="patient.registered").patient_id == patient.pk


def test_no_name_travels_in_a_fact() -> None:
    patient = register_patient("Zebulon", "Quartermain")
    services.amend(by=SYSTEM, patient_id=patient.pk, changes={"first_name": "Zebadiah"})
    chart(patient, display="Secret disease")
    payloads = str(list(OutboxEvent.objects.values_list("payload", flat=True)))
    assert not any(word in payloads for word in ("Zeb", "Quartermain", "Secret"))


def test_an_mrn_is_issued_when_none_is_brought_and_kept_when_one_is() -> None:
    assert register_patient().mrn.startswith("MRN")
    assert register_patient(mrn="mrn-Abc1").mrn == "mrn-Abc1"


def test_an_mrn_is_taken_in_any_case() -> None:
    register_patient(mrn="Mrn001")
    with pytest.raises(services.MrnTaken):
        register_patient(mrn="mRN001")
    assert Patient.objects.count() == 1
    assert len(facts("patient.registered")) == 1


def test_numbers_that_patients_brought_along_are_stepped_over() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM patient_mrn_seq")
        last = cursor.fetchone()[0]
    for ahead in (1, 2, 3):
        register_patient(mrn=services.registry.rules.mrn_from(last + ahead).lower())
    assert register_patient().mrn not in {row.mrn.upper() for row in Patient.objects.exclude(mrn__startswith="MRN")}


@pytest.mark.django_db(transaction=True)
def test_two_hundred_registrations_at_once_get_two_hundred_numbers() -> None:
    def one(number: int) -> str:
        try:
            return register_patient(last_name=f"Rush{number}").mrn
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(one, range(200)))) == 200


def test_a_namesake_born_the_same_day_is_pointed_out() -> None:
    first = register_patient("José", "Álvarez")
    registration = Registration(first_name="JOSE", last_name="Alvarez", date_of_birth=first.date_of_birth, gender="male")
    assert services.register(by=SYSTEM, registration=registration).matches[0].patient == first


@pytest.mark.parametrize("born", [date.today() + timedelta(days=3), date(1890, 1, 1)])
def test_an_impossible_birth_opens_no_record(born: date) -> None:
    with pytest.raises(Invalid):
        register_patient(born=born)
    assert not Patient.objects.exists()


def test_amending_changes_what_is_named_and_keeps_the_rest() -> None:
    patient = register_patient(street="123 Main St", city="Anytown")
    services.amend(by=SYSTEM, patient_id=patient.pk, changes={"city": "Newtown"})
    patient.refresh_from_db()
    assert (patient.street, patient.city) == ("123 Main St", "Newtown")
    assert facts("patient.updated") == [{"patient_id": str(patient.pk), "changes": ["city"]}]


def test_amending_to_the_same_says_nothing() -> None:
    patient = register_patient(city="Anytown")
    services.amend(by=SYSTEM, patient_id=patient.pk, changes={"city": "Anytown"})
    assert facts("patient.updated") == []


def test_an_mrn_is_never_changed() -> None:
    patient = register_patient(mrn="A1")
    with pytest.raises(Invalid):
        services.amend(by=SYSTEM, patient_id=patient.pk, changes={"mrn": "A2"})


@pytest.mark.django_db(transaction=True)
def test_two_people_amending_different_things_lose_nothing() -> None:
    patient = register_patient()
    columns = ["city", "street", "zip", "phone", "email", "state", "language", "middle_name"]

    def amend(column: str) -> None:
        try:
            services.amend(by=SYSTEM, patient_id=patient.pk, changes={column: f"{column}@x.y"[:10]})
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(amend, columns))
    patient.refresh_from_db()
    assert [getattr(patient, column) for column in columns] == [f"{column}@x.y"[:10] for column in columns]


def test_deactivating_takes_a_patient_off_the_list_and_back() -> None:
    patient = register_patient()
    assert services.deactivate(by=SYSTEM, patient_id=patient.pk).is_active is False
    with pytest.raises(services.AlreadyInactive):
        services.deactivate(by=SYSTEM, patient_id=patient.pk)
    assert services.reactivate(by=SYSTEM, patient_id=patient.pk).is_active is True
    with pytest.raises(services.AlreadyActive):
        services.reactivate(by=SYSTEM, patient_id=patient.pk)
    assert [len(facts(f"patient.{word}")) for word in ("deactivated", "reactivated")] == [1, 1]


def test_a_new_name_replaces_the_words_one_is_found_by() -> None:
    patient = register_patient("Jane", "Maiden")
    services.amend(by=SYSTEM, patient_id=patient.pk, changes={"last_name": "Married"})
    words = set(SearchWord.objects.filter(seq=patient.seq).values_list("word", flat=True))
    assert "married" in words
    assert "maiden" not in words


@pytest.mark.parametrize(
    "wrong",
    [
        {"gender": "x"},
        {"first_name": "   ", "last_name": ""},
        {"first_name": "Na\nme"},
        {"last_name": "a\u202eb"},
        {"middle_name": "\u200b"},
        {"emergency_name": "a\tb"},
        {"date_of_birth_precision": "guess"},
        {"date_of_birth_precision": "month"},
        {"date_of_birth_precision": "estimated", "date_of_birth": date(1980, 5, 1)},
        {"date_of_birth_precision": "year", "date_of_birth": date(1980, 1, 1), "time_of_birth": time(5, 0)},
        {"mrn": "a b"},
        {"mrn": ""},
        {"allergy_status": "maybe"},
        {"date_of_birth": date(1700, 1, 1)},
    ],
    ids=str,
)
def test_the_database_refuses_a_patient_who_cannot_be(wrong: dict[str, Any]) -> None:
    patient = register_patient()
    with pytest.raises(IntegrityError), transaction.atomic():
        Patient.objects.filter(pk=patient.pk).update(**wrong)


def test_the_database_keeps_mrns_apart_in_any_case() -> None:
    register_patient(mrn="abc")
    other = register_patient()
    with pytest.raises(IntegrityError), transaction.atomic():
        Patient.objects.filter(pk=other.pk).update(mrn="ABC")


# --- the chart


def test_an_entry_is_recorded_announced_and_on_record() -> None:
    patient = register_patient()
    entry = chart(patient, "diagnosis", "Essential hypertension", code_system="ICD-10-CM", code="I10")
    assert (entry.status, entry.source) == ("active", "manual")
    assert facts("chart.recorded") == [{"patient_id": str(patient.pk), "entry_id": str(entry.pk), "type": "diagnosis"}]
    assert AuditEvent.objects.get(action="chart.recorded").object_id == entry.pk


@pytest.mark.parametrize(
    ("details", "field"),
    [
        ({"entry_type": "horoscope"}, "type"),
        ({"status": "final"}, "status"),
        ({"code": "I10"}, "code_system"),
        ({"code_system": "ICD-9", "code": "401"}, "code_system"),
        ({"display": "  "}, "display"),
        ({"value": 5}, "value"),
        ({"detail": {"lot_number": "x"}}, "detail.lot_number"),
        ({"detail": {"severity": "terrible"}}, "detail.severity"),
        ({"detail": {"note": 5}}, "detail.note"),
        ({"detail": {"note": "x" * 4_001}}, "detail.note"),
        pytest.param({"occurred_at": timezone.now() + timedelta(hours=1)}, "occurred_at", id="to come"),
        ({"occurred_at": datetime.fromisoformat("1979-01-01T00:00:00+00:00")}, "occurred_at"),
        pytest.param({"ended_at": timezone.now() - timedelta(days=1)}, "ended_at", id="ended before it began"),
    ],
    ids=str,
)
def test_what_cannot_stand_in_a_chart_is_refused_by_name(details: dict[str, Any], field: str) -> None:
    patient = register_patient()
    with pytest.raises(Invalid) as refusal:
        chart(patient, **details)
    assert refusal.value.details["field"] == field
    assert not ChartEntry.objects.exists()


def test_allergies_have_three_states() -> None:
    patient = register_patient()
    states = [patient.allergy_status]
    services.record_no_known_allergies(by=SYSTEM, patient_id=patient.pk)
    states.append(Patient.objects.get().allergy_status)
    penicillin = chart(patient, "allergy", "Penicillin")
    states.append(Patient.objects.get().allergy_status)
    services.retract(by=SYSTEM, patient_id=patient.pk, entry_id=penicillin.pk, reason="Wrong patient")
    states.append(Patient.objects.get().allergy_status)
    assert states == [AllergyStatus.NOT_ASKED, AllergyStatus.NONE_KNOWN, AllergyStatus.LISTED, AllergyStatus.NOT_ASKED]


def test_no_known_allergies_is_refused_where_some_are_listed() -> None:
    patient = register_patient()
    chart(patient, "allergy", "Peanut")
    with pytest.raises(services.AllergiesListed):
        services.record_no_known_allergies(by=SYSTEM, patient_id=patient.pk)
    assert ChartEntry.objects.count() == 1


def test_a_retracted_entry_stays_with_its_reason_and_is_retracted_once() -> None:
    patient = register_patient()
    entry = chart(patient)
    services.retract(by=SYSTEM, patient_id=patient.pk, entry_id=entry.pk, reason="Wrong chart")
    entry.refresh_from_db()
    assert (entry.status, entry.retraction_reason) == ("entered_in_error", "Wrong chart")
    with pytest.raises(services.AlreadyRetracted):
        services.retract(by=SYSTEM, patient_id=patient.pk, entry_id=entry.pk, reason="Again")
    assert len(facts("chart.retracted")) == 1


def test_an_entry_is_not_retracted_through_another_patient() -> None:
    entry, other = chart(register_patient()), register_patient()
    with pytest.raises(NotFound):
        services.retract(by=SYSTEM, patient_id=other.pk, entry_id=entry.pk, reason="x")


def test_a_pharmacist_records_an_allergy_and_nothing_else(staff: dict[str, Any]) -> None:
    patient = register_patient()
    services.record(by=staff["pharmacist"], patient_id=patient.pk, entry=NewEntry(type="allergy", display="Codeine"))
    with pytest.raises(Forbidden):
        services.record(by=staff["pharmacist"], patient_id=patient.pk, entry=NewEntry(type="diagnosis", display="Flu"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "horoscope"},
        {"source": "rumour"},
        {"display": " "},
        {"code": "I10", "code_system": ""},
        {"ended_at": F("occurred_at") - timedelta(days=1)},
        {"status": "entered_in_error"},
        {"retraction_reason": "why"},
    ],
    ids=str,
)
def test_the_database_refuses_an_entry_that_cannot_be(wrong: dict[str, Any]) -> None:
    entry = chart(register_patient())
    with pytest.raises(IntegrityError), transaction.atomic():
        ChartEntry.objects.filter(pk=entry.pk).update(**wrong)


# --- transfers


def transfer(ref: str = "A", entries: tuple[NewEntry, ...] = (), **details: Any) -> services.ImportedPatient:
    registration = Registration(first_name="Trans", last_name="Ferred", date_of_birth=date(1970, 1, 1), gender="other", **details)
    return services.import_patient(
        by=SYSTEM, source="import", system="elsewhere", ref=ref, registration=registration, entries=entries
    )


ENTRIES = (
    NewEntry(type="allergy", display="Latex", source_ref="A-1"),
    NewEntry(type="note", display="Discharge letter", source_ref="A-2", detail={"text": "Well."}),
)


def test_a_transfer_brings_the_person_the_chart_and_the_old_number() -> None:
    done = transfer(entries=ENTRIES)
    assert (done.opened, done.entries_added) == (True, 2)
    assert Patient.objects.get().allergy_status == AllergyStatus.LISTED
    assert PatientIdentifier.objects.get(system="elsewhere", value="A").patient_id == done.patient.pk
    assert facts("patient.transferred_in") == [{"patient_id": str(done.patient.pk), "source": "elsewhere", "entries": 2}]


def test_a_transfer_repeated_changes_nothing_and_says_nothing() -> None:
    transfer(entries=ENTRIES)
    again = transfer(entries=ENTRIES)
    assert (again.opened, again.entries_added) == (False, 0)
    assert (Patient.objects.count(), ChartEntry.objects.count(), len(facts("patient.transferred_in"))) == (1, 2, 1)


def test_a_transfer_with_one_bad_entry_brings_nothing() -> None:
    with pytest.raises(Invalid):
        transfer(entries=(*ENTRIES, NewEntry(type="note", display="", source_ref="A-3")))
    assert (Patient.objects.count(), ChartEntry.objects.count(), OutboxEvent.objects.count()) == (0, 0, 0)
