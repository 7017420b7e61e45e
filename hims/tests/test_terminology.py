"""ICD-10-CM over the API and at the desk."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from apps.accounts.models import User
from apps.terminology.tests import factories as terminology
from hims.tests import factories

pytestmark = pytest.mark.django_db
PATH = "/terminology/icd10"
KEYS = {"code", "display", "billable"}


@pytest.fixture
def nurse(staff: dict[str, User]) -> factories.ApiClient:
    terminology.load()
    return factories.api_client(staff["nurse"])


def codes(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.content
    return [row["code"] for row in reply.json()["data"]["codes"]]


def test_a_diagnosis_is_found_by_its_words_or_its_code(nurse: factories.ApiClient) -> None:
    reply = nurse.get(f"{PATH}?search=diab%202%20type%20without%20compl")
    rows = reply.json()["data"]["codes"]
    assert rows[0] == {"code": "E11.9", "display": "Type 2 diabetes mellitus without complications", "billable": True}
    assert reply.json()["data"]["pagination"] == {"page": 1, "limit": 20, "total": len(rows), "pages": 1}
    assert codes(nurse.get(f"{PATH}?search=e119")) == ["E11.9"]
    assert codes(nurse.get(f"{PATH}?search=e11"))[0] == "E11"


def test_headers_are_shown_and_can_be_left_out(nurse: factories.ApiClient) -> None:
    assert "E11" in codes(nurse.get(f"{PATH}?search=e11&limit=100"))
    assert "E11" not in codes(nurse.get(f"{PATH}?search=e11&billable=true&limit=100"))
    assert all(not row["billable"] for row in nurse.get(f"{PATH}?billable=false").json()["data"]["codes"])


def test_the_date_of_service_decides(nurse: factories.ApiClient) -> None:
    terminology.load_october()
    shown = {
        day: nurse.get(f"{PATH}?search=E11.9&date={day}").json()["data"]["codes"][0]["display"]
        for day in ("2025-01-15", "2026-09-30", "2026-10-01")
    }
    assert shown["2025-01-15"] == shown["2026-09-30"] == "Type 2 diabetes mellitus without complications"
    assert shown["2026-10-01"] == "Type 2 diabetes mellitus, uncomplicated"


def test_without_a_search_all_are_listed_page_by_page(nurse: factories.ApiClient) -> None:
    known = sorted(entry.code for entry in terminology.entries())
    first, second = nurse.get(f"{PATH}?limit=50"), nurse.get(f"{PATH}?limit=50&page=2")
    assert codes(first) + codes(second) == known[:100]
    assert first.json()["data"]["pagination"]["total"] == len(known)
    assert 'rel="next"' in first.headers["Link"]
    assert codes(nurse.get(f"{PATH}?page=4000")) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("date=2026-13-01", "date"),
        ("date=01/02/2026", "date"),
        ("date=20260101", "date"),
        ("search=" + "a" * 101, "search"),
        ("billable=perhaps", "billable"),
        ("limit=0", "limit"),
        ("chapter=4", "chapter"),
    ],
)
def test_a_wrong_question_is_refused_by_name(nurse: factories.ApiClient, query: str, field: str) -> None:
    reply = nurse.get(f"{PATH}?{query}")
    assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, field)


def test_signs_are_letters_like_others(nurse: factories.ApiClient) -> None:
    assert [codes(nurse.get(f"{PATH}?search={sign}")) for sign in ("%25", "_", "%27", "e11%25%25x")] == [[], [], [], []]


def test_a_page_costs_as_many_queries_as_another(nurse: factories.ApiClient, django_assert_max_num_queries: Any) -> None:
    for query in ("limit=1", "limit=100", "search=e11&limit=100", "search=diab&billable=true"):
        with django_assert_max_num_queries(4):  # session, codes, count, and whether the words are spelt as known ones
            nurse.get(f"{PATH}?{query}")


def test_a_manager_and_a_key_without_the_scope_are_refused(staff: dict[str, User]) -> None:
    terminology.load()
    assert factories.api_client(staff["manager"]).get(PATH).status_code == 403
    refused = factories.api_key_client(factories.create_api_key(staff["nurse"], "patients:read").text).get(PATH)
    assert (refused.status_code, refused.json()["error"]["details"]["required_scope"]) == (403, "history:read")
    assert factories.api_key_client(factories.create_api_key(staff["nurse"], "history:read").text).get(PATH).status_code == 200


def test_the_desk_searches_as_the_api_does_and_changes_nothing(staff: dict[str, User]) -> None:
    terminology.load()
    browser, page = factories.browser(staff["doctor"]), reverse("admin:terminology_icdcode_changelist")
    shown = browser.get(page, {"q": "type 2 without compl"}).content.decode()
    assert "E11.9" in shown
    assert "E10.9" not in shown
    every = browser.get(page, {"q": "e11"}).context["cl"].result_list
    assert next(iter(every)).code == "E11"
    with pytest.raises(NoReverseMatch):
        reverse("admin:terminology_icdcode_delete", args=["x"])
    assert browser.get(reverse("admin:terminology_icdcode_add")).status_code == 403


def test_a_page_of_codes_on_the_desk_is_read_from_an_index(staff: dict[str, User]) -> None:
    terminology.load()
    browser, page = factories.browser(staff["doctor"]), reverse("admin:terminology_icdcode_changelist")
    with CaptureQueriesContext(connection) as log:
        assert browser.get(page).status_code == 200
    (read,) = [query["sql"] for query in log if "LIMIT 51" in query["sql"] or "LIMIT 50" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + read.replace("%", "%%"), [])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "icd_code_once_a_release" in plan, plan
    assert "Sort" not in plan, plan


def test_a_reply_says_whether_near_spellings_are_shown(nurse: factories.ApiClient) -> None:
    def search_result(search: str) -> tuple[list[str], object]:
        reply = nurse.get(f"{PATH}?search={search}")
        return codes(reply)[:1], reply.json()["data"].get("fuzzy", "absent")

    assert search_result("hypertension") == (["I10"], "absent")
    assert search_result("hypertention") == (["I10"], True)
    assert search_result("hart%20atack") == (["I21.9"], True)
    assert search_result("xqzvwk") == ([], "absent")
    assert search_result("") == (search_result("")[0], "absent")
