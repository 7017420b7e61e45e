"""Duplicates over the API, in the admin, past the services, and what looking for them costs."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, browser
from apps.audit.models import AuditEvent
from apps.common.errors import Invalid
from apps.events.models import OutboxEvent
from apps.patients import selectors, services
from apps.patients.chart import dates
from apps.patients.matching import duplicates, scoring
from apps.patients.matching.scoring import Person
from apps.patients.models import NotDuplicate, Patient
from apps.patients.services import Registration
from apps.patients.tests import bulk_patients
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db

JON = {"first_name": "Jhon", "last_name": "Doe", "date_of_birth": "1980-05-15", "gender": "male"}
ROW_KEYS = {"id", "mrn", "first_name", "last_name", "date_of_birth", "phone", "email", "is_active"}
ADD = "/admin/patients/patient/add/"


@pytest.fixture
def receptionist_api(staff: dict[str, User]) -> Any:
    return api_client(staff["receptionist"])


def candidates(who: Any, **changes: Any) -> list[dict[str, Any]]:
    reply = who.post("/patients/match", JON | changes)
    assert reply.status_code == 200, reply.content
    return reply.json()["data"]["candidates"]


# Matching over the API


def test_a_match_names_the_patient_the_score_and_the_reasons(receptionist_api: Any) -> None:
    john = register_patient(phone="(213) 373-4253")
    register_patient("Other", "Person")
    (match,) = candidates(receptionist_api, phone="373-4253")
    assert set(match) == {"patient", "score", "reasons"}
    assert set(match["patient"]) == ROW_KEYS
    assert match["patient"]["id"] == str(john.pk)
    assert 0.9 <= match["score"] <= 1
    assert match["reasons"] == ["misspelt_name", "same_birth_date", "same_phone"]


@pytest.mark.parametrize(
    "changes",
    [
        {"first_name": "Doe", "last_name": "John"},
        {"date_of_birth": "1981-05-15"},
        {"date_of_birth": "1990-05-15"},
        {"last_name": "Do"},
        {"contact": {"email": "JOHN@doe.test"}, "last_name": "Papadopoulos"},
        {"insurance": {"policy_number": "bc-1"}, "date_of_birth": "1980-11-15"},
        {"phone": "373 4253", "last_name": "Papadopoulos"},
        {"date_of_birth": "1962-11-30", "address": {"street": "1 Elm St"}, "phone": "373 4253"},
    ],
    ids=str,
)
def test_every_block_finds_its_people(receptionist_api: Any, changes: dict[str, Any]) -> None:
    john = register_patient(phone="(213) 373-4253", email="john@doe.test", insurance_policy_number="BC-1", street="1 Elm Street")
    assert [match["patient"]["id"] for match in candidates(receptionist_api, **{"first_name": "John"} | changes)] == [
        str(john.pk)
    ]


def test_a_flipped_birth_date_is_pointed_out(receptionist_api: Any) -> None:
    register_patient(born=date(1980, 5, 4))
    (match,) = candidates(receptionist_api, date_of_birth="1980-04-05")
    assert "birth_flipped" in match["reasons"]


def test_the_best_come_first_and_at_most_ten(receptionist_api: Any) -> None:
    for number in range(12):
        register_patient("Johnny" if number else "Jhon", phone=f"(213) 373-42{number:02}")
    matches = candidates(receptionist_api)
    assert len(matches) == 10
    assert matches[0]["patient"]["first_name"] == "Jhon"
    assert [row["score"] for row in matches] == sorted((row["score"] for row in matches), reverse=True)


def test_a_merged_record_is_no_candidate(receptionist_api: Any) -> None:
    john, other = register_patient(), register_patient("Somebody", "Else")
    Patient.objects.filter(pk=john.pk).update(merged_into=other)
    assert candidates(receptionist_api) == []


def test_matching_writes_nothing_but_the_audit_row(receptionist_api: Any, staff: dict[str, User]) -> None:
    john = register_patient()
    before = (Patient.objects.count(), OutboxEvent.objects.count(), NotDuplicate.objects.count())
    candidates(receptionist_api)
    assert (Patient.objects.count(), OutboxEvent.objects.count(), NotDuplicate.objects.count()) == before
    row = AuditEvent.objects.get(action="patient.matched")
    assert (row.user_id, row.detail) == (staff["receptionist"].pk, {"shown": 1, "patients": [str(john.pk)]})


@pytest.mark.parametrize(
    "body", [JON | {"colour": "red"}, JON | {"date_of_birth": "15.5.1980"}, {"last_name": "Doe"}, []], ids=str
)
def test_a_match_wants_a_registration(receptionist_api: Any, body: Any) -> None:
    assert receptionist_api.post("/patients/match", body).status_code == 400
    assert not AuditEvent.objects.filter(action="patient.matched").exists()


def test_only_those_who_register_may_match(staff: dict[str, User]) -> None:
    allowed = {role for role, user in staff.items() if api_client(user).post("/patients/match", JON).status_code == 200}
    assert allowed == {"admin", "doctor", "nurse", "receptionist"}


def test_a_registration_is_warned_of_with_reasons_and_never_blocked(receptionist_api: Any) -> None:
    john = register_patient()
    reply = receptionist_api.post("/patients", JON)
    assert reply.status_code == 201
    (warning,) = reply.json()["warnings"]
    assert (warning["code"], [set(row) for row in warning["patients"]]) == ("possible_duplicate", [ROW_KEYS])
    assert warning["matches"] == [
        {"patient_id": str(john.pk), "score": warning["matches"][0]["score"], "reasons": ["misspelt_name", "same_birth_date"]}
    ]


def test_the_patients_that_a_warning_shows_are_audited(receptionist_api: Any, staff: dict[str, User]) -> None:
    john = register_patient()
    created = receptionist_api.post("/patients", JON).json()["data"]["patient"]["id"]
    row = AuditEvent.objects.get(action="patient.matched")
    assert (row.user_id, row.detail) == (staff["receptionist"].pk, {"shown": 1, "patients": [str(john.pk)]})
    receptionist_api.put(f"/patients/{created}", {"city": "Oakland"})
    assert AuditEvent.objects.filter(action="patient.matched").count() == 1  # nothing that is compared: no other patient is shown
    receptionist_api.put(f"/patients/{created}", {"first_name": "Jonn"})
    assert AuditEvent.objects.filter(action="patient.matched").latest("pk").detail["patients"] == [str(john.pk)]
    assert AuditEvent.objects.filter(action="patient.matched").count() == 2


# Not the same person


def test_two_people_are_marked_as_not_the_same_once_and_are_not_suggested_again(
    receptionist_api: Any, staff: dict[str, User]
) -> None:
    john, jon = register_patient(), register_patient("Jhon")
    assert [match.patient for match in selectors.duplicates_of(john, visible_to=SYSTEM)] == [jon]
    pair = receptionist_api.post(f"/patients/{jon.pk}/not-same", {"other_id": str(john.pk)}).json()["data"]["pair"]
    assert (pair["patient_id"], pair["other_id"]) == (str(jon.pk), str(john.pk))
    assert pair["said_by"] == str(staff["receptionist"].pk)
    assert selectors.duplicates_of(john, visible_to=SYSTEM) == selectors.duplicates_of(jon, visible_to=SYSTEM) == []
    assert OutboxEvent.objects.get(name="patient.told_apart").payload == {"patient_id": str(jon.pk), "other_id": str(john.pk)}
    assert AuditEvent.objects.get(action="patient.told_apart").patient_id == jon.pk
    for one, other in ((john, jon), (jon, john)):
        assert receptionist_api.post(f"/patients/{one.pk}/not-same", {"other_id": str(other.pk)}).status_code == 409
    assert NotDuplicate.objects.count() == 1


def test_a_patient_is_not_distinguished_from_themselves_or_from_an_unknown_record(receptionist_api: Any) -> None:
    john = register_patient()
    for other in (str(john.pk), "00000000-0000-7000-8000-000000000000", "x"):
        reply = receptionist_api.post(f"/patients/{john.pk}/not-same", {"other_id": other})
        assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, "other_id")
    assert receptionist_api.post(f"/patients/{john.pk}/not-same", {}).status_code == 400
    unknown_id = "00000000-0000-7000-8000-000000000000"
    assert receptionist_api.post(f"/patients/{unknown_id}/not-same", {"other_id": str(john.pk)}).status_code == 404
    assert not NotDuplicate.objects.exists()


def test_users_who_compare_no_records_may_not_mark_patients_as_different(staff: dict[str, User]) -> None:
    john, jon = register_patient(), register_patient("Jhon")
    for role in ("billing", "pharmacist", "lab_technician"):
        assert api_client(staff[role]).post(f"/patients/{john.pk}/not-same", {"other_id": str(jon.pk)}).status_code == 403


def test_the_database_keeps_a_pair_in_order_and_once() -> None:
    low, high = sorted([register_patient(), register_patient("Jhon")], key=lambda row: row.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        NotDuplicate.objects.create(low=high, high=low)
    services.mark_not_duplicate(by=SYSTEM, patient_id=high.pk, other_id=low.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        NotDuplicate.objects.create(low=low, high=high)
    with pytest.raises(Invalid):
        services.mark_not_duplicate(by=SYSTEM, patient_id=low.pk, other_id=low.pk)


# The admin

TYPED = {"first_name": "Jhon", "last_name": "Doe", "date_of_birth": "1980-05-15", "gender": "male", "city": "Oakland"}


def test_the_desk_is_shown_who_it_may_be_before_anything_is_saved(staff: dict[str, User]) -> None:
    john, client = register_patient(), browser(staff["receptionist"])
    shown = client.post(ADD, TYPED)
    page = shown.content.decode()
    assert Patient.objects.count() == 1
    assert shown.context["adminform"].form["city"].value() == "Oakland"
    assert reverse("admin:patients_patient_change", args=[john.pk]) in page
    assert all(words in page for words in ("Use this one", "name nearly the same", "same date of birth", "I checked"))
    assert AuditEvent.objects.get(action="patient.matched").detail["patients"] == [str(john.pk)]
    assert client.post(ADD, TYPED).context["lookalike_ids"] == str(john.pk)  # saving again is no answer
    assert Patient.objects.count() == 1


def test_who_was_ticked_off_is_registered_and_remembered(staff: dict[str, User]) -> None:
    john, client = register_patient(), browser(staff["receptionist"])
    shown = client.post(ADD, TYPED).context["lookalike_ids"]
    assert client.post(ADD, TYPED | {"not_same": shown}).status_code == 302
    jon = Patient.objects.get(first_name="Jhon")
    assert NotDuplicate.objects.get().decided_by_id == staff["receptionist"].pk
    assert selectors.duplicates_of(jon, visible_to=SYSTEM) == []
    assert jon.city == "Oakland"
    assert {john.pk, jon.pk} == set(NotDuplicate.objects.values_list("low_id", "high_id").get())


def test_a_patient_who_was_not_shown_is_not_ticked_off(staff: dict[str, User]) -> None:
    client = browser(staff["receptionist"])
    register_patient()
    shown = client.post(ADD, TYPED).context["lookalike_ids"]
    later = register_patient("Johnn")
    page = client.post(ADD, TYPED | {"not_same": shown})
    assert str(later.pk) in page.context["lookalike_ids"]
    assert not Patient.objects.filter(first_name="Jhon").exists()


def test_a_patients_page_shows_possible_duplicates(staff: dict[str, User]) -> None:
    john, jon = register_patient(), register_patient("Jhon")
    address = reverse("admin:patients_patient_details", args=[john.pk])
    first_tab = browser(staff["receptionist"]).get(reverse("admin:patients_patient_change", args=[john.pk])).content.decode()
    assert "May be the same as" in first_tab
    client = browser(staff["nurse"])
    page = client.get(address).content.decode()
    not_same_page = reverse("admin:patients_patient_not_same", args=[john.pk])
    assert "May be the same as" in page
    assert f"{not_same_page}?other={jon.mrn}" in page
    assert f'value="{jon.mrn}"' in client.get(f"{not_same_page}?other={jon.mrn}").content.decode()
    assert "No patient has this MRN" in client.post(not_same_page, {"other": "MRN-NOBODY"}).content.decode()
    assert "the other person" in client.post(not_same_page, {"other": john.mrn}).content.decode()
    assert client.post(not_same_page, {"other": jon.mrn.lower()}).status_code == 302
    assert "May be the same as" not in client.get(address).content.decode()
    assert "already recorded" in client.post(not_same_page, {"other": jon.mrn}).content.decode()


def test_users_who_may_not_match_are_shown_no_duplicates(staff: dict[str, User]) -> None:
    john, _ = register_patient(), register_patient("Jhon")
    for name in ("change", "details"):
        reply = browser(staff["billing"]).get(reverse(f"admin:patients_patient_{name}", args=[john.pk]), follow=True)
        assert reply.status_code == 200
        assert "May be the same as" not in reply.content.decode()


# What it costs


def statements(action: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(connection) as caught:
        action()
    return [row["sql"] for row in caught if row["sql"].split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")]


def test_looking_costs_the_same_few_statements_however_many_look_alike() -> None:
    person = services.described_person(
        services.Registration(**JON | {"date_of_birth": date(1980, 5, 15), "phone": "213 373 4253"})
    )
    counts = set()
    for _ in range(3):
        register_patient(phone="(213) 373-4253")
        counts.add(
            (
                len(statements(lambda: selectors.likely_matches(visible_to=SYSTEM, person=person))),
                len(statements(lambda: selectors.possible_matches(visible_to=SYSTEM, person=person))),
            )
        )
    assert counts == {(2, 3)}


@pytest.mark.full
def test_no_block_reads_the_whole_list_of_fifty_thousand() -> None:
    bulk_patients.insert_patients(50_000)
    known = Patient.objects.order_by("seq")[777]
    person = duplicates.person_of(known)
    (match, *_) = selectors.possible_matches(visible_to=SYSTEM, person=person)
    assert (match.patient, match.score) == (known, 1.0)
    for thorough in (False, True):
        plan = duplicates._candidates(person, Patient.objects.unmerged(), thorough).explain()
        assert "Seq Scan on patients_patient" not in plan, plan
        assert "Seq Scan on patients_searchword" not in plan, plan


# A duplicate by another birth, by an edit, among many who share a telephone


KWAME = {"first_name": "Kwame", "last_name": "Boateng-Addo", "gender": "male", "phone": "213-373-4911"}


@pytest.mark.parametrize(
    ("one", "other"), [("1975-01-01", "1973-08-19"), ("1973-08-19", "1975-01-01"), ("1973-08-19", "1979-03-02")]
)
def test_the_same_name_and_telephone_warn_whatever_the_birth(receptionist_api: Any, one: str, other: str) -> None:
    known = receptionist_api.post("/patients", KWAME | {"date_of_birth": one}).json()["data"]["patient"]["id"]
    reply = receptionist_api.post("/patients", KWAME | {"date_of_birth": other})
    (warning,) = reply.json()["warnings"]
    assert (reply.status_code, warning["code"]) == (201, "possible_duplicate")
    (match,) = warning["matches"]
    assert match["patient_id"] == known
    assert {"same_name", "same_phone"} <= set(match["reasons"])


def test_a_telephone_that_hundreds_share_hides_no_duplicate(receptionist_api: Any) -> None:
    number = "+254 712 345 672"
    john = register_patient("Kamau", "Otieno", date(1975, 1, 1), phone=number)
    for count in range(45):
        register_patient(
            f"Guest{'abcdefghij'[count // 10]}{'abcdefghij'[count % 10]}", "Shelter", date(1950 + count, 3, 9), phone=number
        )
    body = {"first_name": "Kamau", "last_name": "Otieno", "date_of_birth": "1977-11-30", "gender": "male", "phone": number}
    (warning,) = receptionist_api.post("/patients", body).json()["warnings"]
    assert [match["patient_id"] for match in warning["matches"]] == [str(john.pk)]


def test_a_patient_who_is_edited_into_another_is_pointed_out(receptionist_api: Any, staff: dict[str, User]) -> None:
    john, other = register_patient(), register_patient("Peter", "Pan", date(1999, 9, 9))
    for method in ("PUT", "PATCH"):
        assert "warnings" not in receptionist_api.call(method, f"/patients/{other.pk}", {"address": {"city": "Here"}}).json()
        body = {"first_name": "John", "last_name": "Doe", "date_of_birth": "1980-05-15"}
        reply = receptionist_api.call(method, f"/patients/{other.pk}", body)
        (warning,) = reply.json()["warnings"]
        assert (reply.status_code, warning["code"]) == (200, "possible_duplicate")
        assert [match["patient_id"] for match in warning["matches"]] == [str(john.pk)]
    billing = api_client(staff["billing"]).put(f"/patients/{other.pk}", {"insurance": {"policy_number": "P-1"}})
    assert (billing.status_code, "warnings" in billing.json()) == (200, False)
    services.mark_not_duplicate(by=SYSTEM, patient_id=john.pk, other_id=other.pk)
    assert "warnings" not in receptionist_api.put(f"/patients/{other.pk}", {"phone": "(213) 373-4253"}).json()


# Two at the same moment


def waits_or_ends(act: Future, seconds: float = 60) -> None:
    """Return as soon as the other session waits for a lock, or has ended without one."""
    deadline = time.monotonic() + seconds
    while not act.done() and time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone()[0]:
                return
    assert act.done()


def aside(act: Callable[[], Any]) -> Any:
    try:
        return act()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "again",
    [
        {},
        {"first_name": "Jhon"},
        {"date_of_birth": date(1980, 5, 16)},
        {"date_of_birth": date(1981, 5, 15)},
        {"date_of_birth": date(1980, 5, 2)},
        {"date_of_birth": date(1974, 11, 30), "phone": "373 4253"},
    ],
    ids=str,
)
def test_of_two_registered_at_the_same_moment_the_second_is_pointed_out(again: dict[str, Any]) -> None:
    john = Registration(
        first_name="John", last_name="Doe", date_of_birth=date(1980, 5, 15), gender="male", phone="(213) 373-4253"
    )
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first = services.register(by=SYSTEM, registration=john)
            second = pool.submit(aside, lambda: services.register(by=SYSTEM, registration=replace(john, **again)))
            waits_or_ends(second)
        assert first.matches == []
        assert [match.patient for match in second.result(60).matches] == [first.patient]


@pytest.mark.django_db(transaction=True)
def test_a_patient_edited_to_match_a_simultaneous_registration_is_pointed_out() -> None:
    other = register_patient("Peter", "Pan", date(1999, 9, 9))
    changes = {"first_name": "John", "last_name": "Doe", "date_of_birth": date(1980, 5, 15)}

    @transaction.atomic
    def edit() -> list[Patient]:
        patient = services.amend(by=SYSTEM, patient_id=other.pk, changes=changes)
        return [match.patient for match in selectors.duplicates_of(patient, visible_to=SYSTEM)]

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            john = register_patient()
            edited = pool.submit(aside, edit)
            waits_or_ends(edited)
        assert edited.result(60) == [john]


@pytest.mark.django_db(transaction=True)
def test_strangers_are_registered_at_the_same_moment_without_waiting() -> None:
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        register_patient(phone="(213) 373-4253")
        other = pool.submit(aside, lambda: register_patient("Mary", "Major", date(1961, 7, 4), phone="(310) 555-0199"))
        assert other.result(60).last_name == "Major"  # while the first has not ended


@given(st.dates(date(1900, 1, 1), date(2026, 1, 1)))
def test_births_that_may_be_one_take_turns(born: date) -> None:
    keys = set(scoring.shared_values(Person(first_name="A", last_name="B", date_of_birth=born)))
    for near in dates.near_days(born):
        assert keys & set(scoring.shared_values(Person(first_name="A", last_name="B", date_of_birth=near))), near


def test_a_colleague_who_registers_the_same_person_meanwhile_is_not_overlooked() -> None:
    john = Registration(first_name="John", last_name="Doe", date_of_birth=date(1980, 5, 15), gender="male")
    seen, unseen = register_patient(), register_patient()
    with pytest.raises(services.UnreviewedMatches) as refusal, transaction.atomic():
        services.register_despite_matches(by=SYSTEM, registration=john, others=[seen.pk])
    assert {match.patient for match in refusal.value.details["matches"]} == {seen, unseen}
    assert Patient.objects.count() == 2
