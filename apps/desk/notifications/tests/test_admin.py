import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.audit.models import AuditEvent
from apps.notifications.models import Message, Notification
from apps.notifications.tests.factories import copy_of, tell

pytestmark = pytest.mark.django_db

INBOX = "/admin/notifications/notification/"
SENT = "/admin/notifications/message/"


@pytest.fixture
def page_of(staff: dict[str, User]) -> Callable[[str], Client]:
    return lambda role: browser(staff[role])


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


@pytest.mark.parametrize("role", ["nurse", "manager", "admin"])
def test_the_bell_on_every_page_counts_ones_own_unread(staff: dict[str, User], page_of: Callable, role: str) -> None:
    tell(staff["doctor"])
    bell = re.compile(rf'<a class="top-btn" href="{INBOX}">.*?Notifications(.*?)</a>')
    assert bell.findall(shown(page_of(role), "/admin/")) == ["</span>"]
    tell(staff[role])
    tell(staff[role])
    assert bell.findall(shown(page_of(role), "/admin/")) == [', unread: </span><span class="n">2</span>']


def test_a_stranger_sees_no_bell(staff: dict[str, User]) -> None:
    assert "Notifications" not in Client().get("/admin/login/").content.decode()


def test_the_inbox_shows_ones_own_escaped(staff: dict[str, User], page_of: Callable) -> None:
    tell(staff["nurse"], title="<script>alert(1)</script>", action_url="/admin/?q='")
    tell(staff["doctor"], title="For the doctor")
    page = shown(page_of("nurse"), INBOX)
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert 'href="/admin/?q=&#x27;"' in page
    assert "For the doctor" not in page
    assert AuditEvent.objects.filter(action="notification.listed", user_id=staff["nurse"].pk).exists()


def test_a_button_marks_one_as_read_and_another_all(staff: dict[str, User], page_of: Callable) -> None:
    copies = [copy_of(tell(staff["nurse"]), staff["nurse"]) for _ in range(3)]
    nurse = page_of("nurse")
    answer = nurse.post(INBOX + "?status=unread", {"read": str(copies[0].pk)})
    assert (answer.status_code, answer.headers["Location"]) == (302, INBOX + "?status=unread")
    assert Notification.objects.unread().count() == 2
    nurse.post(INBOX, {"all": "1"})
    assert Notification.objects.unread().count() == 0
    assert "Mark as read" not in shown(nurse, INBOX)


@pytest.mark.parametrize("named", [lambda copy: str(copy.pk), lambda _: str(uuid4()), lambda _: "x"])
def test_another_persons_is_not_marked(staff: dict[str, User], page_of: Callable, named: Callable) -> None:
    copy = copy_of(tell(staff["nurse"]), staff["nurse"])
    assert page_of("doctor").post(INBOX, {"read": named(copy)}).status_code == 404
    assert page_of("doctor").get(f"{INBOX}{copy.pk}/change/").status_code in (302, 404)
    assert Notification.objects.unread().count() == 1


def test_the_filters_of_the_inbox(staff: dict[str, User], page_of: Callable) -> None:
    tell(staff["nurse"], title="About a lab", category="lab", priority="urgent")
    tell(staff["nurse"], title="About a bill", category="billing")
    nurse = page_of("nurse")
    for query in ("category=lab", "priority=urgent", "status=unread&category=lab"):
        page = shown(nurse, f"{INBOX}?{query}")
        assert "About a lab" in page
        assert "About a bill" not in page
    assert "About a lab" not in shown(nurse, f"{INBOX}?status=read")


def test_the_inbox_costs_as_many_statements_for_twenty_as_for_one(
    staff: dict[str, User], page_of: Callable, django_assert_max_num_queries: Any
) -> None:
    nurse = page_of("nurse")
    for _ in range(25):
        tell(staff["nurse"])
    with django_assert_max_num_queries(11):  # of them some for the frame: menu, bell, drafts
        shown(nurse, INBOX)


NOTICE = {
    "recipient_roles": ["nurse"],
    "title": "System Maintenance",
    "message": "From 2 to 4 AM",
    "type": "warning",
    "priority": "high",
    "category": "system",
    "action_url": "/admin/",
    "version": "",
}


def test_an_administrator_sends_a_notice(staff: dict[str, User], page_of: Callable) -> None:
    admin = page_of("admin")
    assert "System Maintenance" not in shown(admin, SENT)
    answer = admin.post(SENT + "add/", {**NOTICE, "recipient_ids": [str(staff["doctor"].pk), str(staff["nurse"].pk)]})
    assert answer.status_code == 302, answer.content.decode()
    message = Message.objects.get()
    assert (message.sent_by_id, message.recipient_count, message.priority) == (staff["admin"].pk, 2, "high")
    assert "System Maintenance" in shown(page_of("doctor"), INBOX)
    assert "0 of 2" in shown(admin, reverse("admin:notifications_message_change", args=[message.pk]))


@pytest.mark.parametrize(
    ("wrong", "issue"),
    [
        ({"recipient_roles": []}, "Name at least one recipient"),
        ({"action_url": "//evil.example"}, "Must be a path of this installation"),
        ({"title": ""}, "This field is required"),
        ({"recipient_roles": ["patient"]}, "Select a valid choice"),
    ],
)
def test_a_notice_that_cannot_be_sent_says_why(page_of: Callable, wrong: dict[str, Any], issue: str) -> None:
    answer = page_of("admin").post(SENT + "add/", NOTICE | wrong)
    assert answer.status_code == 200
    assert issue in answer.content.decode()
    assert not Message.objects.exists()


def test_no_other_role_sends_a_notice(page_of: Callable) -> None:
    for role in ("receptionist", "doctor", "nurse"):
        assert page_of(role).post(SENT + "add/", NOTICE).status_code == 403
        assert page_of(role).get(SENT).status_code == 403
    assert not Message.objects.exists()
