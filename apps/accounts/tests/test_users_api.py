"""The staff over the API: who may, invitations, changes that count at once, and the last administrator."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts import services
from apps.accounts.models import Session, User
from apps.accounts.tests.factories import NPI, PASSWORD, ApiClient, api_client, api_key_client, browser, create_api_key, hire
from apps.audit.models import AuditEvent
from apps.common.errors import Conflict
from apps.common.tests.concurrency import run_concurrently
from apps.events.models import OutboxEvent

pytestmark = pytest.mark.django_db

ROW = {
    *("id", "username", "email", "role", "first_name", "last_name", "is_active", "status", "created_at", "last_sign_in_at"),
}
DOCTOR_FIELDS = {"specialty", "npi", "taxonomy", "languages"}
NEW = {"username": "nurse.okafor", "email": "ada@hims.test", "first_name": "Ada", "last_name": "Okafor", "role": "nurse"}


@pytest.fixture
def boss(staff: dict[str, User]) -> ApiClient:
    return api_client(staff["admin"])


def test_only_administrators_and_managers_keep_the_staff(staff: dict[str, User]) -> None:
    nurse = f"/users/{staff['nurse'].pk}"
    for role in set(staff) - {"admin", "manager"}:
        me = api_client(staff[role])
        replies = [me.get("/users"), me.post("/users", NEW), me.get(nurse), me.put(nurse, {"role": "admin"})]
        replies += [me.post(f"{nurse}/{verb}") for verb in ("deactivate", "reactivate", "revoke-sessions")]
        assert {reply.status_code for reply in replies} == {403}, role
    assert User.objects.get(pk=staff["nurse"].pk).role == "nurse"


def test_an_invited_person_cannot_sign_in_until_a_password_is_set(boss: ApiClient) -> None:
    reply = boss.post("/users", NEW)
    made = reply.json()["data"]["user"]
    assert (reply.status_code, reply.headers["Location"]) == (201, f"/v1/users/{made['id']}")
    assert set(made) == ROW
    assert (made["status"], made["is_active"], made["last_sign_in_at"]) == ("invited", True, None)
    assert boss.get(reply.headers["Location"].removeprefix("/v1")).json()["data"]["user"] == made
    user = User.objects.get(pk=made["id"])
    for password in ("", user.password, "!"):
        refused = api_client().post("/auth/login", {"username": NEW["username"], "password": password or "x"})
        assert refused.status_code == 401
    assert OutboxEvent.objects.get(name="staff.invited").payload == {"user_id": made["id"], "role": "nurse"}
    assert AuditEvent.objects.get(action="staff.invited").object_id == user.pk
    services.set_password(by=SYSTEM, user_id=user.pk, password=PASSWORD)
    assert api_client(user).get("/auth/me").status_code == 200
    profile = boss.get(f"/users/{user.pk}").json()["data"]["user"]
    assert profile["status"] == "active"
    assert profile["last_sign_in_at"] is not None


def test_a_doctor_is_invited_with_the_practice(boss: ApiClient) -> None:
    practice = {"specialty": "Cardiology", "npi": "1993999998", "taxonomy": "207RC0000X", "languages": ["en", "hi"]}
    made = boss.post("/users", NEW | practice | {"role": "doctor"}).json()["data"]["user"]
    assert set(made) == ROW | DOCTOR_FIELDS
    assert {name: made[name] for name in DOCTOR_FIELDS} == practice
    changed = boss.put(f"/users/{made['id']}", {"specialty": "Pediatrics", "last_name": "Obi"}).json()["data"]["user"]
    assert (changed["specialty"], changed["last_name"], changed["npi"]) == ("Pediatrics", "Obi", "1993999998")


@pytest.mark.parametrize(
    ("more", "status", "field"),
    [
        ({"password": "a long enough pass phrase"}, 400, "password"),
        ({"role": "patient"}, 400, "role"),
        ({"role": "wizard"}, 400, "role"),
        ({"email": "no address"}, 400, "email"),
        ({"first_name": " "}, 400, "first_name"),
        ({"specialty": "Cardiology"}, 400, "specialty"),
        ({"role": "doctor", "npi": "1234567890"}, 400, "npi"),
        ({"role": "doctor", "npi": NPI}, 409, "npi"),
        ({"username": "NURSE.WARD"}, 409, "username"),
        ({"email": "Nurse.Ward@hims.test"}, 409, "email"),
    ],
    ids=str,
)
def test_an_invitation_that_cannot_be_names_its_field(boss: ApiClient, more: dict[str, Any], status: int, field: str) -> None:
    before = User.objects.count()
    reply = boss.post("/users", NEW | more)
    assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (status, field)
    assert User.objects.count() == before


def test_a_refused_change_changes_nothing(boss: ApiClient, staff: dict[str, User]) -> None:
    for who, body, field in (
        ("nurse", {"last_name": "New", "specialty": "Cardiology"}, "specialty"),
        ("doctor", {"last_name": "New", "npi": "1234567890"}, "npi"),
        ("nurse", {"last_name": "New", "username": "other"}, "username"),
        ("nurse", {"last_name": "New", "is_active": False}, "is_active"),
    ):
        reply = boss.put(f"/users/{staff[who].pk}", body)
        assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, field)
    assert not User.objects.filter(last_name="New").exists()


def test_a_new_role_ends_the_sessions_and_counts_at_once(boss: ApiClient, staff: dict[str, User]) -> None:
    nurse = api_client(staff["nurse"])
    key = api_key_client(create_api_key(staff["nurse"], "appointments:read").text)
    assert nurse.get("/rooms").status_code == 200
    changed = boss.call("PATCH", f"/users/{staff['nurse'].pk}", {"role": "pharmacist"})
    assert changed.json()["data"]["user"]["role"] == "pharmacist"
    assert (nurse.get("/rooms").status_code, key.get("/rooms").status_code) == (401, 403)


def test_a_manager_keeps_all_accounts_but_those_of_administrators(staff: dict[str, User]) -> None:
    manager, nurse, chief = api_client(staff["manager"]), f"/users/{staff['nurse'].pk}", f"/users/{staff['admin'].pk}"
    assert manager.post("/users", NEW).status_code == 201
    assert manager.call("PATCH", nurse, {"first_name": "Nora"}).status_code == 200
    assert manager.post(f"{nurse}/deactivate").status_code == 200
    assert manager.get(chief).status_code == 200
    replies = [
        manager.post("/users", NEW | {"username": "new.admin", "email": "new.admin@example.com", "role": "admin"}),
        manager.call("PATCH", nurse, {"role": "admin"}),
        manager.call("PATCH", chief, {"email": "mine@example.com"}),
        manager.call("PATCH", chief, {"role": "nurse"}),
        *(manager.post(f"{chief}/{verb}") for verb in ("deactivate", "reset-mfa", "revoke-sessions")),
    ]
    assert {reply.status_code for reply in replies} == {403}
    assert "administrator" in replies[0].json()["error"]["message"]
    assert User.objects.get(pk=staff["admin"].pk).email == staff["admin"].email
    assert list(User.objects.filter(role="admin")) == [staff["admin"]]


def test_a_manager_chooses_no_password_for_another_person(staff: dict[str, User]) -> None:
    page = reverse("admin:accounts_user_set_password", args=[staff["nurse"].pk])
    assert browser(staff["manager"]).get(page).status_code == 403


def test_a_deactivated_persons_next_request_is_refused_at_every_door(boss: ApiClient, staff: dict[str, User]) -> None:
    nurse, page, address = api_client(staff["nurse"]), browser(staff["nurse"]), f"/users/{staff['nurse'].pk}"
    key = api_key_client(create_api_key(staff["nurse"]).text)
    gone = boss.post(f"{address}/deactivate")
    assert (gone.status_code, gone.json()["data"]["user"]["status"]) == (200, "deactivated")
    assert [nurse.get("/patients").status_code, key.get("/patients").status_code, page.get("/admin/").status_code] == [
        401,
        401,
        302,
    ]
    assert boss.post(f"{address}/deactivate").status_code == 409
    assert boss.post(f"{address}/reactivate").json()["data"]["user"]["status"] == "active"
    assert boss.post(f"{address}/reactivate").status_code == 409
    assert api_client(staff["nurse"]).get("/patients").status_code == 200


def test_an_administrator_signs_a_user_out_everywhere(boss: ApiClient, staff: dict[str, User]) -> None:
    devices = [api_client(staff["nurse"]) for _ in range(2)]
    reply = boss.post(f"/users/{staff['nurse'].pk}/revoke-sessions")
    assert reply.json()["data"] == {"ended": 2}
    assert {device.get("/auth/me").status_code for device in devices} == {401}
    assert boss.post(f"/users/{staff['nurse'].pk}/revoke-sessions").json()["data"] == {"ended": 0}
    assert AuditEvent.objects.filter(action="session.ended", user_id=staff["admin"].pk).count() == 2


def test_administrators_cannot_deactivate_or_demote_themselves(boss: ApiClient, staff: dict[str, User]) -> None:
    hire("second.admin", "admin")
    me = f"/users/{staff['admin'].pk}"
    assert boss.post(f"{me}/deactivate").status_code == 409
    assert boss.put(me, {"role": "nurse"}).status_code == 409
    assert boss.get("/auth/me").json()["data"]["user"]["role"] == "admin"


def test_the_last_administrator_who_can_sign_in_stays(staff: dict[str, User]) -> None:
    last, invited = staff["admin"], services.invite(by=SYSTEM, staff=services.NewStaff(**NEW | {"role": "admin"}))
    with pytest.raises(services.LastAdministrator):
        services.deactivate(by=SYSTEM, user_id=last.pk)
    with pytest.raises(services.LastAdministrator):
        services.change_staff(by=SYSTEM, user_id=last.pk, changes={"role": "manager"})
    services.set_password(by=SYSTEM, user_id=invited.pk, password=PASSWORD)
    services.deactivate(by=SYSTEM, user_id=last.pk)
    assert User.objects.get(pk=last.pk).is_active is False


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("removal", ["deactivate", "demote"])
def test_administrators_who_remove_each_other_at_once_leave_one(removal: str) -> None:
    admins = [hire(f"admin.{number}", "admin") for number in range(4)]

    def remove_the_next(number: int) -> bool:
        by, other = admins[number], admins[(number + 1) % 4]
        try:
            if removal == "deactivate":
                services.deactivate(by=by, user_id=other.pk)
            else:
                services.change_staff(by=by, user_id=other.pk, changes={"role": "nurse"})
        except Conflict:
            return False
        return True

    assert sum(run_concurrently(4, remove_the_next)) == 3
    assert User.objects.filter(role="admin", is_active=True).count() == 1


def test_the_staff_is_found_by_role_state_and_words(boss: ApiClient, staff: dict[str, User]) -> None:
    services.deactivate(by=SYSTEM, user_id=staff["nurse"].pk)
    boss.post("/users", NEW)
    User.objects.filter(pk=staff["billing"].pk).update(role="patient")

    def usernames_for(query: str) -> list[str]:
        return sorted(row["username"] for row in boss.get(f"/users?{query}").json()["data"]["users"])

    assert usernames_for("role=nurse") == ["nurse.okafor", "nurse.ward"]
    assert usernames_for("role=nurse&is_active=true") == ["nurse.okafor"]
    assert usernames_for("is_active=false") == ["nurse.ward"]
    assert usernames_for("search=ada OKA") == ["nurse.okafor"]
    assert usernames_for("search=ada@hims") == ["nurse.okafor"]
    assert "billing.ward" not in usernames_for("limit=100")
    listed = boss.get("/users?limit=3").json()["data"]
    assert set(listed["users"][0]) == ROW
    assert listed["pagination"] == {"page": 1, "limit": 3, "total": 8, "pages": 3}
    assert boss.get("/users?role=patient").status_code == 400


def test_who_is_not_on_the_staff_is_not_there(boss: ApiClient, staff: dict[str, User]) -> None:
    User.objects.filter(pk=staff["billing"].pk).update(role="patient")
    for user_id in (staff["billing"].pk, uuid4(), "x"):
        replies = [boss.get(f"/users/{user_id}"), boss.put(f"/users/{user_id}", {"last_name": "X"})]
        replies += [boss.post(f"/users/{user_id}/{verb}") for verb in ("deactivate", "reactivate", "revoke-sessions")]
        assert {reply.status_code for reply in replies} == {404}


def test_a_list_of_staff_asks_three_questions(boss: ApiClient) -> None:
    boss.get("/users")
    with CaptureQueriesContext(connection) as asked:
        boss.get("/users")
    assert len(asked) == 3  # who asks, how many, which


def test_an_account_remembers_when_it_was_last_signed_in_to(staff: dict[str, User]) -> None:
    assert staff["nurse"].last_login is None
    api_client(staff["nurse"])
    staff["nurse"].refresh_from_db()
    assert staff["nurse"].last_login == Session.objects.get().started_at
