"""Restricted charts, emergency access and the access log over the API."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.accounts.tests.factories import ApiClient, api_client, browser
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.common.errors import Forbidden, Invalid, NotFound
from apps.events import relay
from apps.events.models import OutboxEvent
from apps.patients import services
from apps.patients.confidentiality.models import BreakGlass
from apps.patients.events import GlassBroken
from apps.patients.models import Patient
from apps.patients.tests.factories import chart, merge, register_patient, restrict

pytestmark = pytest.mark.django_db
WHY = "Unconscious in the waiting room"
_COUNTED = ("SELECT", "WITH", "INSERT")
NO_SUCH_PATIENT = "There is no such patient."


@pytest.fixture
def who(staff: dict[str, User]) -> dict[str, ApiClient]:
    """Everybody, signed in."""
    return {role: api_client(user) for role, user in staff.items()}


@pytest.fixture
def closed(staff: dict[str, User]) -> Patient:
    """A chart that is the nurse's alone."""
    patient = register_patient("Jon", "Roe", mrn="MRN-77")
    chart(patient)
    restrict(patient, staff["nurse"])
    return patient


def opened(who: ApiClient, patient: Patient) -> Any:
    return who.post(f"/patients/{patient.pk}/break-glass", {"reason": WHY})


# PUT …/restricted


def test_an_administrator_closes_a_chart_names_the_team_and_opens_it_again(
    staff: dict[str, User], who: dict[str, ApiClient]
) -> None:
    patient = register_patient()
    address, nurse = f"/patients/{patient.pk}", staff["nurse"].pk
    body = {"restricted": True, "care_team": [str(nurse)], "reason": "A colleague of ours"}
    reply = who["admin"].put(f"{address}/restricted", body)
    assert reply.status_code == 200, reply.content
    restriction = reply.json()["data"]["restriction"]
    assert restriction["restricted"] is True
    assert (restriction["patient_id"], restriction["care_team"], restriction["reason"]) == (
        str(patient.pk),
        [str(nurse)],
        "A colleague of ours",
    )
    assert restriction["decided_by"] == str(staff["admin"].pk)
    assert {role: api_client.get(address).status_code for role, api_client in who.items()} == {
        "nurse": 200,
        **dict.fromkeys(["admin", "manager", "doctor", "receptionist", "pharmacist", "lab_technician", "billing"], 404),
    }
    lifted = who["admin"].put(f"{address}/restricted", {"restricted": False, "reason": "It was the wrong chart"})
    assert lifted.json()["data"]["restriction"]["restricted"] is False
    assert who["doctor"].get(address).status_code == 200
    again = who["admin"].put(f"{address}/restricted", {"restricted": False, "reason": "It was the wrong chart"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "CONFLICT")


def test_a_chart_without_readers_is_closed_with_a_warning(who: dict[str, ApiClient]) -> None:
    reply = who["admin"].put(
        f"/patients/{register_patient().pk}/restricted", {"restricted": True, "care_team": [], "reason": "For a test of it"}
    )
    assert [warning["code"] for warning in reply.json()["warnings"]] == ["nobody_on_care_team"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"restricted": True, "reason": "short"}, "reason"),
        ({"restricted": True, "reason": "    short    "}, "reason"),
        ({"restricted": True}, "reason"),
        ({"reason": "A colleague of ours"}, "restricted"),
        ({"restricted": "maybe", "reason": "A colleague of ours"}, "restricted"),
        ({"restricted": True, "reason": "A colleague of ours", "team": []}, "team"),
        ({"restricted": True, "reason": "A colleague of ours", "care_team": ["x"]}, "care_team"),
        ({"restricted": True, "reason": "A colleague of ours", "care_team": [str(uuid4())]}, "care_team[0]"),
        ({"restricted": False, "reason": "A colleague of ours", "care_team": [str(uuid4())]}, "care_team"),
    ],
)
def test_what_is_wrong_with_a_restriction_is_named(who: dict[str, ApiClient], body: dict[str, Any], field: str) -> None:
    patient = register_patient()
    reply = who["admin"].put(f"/patients/{patient.pk}/restricted", body)
    assert reply.status_code == 400
    assert reply.json()["error"]["details"]["field"].startswith(field)
    assert not Patient.objects.get(pk=patient.pk).restricted


@pytest.mark.parametrize("role", ["doctor", "nurse", "receptionist", "manager", "billing"])
def test_only_administrators_restrict(who: dict[str, ApiClient], role: str) -> None:
    reply = who[role].put(f"/patients/{register_patient().pk}/restricted", {"restricted": True, "reason": "A colleague of ours"})
    assert reply.status_code == 403


# Absent


def test_a_closed_chart_is_absent_for_users_outside_the_team(who: dict[str, ApiClient], closed: Patient) -> None:
    other = register_patient("Jona", "Roe")
    for role, seen in (("nurse", 2), ("doctor", 1), ("admin", 1), ("billing", 1)):
        for query in ("", "?search=roe", "?search=MRN-77", "?status=active"):
            data = who[role].get(f"/patients{query}").json()["data"]
            expected = seen - 1 if query == "?search=MRN-77" else seen
            assert (len(data["patients"]), data["pagination"]["total"]) == (expected, expected), (role, query)
    body = {"first_name": "Jon", "last_name": "Roe", "date_of_birth": "1980-05-15", "gender": "male"}
    candidates = who["doctor"].post("/patients/match", body).json()["data"]["candidates"]
    assert [row["patient"]["id"] for row in candidates] == [str(other.pk)]
    warned = who["doctor"].post("/patients", body).json()
    assert str(closed.pk) not in str(warned)


def test_hidden_and_unknown_answer_alike(who: dict[str, ApiClient], closed: Patient) -> None:
    def error_of(reply: Any) -> Any:
        error = reply.json()["error"]
        return reply.status_code, error["code"], error["message"], error["details"]

    for path in ("", "/medical-history", f"/medical-history/{uuid4()}"):
        hidden = who["doctor"].get(f"/patients/{closed.pk}{path}")
        unknown = (404, "NOT_FOUND", NO_SUCH_PATIENT, {"reason": "not_found"})
        assert error_of(hidden) == error_of(who["doctor"].get(f"/patients/{uuid4()}{path}")) == unknown


def test_a_refused_look_at_a_closed_chart_is_on_record(
    staff: dict[str, User], who: dict[str, ApiClient], closed: Patient
) -> None:
    before = AuditEvent.objects.filter(outcome="denied").count()
    who["doctor"].get(f"/patients/{closed.pk}")
    who["doctor"].put(f"/patients/{closed.pk}", {"phone": "+1-555-0100"})
    who["doctor"].get(f"/patients/{uuid4()}")
    rows = AuditEvent.objects.filter(outcome="denied").order_by("id")[before:]
    assert [(row.user_id, row.patient_id, row.action) for row in rows] == [
        (staff["doctor"].pk, closed.pk, "patient.retrieve"),
        (staff["doctor"].pk, closed.pk, "patient.update"),
    ]
    assert rows[0].detail["why"] == "The chart is restricted."


def test_a_merged_id_that_leads_to_a_closed_chart_is_404(who: dict[str, ApiClient], closed: Patient) -> None:
    old = register_patient("Johnny", "Roe")
    merge(old, closed)
    assert who["doctor"].get(f"/patients/{old.pk}").status_code == 404
    assert who["nurse"].get(f"/patients/{old.pk}").json()["data"]["patient"]["id"] == str(closed.pk)
    assert who["doctor"].post("/patients/break-glass", {"mrn": old.mrn, "reason": WHY}).status_code == 200
    assert who["doctor"].get(f"/patients/{old.pk}").status_code == 200


# Break-glass


@pytest.mark.parametrize("role", ["doctor", "pharmacist"])
def test_an_emergency_opens_the_chart_for_four_hours_to_that_person(
    staff: dict[str, User], who: dict[str, ApiClient], closed: Patient, role: str
) -> None:
    with time_machine.travel(clock.now(), tick=False) as now:
        start = clock.now().replace(microsecond=0)
        reply = opened(who[role], closed)
        assert reply.status_code == 200, reply.content
        access = reply.json()["data"]["break_glass"]
        assert (access["patient_id"], access["user_id"]) == (str(closed.pk), str(staff[role].pk))
        assert datetime.fromisoformat(access["until"]) == start + timedelta(hours=4)
        address = f"/patients/{closed.pk}"
        assert who[role].get(address).status_code == 200
        assert who[role].get("/patients?search=roe").json()["data"]["pagination"]["total"] == 1
        assert who["lab_technician"].get(address).status_code == 404
        now.move_to(start + timedelta(hours=4) - timedelta(seconds=1))
        later = api_client(staff[role])  # a glass outlives the session it was broken in
        assert later.get(address).status_code == 200
        now.shift(timedelta(seconds=2))
        assert later.get(address).status_code == 404
        assert opened(later, closed).status_code == 200  # and again, if it must be


def test_by_mrn_in_any_case_where_the_chart_is_not_found(who: dict[str, ApiClient], closed: Patient) -> None:
    reply = who["doctor"].post("/patients/break-glass", {"mrn": "mrn-77", "reason": WHY})
    assert reply.json()["data"]["break_glass"]["patient_id"] == str(closed.pk)
    wrong = who["doctor"].post("/patients/break-glass", {"mrn": "MRN-78", "reason": WHY})
    assert (wrong.status_code, wrong.json()["error"]["message"]) == (404, NO_SUCH_PATIENT)


def test_it_is_announced_with_its_end_and_the_listeners_read_it(
    staff: dict[str, User], who: dict[str, ApiClient], closed: Patient
) -> None:
    opened(who["doctor"], closed)
    row = OutboxEvent.objects.get(name="patient.glass_broken")
    glass = BreakGlass.objects.get()
    assert relay.deserialize(row) == GlassBroken(patient_id=closed.pk, user_id=staff["doctor"].pk, until=glass.until)
    assert "reason" not in row.payload


def test_no_glass_is_broken_twice_nor_where_none_is(who: dict[str, ApiClient], closed: Patient) -> None:
    opened(who["doctor"], closed)
    again = opened(who["doctor"], closed)
    assert again.status_code == 409
    assert again.json()["error"]["details"]["until"]
    assert opened(who["nurse"], closed).status_code == 409  # on the team
    assert opened(who["doctor"], register_patient("Ann")).status_code == 409  # not restricted
    assert opened(who["doctor"], Patient(pk=uuid4())).status_code == 404
    assert BreakGlass.objects.count() == 1


@pytest.mark.parametrize("role", ["admin", "manager", "receptionist", "lab_technician", "billing"])
@pytest.mark.parametrize("admin_clinical", [True, False])
def test_who_may_not_break_the_glass(
    who: dict[str, ApiClient], closed: Patient, settings: Any, role: str, admin_clinical: bool
) -> None:
    settings.HIMS_ADMIN_CLINICAL = admin_clinical
    assert opened(who[role], closed).status_code == 403
    assert who[role].post("/patients/break-glass", {"mrn": closed.mrn, "reason": WHY}).status_code == 403


@pytest.mark.parametrize("body", [{}, {"reason": "short"}, {"reason": "          "}, {"reason": WHY, "hours": 8}])
def test_an_emergency_needs_its_reason(who: dict[str, ApiClient], closed: Patient, body: dict[str, Any]) -> None:
    assert who["doctor"].post(f"/patients/{closed.pk}/break-glass", body).status_code == 400
    assert not BreakGlass.objects.exists()


def test_every_row_of_that_access_says_so_and_no_other(
    staff: dict[str, User], who: dict[str, ApiClient], closed: Patient
) -> None:
    other, doctor = register_patient("Ann"), who["doctor"]
    doctor.get(f"/patients/{closed.pk}")
    opened(doctor, closed)
    entry = doctor.post(f"/patients/{closed.pk}/medical-history", {"type": "note", "display": "Seen"}).json()["data"]["record"]
    doctor.get(f"/patients/{closed.pk}")
    doctor.get(f"/patients/{closed.pk}/medical-history")
    doctor.get(f"/patients/{closed.pk}/medical-history/{entry['id']}")
    doctor.put(f"/patients/{closed.pk}", {"phone": "+1-555-0100"})
    doctor.get(f"/patients/{other.pk}")
    who["nurse"].get(f"/patients/{closed.pk}")
    rows = AuditEvent.objects.filter(user_id=staff["doctor"].pk, patient_id__isnull=False).order_by("id")
    assert [(row.action, row.purpose) for row in rows] == [
        ("patient.retrieve", ""),  # refused, before
        ("patient.glass_broken", "break_glass"),
        ("chart.recorded", "break_glass"),
        ("patient.read", "break_glass"),
        ("chart.read", "break_glass"),
        ("chart.read", "break_glass"),
        ("patient.updated", "break_glass"),
        ("patient.read", ""),
    ]
    assert set(AuditEvent.objects.filter(user_id=staff["nurse"].pk).values_list("purpose", flat=True)) == {""}


def test_an_emergency_access_is_signed_off_once_by_another_user(staff: dict[str, User], closed: Patient) -> None:
    glass = services.break_glass(by=staff["doctor"], patient_id=closed.pk, reason=WHY)
    with pytest.raises(NotFound):
        services.review_glass(by=staff["doctor"], break_glass_id=glass.pk, review="All well")
    with pytest.raises(Invalid):
        services.review_glass(by=staff["admin"], break_glass_id=glass.pk, review="  ")
    done = services.review_glass(by=staff["admin"], break_glass_id=glass.pk, review="Asked, and it was one")
    assert (done.reviewed_by, done.review) == (staff["admin"], "Asked, and it was one")
    assert OutboxEvent.objects.filter(name="patient.glass_reviewed").count() == 1
    with pytest.raises(services.AlreadyReviewed):
        services.review_glass(by=staff["admin"], break_glass_id=glass.pk, review="Once more")
    again = services.break_glass(by=staff["pharmacist"], patient_id=closed.pk, reason=WHY)
    BreakGlass.objects.filter(pk=again.pk).update(user=staff["admin"])
    with pytest.raises(Forbidden):
        services.review_glass(by=staff["admin"], break_glass_id=again.pk, review="My own")


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "too short"},
        {"until": datetime(2020, 1, 1, tzinfo=UTC)},
        {"review": "Without a time"},
        {"reviewed_at": datetime(2030, 1, 1, tzinfo=UTC)},
    ],
)
def test_the_database_keeps_an_emergency_access_whole(staff: dict[str, User], closed: Patient, wrong: dict[str, Any]) -> None:
    now = clock.now()
    right = {"patient": closed, "user": staff["doctor"], "reason": WHY, "broken_at": now, "until": now + timedelta(hours=4)}
    with pytest.raises(IntegrityError), transaction.atomic():
        BreakGlass.objects.create(**(right | wrong))
    glass = BreakGlass.objects.create(**right)
    with pytest.raises(IntegrityError), transaction.atomic():
        BreakGlass.objects.filter(pk=glass.pk).update(reviewed_by=staff["doctor"], reviewed_at=now, review="My own")


# The access log


def log(who: ApiClient, patient: Patient, query: str = "") -> list[dict[str, Any]]:
    reply = who.get(f"/patients/{patient.pk}/access-log{query}")
    assert reply.status_code == 200, reply.content
    return reply.json()["data"]["access_log"]


def test_the_access_log_says_who_looked_as_what_and_why(
    staff: dict[str, User], who: dict[str, ApiClient], closed: Patient
) -> None:
    who["nurse"].get(f"/patients/{closed.pk}")
    who["doctor"].get(f"/patients/{closed.pk}")
    opened(who["doctor"], closed)
    who["doctor"].get(f"/patients/{closed.pk}/medical-history")
    rows = log(who["admin"], closed)
    shown = [(row["person"]["role"], row["action"], row["outcome"], row["purpose"]) for row in rows]
    assert shown == [
        ("doctor", "Read the chart", "success", "break_glass"),
        ("doctor", "Opened the restricted chart in an emergency", "success", "break_glass"),
        ("doctor", "Tried to open the record", "denied", "treatment"),
        ("nurse", "Opened the record", "success", "treatment"),
        ("system", "Restricted the chart, or changed its care team", "success", "operations"),
        ("system", "Added to the chart", "success", "operations"),
        ("system", "Registered the patient", "success", "operations"),
    ]
    assert rows[0]["person"] == {"id": str(staff["doctor"].pk), "name": "Doctor.Ward Tester", "role": "doctor"}
    assert rows[-1]["person"] == {"id": None, "name": "system", "role": "system"}
    assert log(who["admin"], closed)[0]["action"] == "Read who looked at the record"


def test_the_access_log_counts_refusals_by_role_and_looks_on_the_pages(staff: dict[str, User], who: dict[str, ApiClient]) -> None:
    patient = register_patient()
    who["receptionist"].get(f"/patients/{patient.pk}/medical-history")
    who["manager"].get(f"/patients/{patient.pk}/medical-history")
    who["nurse"].put(f"/patients/{patient.pk}/restricted", {"restricted": True, "reason": WHY})
    who["billing"].get(f"/patients/{patient.pk}")
    rows = log(who["admin"], patient)
    assert [(row["person"]["role"], row["outcome"], row["purpose"]) for row in rows[:4]] == [
        ("billing", "success", "payment"),
        ("nurse", "denied", "treatment"),
        ("manager", "denied", "operations"),
        ("receptionist", "denied", "operations"),
    ]


def test_the_access_log_says_in_words_that_a_form_was_opened(staff: dict[str, User], who: dict[str, ApiClient]) -> None:
    patient = register_patient()
    browser(staff["nurse"]).get(f"/admin/appointments/waitlistentry/add/?patient={patient.pk}")
    assert "Opened the form for the waiting list" in {row["action"] for row in log(who["admin"], patient)}


def test_the_access_log_of_a_merged_record_tells_of_both(who: dict[str, ApiClient]) -> None:
    old, new = register_patient("Jon"), register_patient("John")
    who["nurse"].get(f"/patients/{old.pk}")
    merge(old, new)
    who["doctor"].get(f"/patients/{old.pk}")
    for patient in (old, new):
        roles = [row["person"]["role"] for row in log(who["admin"], patient)]
        assert {"nurse", "doctor"} <= set(roles)


def test_the_access_log_is_paged_and_cut_by_period(who: dict[str, ApiClient], settings: Any) -> None:
    settings.CLINIC_TIME_ZONE = "America/Los_Angeles"
    patient = register_patient()
    for day in (1, 2, 3):
        with time_machine.travel(datetime(2097, 3, day, 20, tzinfo=UTC)):
            api_client(User.objects.get(username="nurse.ward")).get(f"/patients/{patient.pk}")
    admin = who["admin"]

    def days(query: str) -> list[int]:
        return [datetime.fromisoformat(row["at"]).day for row in log(admin, patient, query)]

    assert days("?date_from=2097-03-02") == [3, 2]
    assert days("?date_from=2097-03-01&date_to=2097-03-02") == [2, 1]
    assert days("?date_from=2097-03-02T20:00:00Z&date_to=2097-03-02T21:00:00%2B00:00") == [2]
    assert days("?date_from=2097-03-01&limit=1&page=2") == [2]
    page = admin.get(f"/patients/{patient.pk}/access-log?date_from=2097-03-01&limit=2").json()["data"]["pagination"]
    assert (page["total"], page["pages"]) == (3, 2)
    for query, field in (
        ("date_from=2097-03-02&date_to=2097-03-01", "date_to"),
        ("date_from=yesterday", "date_from"),
        ("date_to=2097-02-30", "date_to"),
        ("date_to=2097-03-02T20:00:00", "date_to"),
        ("person=x", "person"),
    ):
        reply = admin.get(f"/patients/{patient.pk}/access-log?{query}")
        assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, field), query


def test_the_access_log_names_everybody_in_one_query(who: dict[str, ApiClient]) -> None:
    patient = register_patient()
    for role in ("doctor", "nurse", "pharmacist", "billing", "receptionist"):
        who[role].get(f"/patients/{patient.pk}")
    counts = set()
    for limit in (1, 100):
        with CaptureQueriesContext(connection) as caught:
            log(who["admin"], patient, f"?limit={limit}")
        counts.add(len([row for row in caught if row["sql"].split()[0] in _COUNTED and row["sql"] != "SELECT 1"]))
    assert counts == {6}  # session, family, count, rows, names, and the audit row


@pytest.mark.parametrize("role", ["doctor", "nurse", "receptionist", "billing", "pharmacist", "lab_technician"])
def test_only_administrators_and_managers_read_the_access_log(who: dict[str, ApiClient], role: str) -> None:
    assert who[role].get(f"/patients/{register_patient().pk}/access-log").status_code == 403


def test_the_access_log_of_an_unknown_patient_is_404(who: dict[str, ApiClient]) -> None:
    assert who["admin"].get(f"/patients/{uuid4()}/access-log").status_code == 404
