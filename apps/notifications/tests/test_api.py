from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import ApiClient, api_client
from apps.common import clock
from apps.notifications import services
from apps.notifications.models import Notification
from apps.notifications.tests.factories import copy_of, notice, tell

pytestmark = pytest.mark.django_db

KEYS = ["id", "type", "title", "message", "priority", "category", "is_read", "created_at", "action_url"]


@pytest.fixture
def api_client_of(staff: dict[str, User]) -> Callable[[str], ApiClient]:
    return lambda role: api_client(staff[role])


def listed(by: ApiClient, query: str = "") -> dict[str, Any]:
    answer = by.get(f"/notifications{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def titles(by: ApiClient, query: str = "") -> list[str]:
    return [row["title"] for row in listed(by, query)["notifications"]]


def several(person: User, count: int) -> None:
    """So many, the last the newest, two at a time at the same instant."""
    begun = clock.now() - timedelta(days=1)
    for number in range(count):
        at = begun + timedelta(seconds=number // 2)
        services.notify(by=SYSTEM, notice=notice(f"Notice {number}"), ids=[person.pk], at=at)


def test_a_notification_has_the_keys_of_the_reference(staff: dict[str, User], api_client_of: Callable[[str], ApiClient]) -> None:
    message = tell(staff["nurse"], title="Lab Results Available", category="lab", action_url="/lab/results/123")
    data = listed(api_client_of("nurse"))
    [row] = data["notifications"]
    assert list(row) == KEYS
    assert row["id"] == str(copy_of(message, staff["nurse"]).pk)
    assert (row["is_read"], row["category"], row["action_url"]) == (False, "lab", "/lab/results/123")
    assert row["created_at"].endswith("Z")
    assert data["unread_count"] == 1
    assert data["pagination"] == {"page": 1, "limit": 20, "total": 1, "pages": 1, "next_cursor": None}


def test_one_sees_ones_own_the_newest_first(staff: dict[str, User], api_client_of: Callable[[str], ApiClient]) -> None:
    at = clock.now()
    for title, hours in (("Old", 3), ("New", 1), ("Middle", 2)):
        services.notify(by=SYSTEM, notice=notice(title), ids=[staff["nurse"].pk], at=at - timedelta(hours=hours))
    tell(staff["doctor"], title="For the doctor")
    assert titles(api_client_of("nurse")) == ["New", "Middle", "Old"]


def test_the_list_is_filtered_and_unread_are_counted_all_the_same(
    staff: dict[str, User], api_client_of: Callable[[str], ApiClient]
) -> None:
    read = tell(staff["nurse"], title="Read", priority="high", category="lab")
    tell(staff["nurse"], title="Unread", priority="high", category="billing")
    tell(staff["nurse"], title="Urgent", priority="urgent", category="lab")
    services.read(by=staff["nurse"], notification_id=copy_of(read, staff["nurse"]).pk)
    nurse = api_client_of("nurse")
    assert titles(nurse, "?status=read") == ["Read"]
    assert titles(nurse, "?status=read&status=unread") == titles(nurse)
    assert titles(nurse, "?status=unread&priority=high") == ["Unread"]
    assert set(titles(nurse, "?category=lab")) == {"Read", "Urgent"}
    assert listed(nurse, "?status=read")["unread_count"] == 2


@pytest.mark.parametrize(
    "query",
    [
        *("status=new", "priority=routine", "category=weather", "limit=0", "limit=x", "page=0", "colour=red"),
        *("cursor=nonsense", "cursor=", "cursor=%00", "cursor=MjAyNi0xMS0yMg", "cursor=" + "A" * 200),
    ],
)
def test_a_wrong_parameter_is_named(api_client_of: Callable[[str], ApiClient], query: str) -> None:
    answer = api_client_of("nurse").get(f"/notifications?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["field"] == query.partition("=")[0]


def test_cursors_lead_through_all_and_what_arrives_shifts_nothing(
    staff: dict[str, User], api_client_of: Callable[[str], ApiClient]
) -> None:
    several(staff["nurse"], 11)
    nurse, query, seen = api_client_of("nurse"), "?limit=3", []
    while True:
        data = listed(nurse, query)
        seen += [row["title"] for row in data["notifications"]]
        tell(staff["nurse"], title="Arrived meanwhile")
        if not (following := data["pagination"]["next_cursor"]):
            break
        query = f"?limit=3&cursor={following}"
        assert len(seen) % 3 == 0
    assert len(seen) == 11
    assert set(seen) == {f"Notice {number}" for number in range(11)}
    assert data["pagination"] == {"limit": 3, "next_cursor": None}


def test_a_cursor_keeps_the_filter_and_is_no_page(staff: dict[str, User], api_client_of: Callable[[str], ApiClient]) -> None:
    several(staff["nurse"], 4)
    nurse = api_client_of("nurse")
    answer = nurse.get("/notifications?limit=2&status=unread")
    cursor = answer.json()["data"]["pagination"]["next_cursor"]
    following = nurse.get(f"/notifications?limit=1&status=unread&cursor={cursor}")
    assert 'rel="next"' in following.headers["Link"]
    assert "status=unread" in following.headers["Link"]
    assert nurse.get(f"/notifications?page=2&cursor={cursor}").json()["error"]["details"]["field"] == "cursor"
    assert titles(nurse, f"?status=read&cursor={cursor}") == []


def test_a_page_past_the_end_is_empty(staff: dict[str, User], api_client_of: Callable[[str], ApiClient]) -> None:
    several(staff["nurse"], 3)
    assert listed(api_client_of("nurse"), "?page=9&limit=2")["notifications"] == []
    assert titles(api_client_of("nurse"), "?page=2&limit=2") == ["Notice 0"] or titles(
        api_client_of("nurse"), "?page=2&limit=2"
    ) == ["Notice 1"]


def test_the_list_costs_as_many_statements_for_fifty_as_for_one(
    staff: dict[str, User], api_client_of: Callable[[str], ApiClient], django_assert_max_num_queries: Any
) -> None:
    nurse = api_client_of("nurse")
    several(staff["nurse"], 60)
    with django_assert_max_num_queries(4):  # who, total, rows, unread
        assert len(listed(nurse, "?limit=50")["notifications"]) == 50


def test_reading_twice_is_no_mistake(staff: dict[str, User], api_client_of: Callable[[str], ApiClient]) -> None:
    copy, nurse = copy_of(tell(staff["nurse"]), staff["nurse"]), api_client_of("nurse")
    for _ in range(2):
        answer = nurse.put(f"/notifications/{copy.pk}/read")
        assert answer.status_code == 200
        assert list(answer.json()["data"]["notification"]) == KEYS
        assert answer.json()["data"]["notification"]["is_read"] is True
    assert listed(nurse)["unread_count"] == 0


@pytest.mark.parametrize("role", ["doctor", "manager", "admin"])
def test_another_persons_notification_is_not_there(
    staff: dict[str, User], api_client_of: Callable[[str], ApiClient], role: str
) -> None:
    copy = copy_of(tell(staff["nurse"]), staff["nurse"])
    assert api_client_of(role).put(f"/notifications/{copy.pk}/read").status_code == 404
    assert api_client_of(role).put(f"/notifications/{copy.message_id}/read").status_code == 404
    assert api_client_of(role).put("/notifications/not-an-id/read").status_code == 404
    assert Notification.objects.get(pk=copy.pk).read_at is None


def test_all_are_read_at_once(staff: dict[str, User], api_client_of: Callable[[str], ApiClient]) -> None:
    several(staff["nurse"], 3)
    nurse = api_client_of("nurse")
    assert nurse.post("/notifications/read-all").json()["data"] == {"read": 3, "unread_count": 0}
    assert nurse.post("/notifications/read-all").json()["data"] == {"read": 0, "unread_count": 0}


NOTICE = {
    "type": "warning",
    "title": "System Maintenance",
    "message": "System will be unavailable from 2-4 AM",
    "priority": "high",
    "category": "system",
    "action_url": "/maintenance-schedule",
}


def test_an_administrator_sends_what_the_reference_shows(
    staff: dict[str, User], api_client_of: Callable[[str], ApiClient]
) -> None:
    people = [str(staff[role].pk) for role in ("nurse", "doctor", "nurse")]
    admin = api_client_of("admin")
    answer = admin.post("/notifications", {"recipient_ids": people, **NOTICE})
    assert answer.status_code == 201, answer.content
    notification = answer.json()["data"]["notification"]
    assert (notification["recipient_count"], notification["read_count"], notification["sent_by"]) == (
        2,
        0,
        str(staff["admin"].pk),
    )
    [row] = listed(api_client_of("nurse"))["notifications"]
    assert {name: row[name] for name in NOTICE} == NOTICE
    api_client_of("nurse").post("/notifications/read-all")
    again = admin.get(answer.headers["Location"].removeprefix("/v1")).json()["data"]["notification"]
    assert again == notification | {"read_count": 1}


def test_a_role_is_notified_and_what_is_left_out_has_a_default(
    staff: dict[str, User], api_client_of: Callable[[str], ApiClient]
) -> None:
    answer = api_client_of("admin").post("/notifications", {"recipient_roles": ["manager"], "title": "A", "message": "B"})
    assert answer.status_code == 201
    [row] = listed(api_client_of("manager"))["notifications"]
    assert [row[name] for name in ("type", "priority", "category", "action_url")] == ["info", "medium", "system", ""]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"action_url": "https://evil.example"}, "action_url"),
        ({"action_url": "//evil.example"}, "action_url"),
        ({"action_url": "/\\evil.example"}, "action_url"),
        ({"action_url": "javascript:alert(1)"}, "action_url"),
        ({"action_url": "/a\tb"}, "action_url"),
        ({"action_url": " /a"}, "action_url"),
        ({"type": "gossip"}, "type"),
        ({"priority": "routine"}, "priority"),
        ({"category": "weather"}, "category"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"message": "x" * 4_001}, "message"),
        ({"message": None}, "message"),
        ({"colour": "red"}, "colour"),
        ({"recipient_ids": []}, "recipient_ids"),
        ({"recipient_ids": ["nobody"]}, "recipient_ids.0"),
        ({"recipient_ids": "nobody"}, "recipient_ids"),
        ({"recipient_roles": ["patient"]}, "recipient_roles.0"),
        ({"recipient_ids": [str(uuid4())]}, "recipient_ids"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_sent(
    staff: dict[str, User], api_client_of: Callable[[str], ApiClient], wrong: dict[str, Any], field: str
) -> None:
    body = {"recipient_ids": [str(staff["nurse"].pk)], **NOTICE, **wrong}
    answer = api_client_of("admin").post("/notifications", body)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["details"]["field"] == field
    assert not Notification.objects.exists()


def test_more_than_ten_thousand_are_not_named_in_one_request(api_client_of: Callable[[str], ApiClient]) -> None:
    many = [str(uuid4()) for _ in range(10_001)]
    answer = api_client_of("admin").post("/notifications", {"recipient_ids": many, **NOTICE})
    assert answer.status_code == 400
    assert "recipient_ids" in answer.json()["error"]["details"]["field"]


@pytest.mark.parametrize("role", ["doctor", "nurse", "receptionist", "pharmacist", "lab_technician", "billing"])
def test_only_those_who_run_the_clinic_send(staff: dict[str, User], api_client_of: Callable[[str], ApiClient], role: str) -> None:
    answer = api_client_of(role).post("/notifications", {"recipient_ids": [str(staff["nurse"].pk)], **NOTICE})
    assert answer.status_code == 403
    assert not Notification.objects.exists()
    assert listed(api_client_of(role))["notifications"] == []
