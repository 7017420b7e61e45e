"""Restricted charts: closed to all but the care team in lists, counts, searches, duplicates, charts and merges."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django.plugin import DjangoDbBlocker

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.accounts.tests.factories import create_staff
from apps.audit.models import AuditEvent
from apps.common.errors import Invalid, NotFound
from apps.common.tests.shared_rows import shared_rows
from apps.events.models import OutboxEvent
from apps.patients import selectors, services
from apps.patients.confidentiality.models import CareTeamMember, Restriction
from apps.patients.lists import patient_queries, sql
from apps.patients.matching import duplicates
from apps.patients.merging import merge_plan
from apps.patients.models import ChartEntry, Merge, MergeTriage, Patient
from apps.patients.search import patient_search
from apps.patients.services import Registration
from apps.patients.tests.bulk_patients import insert_patients
from apps.patients.tests.factories import chart, merge, register_patient, restrict
from apps.patients.tests.test_search import TEXTS, plans
from apps.rest.paging import Total, Window

pytestmark = pytest.mark.django_db
WHY = "A colleague of ours"


def sees(actor: Any, patient: Patient) -> bool:
    return Patient.objects.visible_to(actor).filter(pk=patient.pk).exists()


def again(patient: Patient) -> Patient:
    return Patient.objects.get(pk=patient.pk)


# Who sees it


def test_a_restricted_chart_is_there_for_its_care_team_alone(staff: dict[str, User]) -> None:
    patient = register_patient()
    restrict(patient, staff["nurse"], staff["pharmacist"])
    assert {role for role, user in staff.items() if sees(user, patient)} == {"nurse", "pharmacist"}
    assert sees(SYSTEM, patient)


def test_a_doctor_with_a_visit_sees_the_chart_without_being_named(staff: dict[str, User]) -> None:
    patient = register_patient()
    for _ in range(2):
        services.join_care_team(by=SYSTEM, patient=patient, doctor_id=staff["doctor"].pk)
    restrict(patient, staff["nurse"])
    assert sees(staff["doctor"], patient)
    restrict(patient)  # another team is named; visits stay visits
    assert (sees(staff["doctor"], patient), sees(staff["nurse"], patient)) == (True, False)
    assert OutboxEvent.objects.filter(name="patient.care_team_joined").count() == 1


def test_who_no_longer_works_in_care_sees_no_restricted_chart(staff: dict[str, User]) -> None:
    patient, nurse = register_patient(), staff["nurse"]
    restrict(patient, nurse)
    accounts.change_staff(by=staff["admin"], user_id=nurse.pk, changes={"role": "receptionist"})
    assert not sees(User.objects.get(pk=nurse.pk), patient)


def test_the_chart_of_a_restricted_patient_is_closed_with_it(staff: dict[str, User]) -> None:
    patient = register_patient()
    entry = chart(patient)
    restrict(patient, staff["nurse"])
    for role in ("doctor", "pharmacist", "billing", "admin"):
        assert not ChartEntry.objects.visible_to(staff[role]).exists()
        with pytest.raises(NotFound):
            selectors.entry(staff[role], patient.pk, entry.pk)
    assert ChartEntry.objects.visible_to(staff["nurse"]).get() == entry


# Deciding it


def test_a_restriction_is_decided_for_a_reason_announced_and_on_record(staff: dict[str, User]) -> None:
    patient = register_patient()
    done = services.restrict(by=staff["admin"], patient_id=patient.pk, care_team=[staff["nurse"].pk], reason=f"  {WHY} ")
    assert (done.restricted, done.care_team, done.reason, done.decided_by) == (True, [staff["nurse"].pk], WHY, staff["admin"])
    fact = OutboxEvent.objects.get(name="patient.restricted")
    assert fact.payload == {"patient_id": str(patient.pk), "care_team": [str(staff["nurse"].pk)]}
    assert AuditEvent.objects.get(action="patient.restricted").patient_id == patient.pk
    assert list(selectors.restrictions(visible_to=staff["admin"])) == [done]
    assert not selectors.restrictions(visible_to=staff["doctor"]).exists()


def test_lifting_it_opens_the_chart_to_all_and_ends_the_naming(staff: dict[str, User]) -> None:
    patient = register_patient()
    restrict(patient, staff["nurse"])
    glass = services.break_glass(by=staff["doctor"], patient_id=patient.pk, reason="Unconscious in the hall")
    services.lift_restriction(by=staff["admin"], patient_id=patient.pk, reason="It was the wrong chart")
    glass.refresh_from_db()
    assert sees(staff["receptionist"], patient)
    assert not CareTeamMember.objects.exists()
    assert glass.until < glass.broken_at + services.GLASS_OPEN
    assert OutboxEvent.objects.filter(name="patient.restriction_lifted").count() == 1
    with pytest.raises(services.NotRestricted):
        services.lift_restriction(by=staff["admin"], patient_id=patient.pk, reason="It was the wrong chart")
    assert [row.restricted for row in Restriction.objects.order_by("decided_at")] == [True, False]


def test_who_is_named_again_stays_and_who_is_not_leaves(staff: dict[str, User]) -> None:
    patient = register_patient()
    restrict(patient, staff["nurse"], staff["doctor"])
    before = CareTeamMember.objects.get(user=staff["nurse"]).pk
    restrict(patient, staff["nurse"], staff["pharmacist"])
    assert CareTeamMember.objects.get(user=staff["nurse"]).pk == before
    services.restrict(by=SYSTEM, patient_id=patient.pk, care_team=None, reason="The reason was wrong")
    assert {member.user.role for member in selectors.care_team(patient)} == {"nurse", "pharmacist"}


def test_only_active_clinicians_stand_on_a_team(staff: dict[str, User]) -> None:
    patient = register_patient()
    accounts.deactivate(by=staff["admin"], user_id=staff["doctor"].pk)
    wrong = [staff["nurse"].pk, staff["billing"].pk, staff["admin"].pk, staff["doctor"].pk, uuid4()]
    with pytest.raises(Invalid) as refusal:
        services.restrict(by=SYSTEM, patient_id=patient.pk, care_team=wrong, reason=WHY)
    assert [row["field"] for row in refusal.value.details["errors"]] == [f"care_team[{number}]" for number in (1, 2, 3, 4)]
    assert not again(patient).restricted


@pytest.mark.parametrize("reason", ["", "too short", " nine char "])
def test_a_reason_has_ten_characters(staff: dict[str, User], reason: str) -> None:
    patient = register_patient()
    for act in (
        lambda: services.restrict(by=SYSTEM, patient_id=patient.pk, care_team=[], reason=reason),
        lambda: services.lift_restriction(by=SYSTEM, patient_id=patient.pk, reason=reason),
        lambda: services.break_glass(by=staff["doctor"], patient_id=patient.pk, reason=reason),
    ):
        with pytest.raises(Invalid) as refusal:
            act()
        assert refusal.value.details["field"] == "reason"


def test_the_database_holds_a_team_together(staff: dict[str, User]) -> None:
    patient = register_patient()
    CareTeamMember.objects.create(patient=patient, user=staff["nurse"], because="named")
    for wrong in ({"because": "named"}, {"because": "friend"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            CareTeamMember.objects.create(patient=patient, user=staff["nurse"], **wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        Restriction.objects.create(patient=patient, restricted=True, reason="why not")


# Lists, counts, searches


class TestAmongForty:
    @pytest.fixture(scope="class")
    def staff(self, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, User]]:
        """The staff, and forty patients, every third of them restricted to the nurse; one in five is inactive."""
        with shared_rows(django_db_blocker):
            staff = create_staff()
            people = [
                register_patient(f"Anna{'abcdefghij'[number % 10]}", "Roe", date(1960, 1, 1 + number % 28))
                for number in range(40)
            ]
            for patient in people[::3]:
                restrict(patient, staff["nurse"])
            for patient in people[::5]:
                services.deactivate(by=SYSTEM, patient_id=patient.pk)
            yield staff

    @pytest.mark.parametrize("text", ["", "anna", "anna roe", "annab", "1960-01-04", "roe 1960-01-04", "annna", "rooe annae"])
    @pytest.mark.parametrize("status", ["", "active", "inactive"])
    def test_totals_and_pages_leave_out_who_is_hidden(self, staff: dict[str, User], text: str, status: str) -> None:
        """Every page of five, side by side: what the outsider gets is what the team gets, less the restricted."""

        def pages(actor: Any) -> tuple[list[Any], set[Total | None]]:
            visible = [
                selectors.list_page(visible_to=actor, text=text, status=status, window=Window(offset, 5))
                for offset in range(0, 50, 5)
            ]
            return [row["id"] for page in visible for row in page.rows], {page.total for page in visible}

        hidden = set(Patient.objects.filter(restricted=True).values_list("pk", flat=True))
        everybody, _ = pages(staff["nurse"])
        rows, totals = pages(staff["doctor"])
        assert rows == [pk for pk in everybody if pk not in hidden]
        assert totals == {Total(len(rows))}
        assert not text or status or set(everybody) & hidden


def test_a_search_that_only_hidden_patients_fit_looks_for_near_spellings(staff: dict[str, User]) -> None:
    hidden, near = register_patient("Zebulon"), register_patient("Zebulun")
    restrict(hidden, staff["nurse"])
    list_page = selectors.list_page(visible_to=staff["doctor"], text="zebulon")
    assert ([row["id"] for row in list_page.rows], list_page.total, list_page.fuzzy) == ([near.pk], Total(1), True)
    roll = selectors.patients(visible_to=staff["doctor"])
    assert list(selectors.search_within(roll, "zebulon", staff["doctor"])) == [near]
    assert selectors.by_mrn(staff["doctor"], hidden.mrn) is None
    assert selectors.list_page(visible_to=staff["doctor"], text=hidden.mrn).total == Total(0)


def test_a_deep_page_begins_where_the_visible_rows_say(staff: dict[str, User]) -> None:
    insert_patients(3_500)
    people = list(Patient.objects.order_by("-seq"))
    for patient in [*people[:30], *people[1_000:1_050:2], people[2_047], people[-1]]:
        restrict(patient, staff["nurse"])
    visible = [row.pk for row in people if not again(row).restricted]
    hidden = patient_queries.hidden(staff["doctor"])
    for offset in (0, 1_020, 1_024, 1_500, 2_000, 2_040, 2_999, len(visible) - 2, len(visible)):
        list_page = selectors.list_page(visible_to=staff["doctor"], window=Window(offset, 7))
        assert [row["id"] for row in list_page.rows] == visible[offset : offset + 7], offset
        assert list_page.total == Total(len(visible))
        assert sql.page_start(offset, "listed", hidden).skip <= sql.BLOCK
    assert selectors.list_page(visible_to=staff["nurse"], window=Window(2_999, 1)).rows[0]["id"] == people[2_999].pk


def test_near_words_find_hidden_people_only_for_who_sees_them() -> None:
    patient = register_patient("Zebulon")
    assert patient_search.find("zebulon", hidden=[patient.seq]).total == 0
    assert (
        patient_search.find("zebulan", hidden=[patient.seq]) == patient_search.NO_MATCHES
        or not patient_search.find("zebulan", hidden=[patient.seq]).seqs
    )


# Duplicates


def test_duplicates_never_show_a_restricted_record(staff: dict[str, User]) -> None:
    hidden = register_patient("John", "Doe", phone="+1 213 373 4253", email="jd@example.com")
    restrict(hidden, staff["nurse"])
    twin = Registration(
        first_name="John", last_name="Doe", date_of_birth=date(1980, 5, 15), gender="male", phone="+1 213 373 4253"
    )
    person = services.described_person(twin)
    for role, seen in (("nurse", [hidden]), ("doctor", []), ("admin", [])):
        assert [match.patient for match in selectors.possible_matches(visible_to=staff[role], person=person)] == seen
        assert [match.patient for match in selectors.likely_matches(visible_to=staff[role], person=person)] == seen
    registered = services.register(by=staff["doctor"], registration=twin)
    assert registered.matches == []
    assert selectors.duplicates_of(registered.patient, visible_to=staff["doctor"]) == []
    assert [match.patient for match in selectors.duplicates_of(registered.patient, visible_to=staff["nurse"])] == [hidden]
    with pytest.raises(Invalid):
        services.mark_not_duplicate(by=staff["doctor"], patient_id=registered.patient.pk, other_id=hidden.pk)
    assert duplicates.SHOWN == 10


# Merging


@pytest.fixture
def two(staff: dict[str, User]) -> Iterator[tuple[Patient, Patient]]:
    """A restricted record and an open one of the same person; the nurse is on the one's team, the doctor on the other's."""
    closed, opened = register_patient("Jon"), register_patient("John")
    restrict(closed, staff["nurse"])
    CareTeamMember.objects.create(patient=opened, user=staff["doctor"], because=CareTeamMember.Because.NAMED)
    return closed, opened


@pytest.mark.parametrize("way", ["closed into open", "open into closed"])
def test_a_merge_carries_restriction_and_team_over_and_its_undo_gives_both_back(
    staff: dict[str, User], two: tuple[Patient, Patient], way: str
) -> None:
    closed, opened = two
    retired, survivor = two if way == "closed into open" else (opened, closed)
    done = merge(retired, survivor)
    assert again(survivor).restricted
    assert {member.user.role for member in selectors.care_team(survivor)} == {"nurse", "doctor"}
    assert {role for role, user in staff.items() if sees(user, survivor)} == {"nurse", "doctor"}
    for patient in two:  # the old id leads to a closed chart too
        with pytest.raises(NotFound):
            selectors.patient(staff["pharmacist"], patient.pk)
        assert selectors.by_mrn(staff["pharmacist"], patient.mrn) is None
        assert selectors.patient(staff["nurse"], patient.pk) == survivor
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert (again(closed).restricted, again(opened).restricted) == (True, False)
    assert [member.user.role for member in selectors.care_team(closed)] == ["nurse"]
    assert [member.user.role for member in selectors.care_team(opened)] == ["doctor"]
    assert not MergeTriage.objects.exists()


def test_two_restricted_records_with_the_same_person_on_both_teams_merge(staff: dict[str, User]) -> None:
    one, other = register_patient("Jon"), register_patient("John")
    restrict(one, staff["nurse"], staff["pharmacist"])
    restrict(other, staff["nurse"])
    done = merge(one, other)
    assert {member.user.role for member in selectors.care_team(other)} == {"nurse", "pharmacist"}
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert {member.user.role for member in selectors.care_team(one)} == {"nurse", "pharmacist"}
    assert [member.user.role for member in selectors.care_team(other)] == ["nurse"]
    assert again(other).restricted


def test_a_glass_broken_before_a_merge_stays_broken(staff: dict[str, User], two: tuple[Patient, Patient]) -> None:
    closed, opened = two
    services.break_glass(by=staff["pharmacist"], patient_id=closed.pk, reason="Unconscious in the hall")
    done = merge(closed, opened)
    assert sees(staff["pharmacist"], opened)
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert sees(staff["pharmacist"], closed)


def test_what_was_restricted_while_two_were_one_stays_so_on_both_sides(staff: dict[str, User]) -> None:
    one, other = register_patient("Jon"), register_patient("John")
    done = merge(one, other)
    restrict(other, staff["nurse"])
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    for patient in (one, other):
        assert {role for role, user in staff.items() if sees(user, patient)} == {"nurse"}
    assert [row.row_id for row in MergeTriage.objects.all()] == ["restricted"]  # a person says whose it is


def test_what_was_opened_while_two_were_one_stays_open(staff: dict[str, User], two: tuple[Patient, Patient]) -> None:
    closed, opened = two
    done = merge(closed, opened)
    services.lift_restriction(by=staff["admin"], patient_id=opened.pk, reason="It was the wrong chart")
    services.undo_merge(by=staff["admin"], merge_id=done.pk)
    assert not again(closed).restricted
    assert not again(opened).restricted


def test_an_administrator_merges_and_sees_no_restricted_record(staff: dict[str, User], two: tuple[Patient, Patient]) -> None:
    closed, opened = two
    admin = staff["admin"]
    with pytest.raises(NotFound):
        services.merge(by=admin, retired_id=closed.pk, survivor_id=opened.pk, reason=WHY)
    with pytest.raises(Invalid):
        services.merge(by=admin, retired_id=opened.pk, survivor_id=closed.pk, reason=WHY)
    with pytest.raises(NotFound):
        merge_plan.preview(visible_to=admin, retired_id=closed.pk, survivor_id=opened.pk)
    done = merge(closed, opened)
    assert not Merge.objects.visible_to(admin).exists()
    with pytest.raises(NotFound):
        services.undo_merge(by=admin, merge_id=done.pk)


def test_what_an_undo_left_is_not_shown_of_a_closed_record(staff: dict[str, User]) -> None:
    one, other = register_patient("Jon"), register_patient("John")
    done = merge(one, other)
    chart(other)
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert MergeTriage.objects.visible_to(staff["admin"]).count() == 1
    restrict(one, staff["nurse"])
    assert not MergeTriage.objects.visible_to(staff["admin"]).exists()


# What it costs


def test_restricted_charts_cost_a_search_one_statement_and_a_list_none(staff: dict[str, User]) -> None:
    patient = register_patient("Anna", "Roe")
    for number in range(5):
        register_patient("Anna", f"Roe{'abcde'[number]}")

    def cost(act: Any) -> int:
        with CaptureQueriesContext(connection) as caught:
            act()
        return len(caught)

    doctor = staff["doctor"]
    actions = [
        lambda: selectors.list_page(visible_to=doctor),
        lambda: selectors.list_page(visible_to=doctor, text="anna"),
        lambda: selectors.patient(doctor, patient.pk),
    ]
    assert [cost(act) for act in actions] == [2, 4, 1]  # a search for a name asks for its nicknames too
    restrict(Patient.objects.get(last_name="Roea"), staff["nurse"])
    assert [cost(act) for act in actions] == [2, 4, 1]  # a search for a name asks for its nicknames too


@pytest.mark.parametrize("people", [10_000, pytest.param(50_000, marks=pytest.mark.full)])
def test_among_many_restrictions_are_found_by_their_index(staff: dict[str, User], people: int) -> None:
    insert_patients(people)
    for patient in Patient.objects.order_by("-seq")[:300:10]:
        restrict(patient, staff["nurse"])
    doctor, restricted_patient = staff["doctor"], Patient.objects.filter(last_name="Smith")[0]
    chart(restricted_patient)
    with CaptureQueriesContext(connection) as caught:
        for text in [*TEXTS, "1980-05-15"]:
            selectors.list_page(visible_to=doctor, text=text)
        for status in ("", "active", "inactive"):
            selectors.list_page(visible_to=doctor, status=status)
            selectors.list_page(visible_to=doctor, status=status, window=Window(4_000))
        selectors.patient(doctor, restricted_patient.pk)
        selectors.by_mrn(doctor, restricted_patient.mrn)
        list(selectors.chart(visible_to=doctor, patient_id=restricted_patient.pk))
        selectors.duplicates_of(restricted_patient, visible_to=doctor)
    whole = [
        node
        for node in plans(caught)
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in ("patients_patient", "patients_searchword")
    ]
    assert not whole, whole
