"""Restricted charts: closed to all but the care team in lists, counts, searches, duplicates, charts and merges."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.common.errors import Invalid, NotFound
from apps.events.models import OutboxEvent
from apps.patients import duplicates, merging_plan, reads, search, selectors, services, tally
from apps.patients.models import ChartEntry, Merge, MergeTriage, Patient
from apps.patients.restriction import CareTeamMember, Restriction
from apps.patients.services import Registration
from apps.patients.tests.crowd import move_in
from apps.patients.tests.factories import admit, chart, merge, restrict
from apps.patients.tests.test_search import TEXTS, plans

pytestmark = pytest.mark.django_db
WHY = "A colleague of ours"


def sees(actor: Any, patient: Patient) -> bool:
    return Patient.objects.visible_to(actor).filter(pk=patient.pk).exists()


def again(patient: Patient) -> Patient:
    return Patient.objects.get(pk=patient.pk)


# Who sees it


def test_a_restricted_chart_is_there_for_its_care_team_alone(ward: dict[str, User]) -> None:
    patient = admit()
    restrict(patient, ward["nurse"], ward["pharmacist"])
    assert {role for role, user in ward.items() if sees(user, patient)} == {"nurse", "pharmacist"}
    assert sees(SYSTEM, patient)


def test_a_doctor_with_a_visit_sees_the_chart_without_being_named(ward: dict[str, User]) -> None:
    patient = admit()
    for _ in range(2):
        services.join_care_team(by=SYSTEM, patient=patient, doctor_id=ward["doctor"].pk)
    restrict(patient, ward["nurse"])
    assert sees(ward["doctor"], patient)
    restrict(patient)  # another team is named; visits stay visits
    assert (sees(ward["doctor"], patient), sees(ward["nurse"], patient)) == (True, False)
    assert OutboxEvent.objects.filter(name="patient.care_team_joined").count() == 1


def test_who_no_longer_works_in_care_sees_no_restricted_chart(ward: dict[str, User]) -> None:
    patient, nurse = admit(), ward["nurse"]
    restrict(patient, nurse)
    accounts.change_staff(by=ward["admin"], user_id=nurse.pk, changes={"role": "receptionist"})
    assert not sees(User.objects.get(pk=nurse.pk), patient)


def test_the_chart_of_a_restricted_patient_is_closed_with_it(ward: dict[str, User]) -> None:
    patient = admit()
    entry = chart(patient)
    restrict(patient, ward["nurse"])
    for role in ("doctor", "pharmacist", "billing", "admin"):
        assert not ChartEntry.objects.visible_to(ward[role]).exists()
        with pytest.raises(NotFound):
            selectors.entry(ward[role], patient.pk, entry.pk)
    assert ChartEntry.objects.visible_to(ward["nurse"]).get() == entry


# Deciding it


def test_a_restriction_is_decided_for_a_reason_announced_and_on_record(ward: dict[str, User]) -> None:
    patient = admit()
    done = services.restrict(by=ward["admin"], patient_id=patient.pk, care_team=[ward["nurse"].pk], reason=f"  {WHY} ")
    assert (done.restricted, done.care_team, done.reason, done.decided_by) == (True, [ward["nurse"].pk], WHY, ward["admin"])
    fact = OutboxEvent.objects.get(name="patient.restricted")
    assert fact.payload == {"patient_id": str(patient.pk), "care_team": [str(ward["nurse"].pk)]}
    assert AuditEvent.objects.get(action="patient.restricted").patient_id == patient.pk
    assert list(selectors.restrictions(visible_to=ward["admin"])) == [done]
    assert not selectors.restrictions(visible_to=ward["doctor"]).exists()


def test_lifting_it_opens_the_chart_to_all_and_ends_the_naming(ward: dict[str, User]) -> None:
    patient = admit()
    restrict(patient, ward["nurse"])
    glass = services.break_glass(by=ward["doctor"], patient_id=patient.pk, reason="Unconscious in the hall")
    services.lift_restriction(by=ward["admin"], patient_id=patient.pk, reason="It was the wrong chart")
    glass.refresh_from_db()
    assert sees(ward["receptionist"], patient)
    assert not CareTeamMember.objects.exists()
    assert glass.until < glass.broken_at + services.restricting.GLASS_OPEN
    assert OutboxEvent.objects.filter(name="patient.restriction_lifted").count() == 1
    with pytest.raises(services.NotRestricted):
        services.lift_restriction(by=ward["admin"], patient_id=patient.pk, reason="It was the wrong chart")
    assert [row.restricted for row in Restriction.objects.order_by("decided_at")] == [True, False]


def test_who_is_named_again_stays_and_who_is_not_leaves(ward: dict[str, User]) -> None:
    patient = admit()
    restrict(patient, ward["nurse"], ward["doctor"])
    before = CareTeamMember.objects.get(user=ward["nurse"]).pk
    restrict(patient, ward["nurse"], ward["pharmacist"])
    assert CareTeamMember.objects.get(user=ward["nurse"]).pk == before
    services.restrict(by=SYSTEM, patient_id=patient.pk, care_team=None, reason="The reason was wrong")
    assert {member.user.role for member in selectors.care_team(patient)} == {"nurse", "pharmacist"}


def test_only_active_clinicians_stand_on_a_team(ward: dict[str, User]) -> None:
    patient = admit()
    accounts.deactivate(by=ward["admin"], user_id=ward["doctor"].pk)
    wrong = [ward["nurse"].pk, ward["billing"].pk, ward["admin"].pk, ward["doctor"].pk, uuid4()]
    with pytest.raises(Invalid) as refusal:
        services.restrict(by=SYSTEM, patient_id=patient.pk, care_team=wrong, reason=WHY)
    assert [row["field"] for row in refusal.value.details["errors"]] == [f"care_team[{number}]" for number in (1, 2, 3, 4)]
    assert not again(patient).restricted


@pytest.mark.parametrize("reason", ["", "too short", " nine char "])
def test_a_reason_has_ten_characters(ward: dict[str, User], reason: str) -> None:
    patient = admit()
    for act in (
        lambda: services.restrict(by=SYSTEM, patient_id=patient.pk, care_team=[], reason=reason),
        lambda: services.lift_restriction(by=SYSTEM, patient_id=patient.pk, reason=reason),
        lambda: services.break_glass(by=ward["doctor"], patient_id=patient.pk, reason=reason),
    ):
        with pytest.raises(Invalid) as refusal:
            act()
        assert refusal.value.details["field"] == "reason"


def test_the_database_holds_a_team_together(ward: dict[str, User]) -> None:
    patient = admit()
    CareTeamMember.objects.create(patient=patient, user=ward["nurse"], because="named")
    for wrong in ({"because": "named"}, {"because": "friend"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            CareTeamMember.objects.create(patient=patient, user=ward["nurse"], **wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        Restriction.objects.create(patient=patient, restricted=True, reason="why not")


# Lists, counts, searches


@pytest.fixture
def shelf(ward: dict[str, User]) -> list[Patient]:
    """Forty patients, the newest first, every third of them restricted to the nurse; one in five is inactive."""
    people = [admit(f"Anna{'abcdefghij'[number % 10]}", "Roe", date(1960, 1, 1 + number % 28)) for number in range(40)]
    for patient in people[::3]:
        restrict(patient, ward["nurse"])
    for patient in people[::5]:
        services.deactivate(by=SYSTEM, patient_id=patient.pk)
    return list(Patient.objects.order_by("-seq"))


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("text", ["", "anna", "anna roe", "annab", "1960-01-04", "roe 1960-01-04", "annna", "rooe annae"])
@pytest.mark.parametrize("status", ["", "active", "inactive"])
def test_totals_and_pages_leave_out_who_is_hidden(ward: dict[str, User], text: str, status: str) -> None:
    """Every page of five, side by side: what the outsider gets is what the team gets, less the restricted."""

    def pages(actor: Any) -> tuple[list[Any], set[int]]:
        found = [
            selectors.listing(visible_to=actor, text=text, status=status, offset=offset, limit=5) for offset in range(0, 50, 5)
        ]
        return [row["id"] for page in found for row in page.rows], {page.total for page in found}

    hidden = set(Patient.objects.filter(restricted=True).values_list("pk", flat=True))
    everybody, _ = pages(ward["nurse"])
    rows, totals = pages(ward["doctor"])
    assert rows == [pk for pk in everybody if pk not in hidden]
    assert totals == {len(rows)}
    assert not text or status or set(everybody) & hidden


def test_a_search_that_only_hidden_patients_fit_looks_for_near_spellings(ward: dict[str, User]) -> None:
    hidden, near = admit("Zebulon"), admit("Zebulun")
    restrict(hidden, ward["nurse"])
    listing = selectors.listing(visible_to=ward["doctor"], text="zebulon")
    assert ([row["id"] for row in listing.rows], listing.total, listing.fuzzy) == ([near.pk], 1, True)
    roll = selectors.roll(visible_to=ward["doctor"])
    assert list(selectors.matching(roll, "zebulon", ward["doctor"])) == [near]
    assert selectors.by_mrn(ward["doctor"], hidden.mrn) is None
    assert selectors.listing(visible_to=ward["doctor"], text=hidden.mrn).total == 0


def test_a_deep_page_begins_where_the_visible_rows_say(ward: dict[str, User]) -> None:
    move_in(3_500)
    people = list(Patient.objects.order_by("-seq"))
    for patient in [*people[:30], *people[1_000:1_050:2], people[2_047], people[-1]]:
        restrict(patient, ward["nurse"])
    visible = [row.pk for row in people if not again(row).restricted]
    hidden = reads.of(ward["doctor"]).hidden()
    for offset in (0, 1_020, 1_024, 1_500, 2_000, 2_040, 2_999, len(visible) - 2, len(visible)):
        listing = selectors.listing(visible_to=ward["doctor"], offset=offset, limit=7)
        assert [row["id"] for row in listing.rows] == visible[offset : offset + 7], offset
        assert listing.total == len(visible)
        assert tally.place(offset, "listed", hidden).skip <= tally.BLOCK
    assert selectors.listing(visible_to=ward["nurse"], offset=2_999, limit=1).rows[0]["id"] == people[2_999].pk


def test_near_words_find_hidden_people_only_for_who_sees_them() -> None:
    patient = admit("Zebulon")
    assert search.find("zebulon", hidden=[patient.seq]).total == 0
    assert search.find("zebulan", hidden=[patient.seq]) == search.NOBODY or not search.find("zebulan", hidden=[patient.seq]).seqs


# Duplicates


def test_duplicates_never_show_a_restricted_record(ward: dict[str, User]) -> None:
    hidden = admit("John", "Doe", phone="+1 213 373 4253", email="jd@example.com")
    restrict(hidden, ward["nurse"])
    twin = Registration(
        first_name="John", last_name="Doe", date_of_birth=date(1980, 5, 15), gender="male", phone="+1 213 373 4253"
    )
    person = services.described(twin)
    for role, seen in (("nurse", [hidden]), ("doctor", []), ("admin", [])):
        assert [match.patient for match in selectors.candidates(visible_to=ward[role], person=person)] == seen
        assert [match.patient for match in selectors.lookalikes(visible_to=ward[role], person=person)] == seen
    registered = services.register(by=ward["doctor"], registration=twin)
    assert registered.matches == []
    assert selectors.duplicates_of(registered.patient, visible_to=ward["doctor"]) == []
    assert [match.patient for match in selectors.duplicates_of(registered.patient, visible_to=ward["nurse"])] == [hidden]
    with pytest.raises(Invalid):
        services.tell_apart(by=ward["doctor"], patient_id=registered.patient.pk, other_id=hidden.pk)
    assert duplicates.SHOWN == 10


# Merging


@pytest.fixture
def two(ward: dict[str, User]) -> Iterator[tuple[Patient, Patient]]:
    """A restricted record and an open one of the same person; the nurse is on the one's team, the doctor visits the other."""
    closed, opened = admit("Jon"), admit("John")
    restrict(closed, ward["nurse"])
    services.join_care_team(by=SYSTEM, patient=opened, doctor_id=ward["doctor"].pk)
    return closed, opened


@pytest.mark.parametrize("way", ["closed into open", "open into closed"])
def test_a_merge_carries_restriction_and_team_over_and_its_undo_gives_both_back(
    ward: dict[str, User], two: tuple[Patient, Patient], way: str
) -> None:
    closed, opened = two
    retired, survivor = two if way == "closed into open" else (opened, closed)
    done = merge(retired, survivor)
    assert again(survivor).restricted
    assert {member.user.role for member in selectors.care_team(survivor)} == {"nurse", "doctor"}
    assert {role for role, user in ward.items() if sees(user, survivor)} == {"nurse", "doctor"}
    for patient in two:  # the old id leads to a closed chart too
        with pytest.raises(NotFound):
            selectors.patient(ward["pharmacist"], patient.pk)
        assert selectors.by_mrn(ward["pharmacist"], patient.mrn) is None
        assert selectors.patient(ward["nurse"], patient.pk) == survivor
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert (again(closed).restricted, again(opened).restricted) == (True, False)
    assert [member.user.role for member in selectors.care_team(closed)] == ["nurse"]
    assert [member.user.role for member in selectors.care_team(opened)] == ["doctor"]
    assert not MergeTriage.objects.exists()


def test_two_restricted_records_with_the_same_person_on_both_teams_merge(ward: dict[str, User]) -> None:
    one, other = admit("Jon"), admit("John")
    restrict(one, ward["nurse"], ward["pharmacist"])
    restrict(other, ward["nurse"])
    done = merge(one, other)
    assert {member.user.role for member in selectors.care_team(other)} == {"nurse", "pharmacist"}
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert {member.user.role for member in selectors.care_team(one)} == {"nurse", "pharmacist"}
    assert [member.user.role for member in selectors.care_team(other)] == ["nurse"]
    assert again(other).restricted


def test_a_glass_broken_before_a_merge_stays_broken(ward: dict[str, User], two: tuple[Patient, Patient]) -> None:
    closed, opened = two
    services.break_glass(by=ward["pharmacist"], patient_id=closed.pk, reason="Unconscious in the hall")
    done = merge(closed, opened)
    assert sees(ward["pharmacist"], opened)
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert sees(ward["pharmacist"], closed)


def test_what_was_restricted_while_two_were_one_stays_so_on_both_sides(ward: dict[str, User]) -> None:
    one, other = admit("Jon"), admit("John")
    done = merge(one, other)
    restrict(other, ward["nurse"])
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    for patient in (one, other):
        assert {role for role, user in ward.items() if sees(user, patient)} == {"nurse"}
    assert [row.row_id for row in MergeTriage.objects.all()] == ["restricted"]  # a person says whose it is


def test_what_was_opened_while_two_were_one_stays_open(ward: dict[str, User], two: tuple[Patient, Patient]) -> None:
    closed, opened = two
    done = merge(closed, opened)
    services.lift_restriction(by=ward["admin"], patient_id=opened.pk, reason="It was the wrong chart")
    services.undo_merge(by=ward["admin"], merge_id=done.pk)
    assert not again(closed).restricted
    assert not again(opened).restricted


def test_an_administrator_merges_and_sees_no_restricted_record(ward: dict[str, User], two: tuple[Patient, Patient]) -> None:
    closed, opened = two
    admin = ward["admin"]
    with pytest.raises(NotFound):
        services.merge(by=admin, retired_id=closed.pk, survivor_id=opened.pk, reason=WHY)
    with pytest.raises(Invalid):
        services.merge(by=admin, retired_id=opened.pk, survivor_id=closed.pk, reason=WHY)
    with pytest.raises(NotFound):
        merging_plan.preview(visible_to=admin, retired_id=closed.pk, survivor_id=opened.pk)
    done = merge(closed, opened)
    assert not Merge.objects.visible_to(admin).exists()
    with pytest.raises(NotFound):
        services.undo_merge(by=admin, merge_id=done.pk)


def test_what_an_undo_left_is_not_shown_of_a_closed_record(ward: dict[str, User]) -> None:
    one, other = admit("Jon"), admit("John")
    done = merge(one, other)
    chart(other)
    services.undo_merge(by=SYSTEM, merge_id=done.pk)
    assert MergeTriage.objects.visible_to(ward["admin"]).count() == 1
    restrict(one, ward["nurse"])
    assert not MergeTriage.objects.visible_to(ward["admin"]).exists()


# What it costs


def test_restricted_charts_cost_a_search_one_statement_and_a_list_none(ward: dict[str, User]) -> None:
    patient = admit("Anna", "Roe")
    for number in range(5):
        admit("Anna", f"Roe{'abcde'[number]}")

    def cost(act: Any) -> int:
        with CaptureQueriesContext(connection) as caught:
            act()
        return len(caught)

    doctor = ward["doctor"]
    acts = [
        lambda: selectors.listing(visible_to=doctor),
        lambda: selectors.listing(visible_to=doctor, text="anna"),
        lambda: selectors.patient(doctor, patient.pk),
    ]
    assert [cost(act) for act in acts] == [2, 4, 1]  # a search for a name asks for its nicknames too
    restrict(Patient.objects.get(last_name="Roea"), ward["nurse"])
    assert [cost(act) for act in acts] == [2, 4, 1]  # a search for a name asks for its nicknames too


def test_among_fifty_thousand_restrictions_are_found_by_their_index(ward: dict[str, User]) -> None:
    move_in(50_000)
    for patient in Patient.objects.order_by("-seq")[:300:10]:
        restrict(patient, ward["nurse"])
    doctor, somebody = ward["doctor"], Patient.objects.filter(last_name="Smith")[0]
    chart(somebody)
    with CaptureQueriesContext(connection) as caught:
        for text in [*TEXTS, "1980-05-15"]:
            selectors.listing(visible_to=doctor, text=text)
        for status in ("", "active", "inactive"):
            selectors.listing(visible_to=doctor, status=status)
            selectors.listing(visible_to=doctor, status=status, offset=4_000)
        selectors.patient(doctor, somebody.pk)
        selectors.by_mrn(doctor, somebody.mrn)
        list(selectors.chart(visible_to=doctor, patient_id=somebody.pk))
        selectors.duplicates_of(somebody, visible_to=doctor)
    whole = [
        node
        for node in plans(caught)
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in ("patients_patient", "patients_searchword")
    ]
    assert not whole, whole
