"""The audit log over the API and on its page: filters, pages, cursor, verification, and permissions."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.audit.models import AuditEvent
from apps.audit.sealing import seals
from apps.audit.verification import full_verification
from apps.common import clock
from hims.tests import factories

pytestmark = pytest.mark.django_db

KEYS = {"id", "at", "user_id", "role", "action", "outcome", "patient_id", "ip", "request_id", "purpose"}
LIST = reverse("admin:audit_auditevent_changelist")
VERIFY = "/admin/audit/auditevent/verify/"


@pytest.fixture
def admin(staff: dict[str, User]) -> factories.ApiClient:
    """An administrator over the API, and an audit log that contains only what a test adds."""
    api_client = factories.api_client(staff["admin"])
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_auditevent, audit_seal, audit_anchor, audit_chain")
    return api_client


def put(action: str = "test.noted", at: datetime | None = None, **about: Any) -> AuditEvent:
    return AuditEvent.objects.create(**({"action": action, "outcome": "success", "at": at or clock.now()} | about))


def listed(api_client: factories.ApiClient, query: str = "") -> list[str]:
    """The ids on the page."""
    reply = api_client.get(f"/audit-events{query}")
    assert reply.status_code == 200, reply.content
    return [row["id"] for row in reply.json()["data"]["audit_events"]]


def ids(*rows: AuditEvent) -> list[str]:
    return [str(row.pk) for row in rows]


def refusal(api_client: factories.ApiClient, query: str) -> dict[str, Any]:
    reply = api_client.get(f"/audit-events{query}")
    assert reply.status_code == 400, reply.content
    return reply.json()["error"]["details"]


def tampered(row: AuditEvent) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE audit_auditevent SET purpose = 'x' WHERE id = %s", [row.pk])
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_a_row_has_the_keys_of_the_contract_and_nothing_of_the_detail(admin: factories.ApiClient, staff: dict[str, User]) -> None:
    patient = uuid4()
    row = put("chart.read", user_id=staff["nurse"].pk, role="nurse", patient_id=patient, ip="192.0.2.7", request_id="req_1")
    reply = admin.get("/audit-events").json()["data"]
    (shown,) = reply["audit_events"]
    assert set(shown) == KEYS
    assert datetime.fromisoformat(shown["at"]) == row.at
    assert shown["at"].endswith("Z")
    assert (shown["user_id"], shown["patient_id"], shown["ip"]) == (str(staff["nurse"].pk), str(patient), "192.0.2.7")
    assert reply["pagination"] == {"page": 1, "limit": 20, "total": 1, "pages": 1, "next_cursor": None}


def test_rows_are_found_by_patient_person_act_and_outcome(admin: factories.ApiClient, staff: dict[str, User]) -> None:
    patient, nurse = uuid4(), staff["nurse"].pk
    looked = put("chart.read", patient_id=patient, user_id=nurse)
    other = put("chart.read", patient_id=uuid4(), user_id=staff["doctor"].pk)
    denied = put("patient.list", outcome="denied", user_id=nurse)
    assert listed(admin, f"?patient_id={patient}") == ids(looked)
    assert listed(admin, f"?user_id={nurse}") == ids(denied, looked)
    assert listed(admin, "?action=chart.read") == ids(other, looked)
    assert listed(admin, "?action=patient.list") == ids(denied)
    assert listed(admin, "?action=patient") == []
    assert listed(admin, "?outcome=denied") == ids(denied)
    assert listed(admin, f"?outcome=success&user_id={nurse}&action=chart.read") == ids(looked)
    assert listed(admin, "?patient_id=patient_001") == []  # a sample's name is resolved to its id


def test_days_are_the_clinics_and_inclusive_instants_are_exact(admin: factories.ApiClient) -> None:
    zone = ZoneInfo(settings.CLINIC_TIME_ZONE)
    midnight = datetime(2026, 3, 8, tzinfo=zone)  # a day of 23 hours in Los Angeles
    rows = [put(at=at) for at in (midnight - timedelta(microseconds=1), midnight, datetime(2026, 3, 8, 23, 59, 59, 999999, zone))]
    rows.append(put(at=datetime(2026, 3, 9, tzinfo=zone)))
    before, first, last, after = rows
    assert listed(admin, "?date_from=2026-03-08&date_to=2026-03-08") == ids(last, first)
    assert listed(admin, "?date_from=2026-03-09&date_to=2026-03-31") == ids(after)
    assert listed(admin, "?date_to=2026-03-07") == ids(before)
    instant = first.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    assert listed(admin, f"?date_from={instant}&date_to={instant}") == ids(first)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?patient_id=7", "patient_id"),
        ("?patient_id=", "patient_id"),
        ("?user_id=doe", "user_id"),
        ("?outcome=lost", "outcome"),
        ("?date_from=yesterday", "date_from"),
        ("?date_from=2026-13-01", "date_from"),
        ("?date_to=2026-01-01T10:00:00", "date_to"),
        ("?date_from=2026-02-02&date_to=2026-02-01", "date_from"),
        ("?cursor=abc", "cursor"),
        ("?cursor=%C3%A4", "cursor"),
        ("?cursor=", "cursor"),
        ("?cursor=" + "A" * 32 + "&page=1", "cursor"),
        ("?action=" + "a" * 81, "action"),
        ("?action=%00", "action"),
        ("?sort=at", "sort"),
        ("?page=0", "page"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_name(admin: factories.ApiClient, query: str, field: str) -> None:
    assert refusal(admin, query)["field"] == field


def test_the_cursor_goes_through_all_rows_once_though_new_ones_arrive(admin: factories.ApiClient) -> None:
    at = clock.now() - timedelta(hours=1)
    rows = [put(at=at - timedelta(seconds=number // 3)) for number in range(11)]  # some at the same instant
    expected = ids(*sorted(rows, key=lambda row: (row.at, row.pk), reverse=True))
    seen, query = [], "?action=test.noted&limit=4"
    while query:
        reply = admin.get(f"/audit-events{query}")
        page = reply.json()["data"]["pagination"]
        seen.append([row["id"] for row in reply.json()["data"]["audit_events"]])
        put()  # it comes first, and moves no cursor
        query = f"?action=test.noted&limit=4&cursor={page['next_cursor']}" if page["next_cursor"] else ""
        assert ("next" in reply.headers["Link"]) == bool(query) or len(seen) == 1
    assert [len(page) for page in seen] == [4, 4, 3]
    assert [row for page_ids in seen for row in page_ids] == expected
    assert "page" not in page
    assert page["limit"] == 4


def test_without_a_filter_the_total_is_exact_and_with_one_it_is_counted(admin: factories.ApiClient) -> None:
    for _ in range(5):
        put()
    seals.seal()
    put("test.other")
    assert admin.get("/audit-events?limit=2").json()["data"]["pagination"]["total"] == 6
    assert admin.get("/audit-events?action=test.noted").json()["data"]["pagination"]["total"] == 5
    assert admin.get("/audit-events?limit=2").json()["data"]["pagination"]["total"] == 8  # the two readings are audited


@pytest.mark.parametrize("query", ["", "?outcome=success", "?user_id={nurse}"])
def test_the_list_asks_the_same_few_statements_however_long_it_is(
    admin: factories.ApiClient, staff: dict[str, User], query: str
) -> None:
    counts = set()
    for limit in (1, 50, 100):
        for _ in range(60):
            put(user_id=staff["nurse"].pk)
        address = f"/audit-events{query.format(nurse=staff['nurse'].pk)}"
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert admin.get(f"{address}{'&' if query else '?'}limit={limit}").status_code == 200
        counts.add(len([one for one in asked.captured_queries if "SAVEPOINT" not in one["sql"]]))
    assert len(counts) == 1
    assert counts.pop() <= 5  # principal, rows, head and count or count, the reading's own row


def test_reading_and_verifying_the_trail_is_itself_on_record(admin: factories.ApiClient, staff: dict[str, User]) -> None:
    patient = uuid4()
    admin.get(f"/audit-events?patient_id={patient}&limit=5")
    admin.get("/audit-events/verify")
    searched, verified = AuditEvent.objects.order_by("at")
    assert (searched.action, searched.user_id, searched.patient_id) == ("trail.searched", staff["admin"].pk, patient)
    assert searched.detail == {"query": {"patient_id": str(patient), "limit": "5"}, "shown": 0}
    assert (verified.action, verified.outcome, verified.detail["intact"]) == ("trail.verified", "success", True)


@pytest.mark.parametrize("path", ["/audit-events", "/audit-events/verify"])
def test_the_trail_is_for_administrators_and_managers(staff: dict[str, User], path: str) -> None:
    answers = {role: factories.api_client(user).get(path).status_code for role, user in staff.items()}
    assert answers == {role: 200 if role in {"admin", "manager"} else 403 for role in staff}
    assert factories.api_client().get(path).status_code == 401
    assert AuditEvent.objects.filter(outcome="denied", action__in=("trail.list", "verification.verify")).count() == 6


def test_the_verification_names_the_first_row_that_is_not_as_it_was_sealed(admin: factories.ApiClient) -> None:
    rows = [put() for _ in range(4)]
    seals.seal()
    put()
    assert admin.get("/audit-events/verify").json()["data"] == {
        "verification": {"intact": True, "checked": 4, "unsealed": 1, "first_broken": None, "whole_trail_verified_at": None}
    }
    tampered(rows[2])
    verification = admin.get("/audit-events/verify").json()["data"]["verification"]
    at = verification["first_broken"].pop("at")
    assert datetime.fromisoformat(at) == rows[2].at
    assert verification == {
        "intact": False,
        "checked": 2,
        "unsealed": 2,
        "first_broken": {"id": str(rows[2].pk), "sequence": 3, "flaw": "changed"},
        "whole_trail_verified_at": None,
    }
    assert admin.get("/audit-events/verify?since=2020-01-01").json()["data"]["verification"]["intact"] is False
    assert admin.get("/audit-events/verify?since=soon").status_code == 400


def test_a_request_verifies_a_bounded_number_of_rows_after_those_the_worker_has_verified(
    admin: factories.ApiClient, settings: Any
) -> None:
    for _ in range(7):
        put()
    seals.seal()
    settings.HIMS_AUDIT_VERIFY_ROWS = 5

    def verified(query: str = "") -> dict[str, Any]:
        return admin.get(f"/audit-events/verify{query}").json()["data"]["verification"]

    assert (verified()["checked"], verified()["whole_trail_verified_at"]) == (5, None)
    assert full_verification.step().is_done
    put()
    seals.seal()
    verification = verified()
    assert 1 <= verification["checked"] <= 5
    assert verification["intact"]
    assert datetime.fromisoformat(verification["whole_trail_verified_at"]) <= clock.now()
    assert verified("?since=2020-01-01")["checked"] == 5  # from the chain's beginning


def test_what_the_worker_found_wrong_is_returned_to_every_request_until_it_is_right(admin: factories.ApiClient) -> None:
    rows = [put() for _ in range(4)]
    seals.seal()
    assert full_verification.step().broken is None
    tampered(rows[1])
    assert admin.get("/audit-events/verify").json()["data"]["verification"]["intact"]  # it lies before what is looked at
    assert full_verification.step(restart=True).broken
    verification = admin.get("/audit-events/verify").json()["data"]["verification"]
    assert (verification["intact"], verification["first_broken"]["id"]) == (False, str(rows[1].pk))


def test_an_audit_log_with_an_unreadable_key_says_so(admin: factories.ApiClient, settings: Any) -> None:
    put()
    seals.seal()
    settings.HIMS_KEY_RING = ["a ring that never knew the key, long enough"]
    reply = admin.get("/audit-events/verify")
    assert reply.status_code == 409
    assert "HIMS_KEY_RING" in reply.json()["error"]["message"]


# The page


@pytest.fixture
def browser_of(staff: dict[str, User]) -> Callable[[str], Client]:
    return lambda role: factories.browser(staff[role])


def shown(page: Any) -> set[str]:
    """The acts in the list."""
    return {row.action for row in page.context_data["cl"].result_list}


def test_the_page_filters_by_user_patient_action_and_time(staff: dict[str, User], browser_of: Callable[[str], Client]) -> None:
    browser, patient = browser_of("admin"), uuid4()
    long_ago = datetime(2026, 1, 5, 20, tzinfo=UTC)
    put("test.one", user_id=staff["nurse"].pk, patient_id=patient)
    put("test.two", user_id=staff["doctor"].pk, outcome="denied", patient_id=uuid4())
    put("other.three", at=long_ago)
    assert shown(browser.get(LIST, {"who": "NURSE.ward", "action": "test."})) == {"test.one"}
    assert shown(browser.get(LIST, {"patient": str(patient)})) == {"test.one"}
    assert shown(browser.get(LIST, {"action": "other.three"})) == {"other.three"}
    assert shown(browser.get(LIST, {"action": "test.", "outcome__exact": "denied"})) == {"test.two"}
    assert shown(browser.get(LIST, {"date_from": "2026-01-05", "date_to": "2026-01-05"})) == {"other.three"}
    page = browser.get(LIST, {"action": "test.", "patient": "nobody", "role": "nurse"})
    assert shown(page) == set()
    assert "No patient that you may see has this name or MRN." in page.content.decode()
    assert '<option value="nurse" selected>' in page.content.decode()


def test_the_page_says_how_many_rows_wait_for_their_seal(browser_of: Callable[[str], Client]) -> None:
    browser = browser_of("admin")
    seals.seal()
    put()
    assert "1 entry waits to be sealed." in browser.get(VERIFY).content.decode()
    seals.seal()
    assert "0 entries wait to be sealed." in browser.get(VERIFY).content.decode()


def test_an_administrator_verifies_at_the_page(browser_of: Callable[[str], Client]) -> None:
    browser, row = browser_of("admin"), put()
    seals.seal()
    assert f'href="{VERIFY}"' in browser.get(LIST).content.decode()
    assert AuditEvent.objects.filter(action="trail.verified").count() == 0
    assert "The log has not been changed" in browser.post(VERIFY).content.decode()
    tampered(row)
    page = browser.post(VERIFY, {"since": "2020-01-01"}).content.decode()
    assert "differs from what was sealed" in page
    assert str(row.pk) in page
    assert "Write a day as YYYY-MM-DD" in browser.post(VERIFY, {"since": "soon"}).content.decode()
    assert AuditEvent.objects.filter(action="trail.verified").count() == 2


def test_no_other_role_verifies_at_the_page(browser_of: Callable[[str], Client]) -> None:
    for role in ("nurse", "doctor"):
        assert browser_of(role).get(VERIFY).status_code == 403
        assert browser_of(role).post(VERIFY).status_code == 403
    assert Client().post(VERIFY).status_code == 302
    assert AuditEvent.objects.filter(action="page.refused", detail__path=VERIFY).count() == 4
