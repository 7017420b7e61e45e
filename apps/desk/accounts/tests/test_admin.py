import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts import services
from apps.accounts.models import Doctor, Session, User
from apps.accounts.tests.factories import NPI, PASSWORD, api_client, browser, hire
from apps.audit.models import AuditEvent
from apps.common import redis_client
from apps.common.errors import Conflict, Forbidden

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"
NEW = "three blue herons in the rain"


def try_to_sign_in(password: str = "wrong", username: str = "nurse.ward", **headers: str) -> Any:
    return Client().post(LOGIN, {"username": username, "password": password}, **headers)


@pytest.fixture
def dead_redis(settings: Any, tmp_path: Any) -> Iterator[None]:
    """No server listens."""
    url = f"unix://{tmp_path}/nobody.sock?db=0"
    settings.REDIS_URL = url
    settings.CACHES = {"default": django_settings.CACHES["default"] | {"LOCATION": url}}
    redis_client.breaker.reset()
    yield
    redis_client.breaker.reset()


@pytest.fixture
def frozen_redis(settings: Any) -> Iterator[None]:
    """A server listens and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        settings.REDIS_URL = url
        settings.CACHES = {"default": django_settings.CACHES["default"] | {"LOCATION": url}}
        redis_client.breaker.reset()
        yield
    redis_client.breaker.reset()


def test_signing_in_and_out_at_a_page_is_on_record(staff: dict[str, User]) -> None:
    client = browser(staff["nurse"])
    client.post(reverse("admin:logout"))
    rows = AuditEvent.objects.filter(user_id=staff["nurse"].pk, action__startswith="session.").order_by("at")
    assert [(row.action, row.detail["door"]) for row in rows] == [("session.started", "admin"), ("session.ended", "admin")]
    assert client.get("/admin/").status_code == 302


def test_a_refused_sign_in_says_no_more_than_that_and_is_on_record(staff: dict[str, User]) -> None:
    services.deactivate(by=staff["admin"], user_id=staff["billing"].pk)
    tries = [("nurse.ward", "wrong"), ("nobody", "wrong"), ("billing.ward", PASSWORD)]
    pages = [try_to_sign_in(password, name) for name, password in tries]
    assert {page.status_code for page in pages} == {200}
    assert {"Please enter the correct username and password" in page.content.decode() for page in pages} == {True}
    assert AuditEvent.objects.filter(action="session.refused", outcome="denied").count() == 3


def test_the_sixth_sign_in_within_a_minute_is_refused_with_a_page(staff: dict[str, User]) -> None:
    assert [try_to_sign_in().status_code for _ in range(5)] == [200] * 5
    refused = try_to_sign_in(PASSWORD)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "Too many attempts to sign in" in refused.content.decode()
    assert "Traceback" not in refused.content.decode()


def test_another_name_and_another_address_may_still_sign_in(staff: dict[str, User]) -> None:
    for _ in range(6):
        try_to_sign_in()
    assert try_to_sign_in(PASSWORD, "doctor.ward").status_code == 302
    assert try_to_sign_in(PASSWORD, REMOTE_ADDR="10.1.2.3").status_code == 302


def test_tries_at_the_page_and_over_the_api_are_counted_together(staff: dict[str, User]) -> None:
    for _ in range(3):
        try_to_sign_in()
    statuses = [api_client().post("/auth/login", {"username": "nurse.ward", "password": "wrong"}).status_code for _ in range(3)]
    assert statuses == [401, 401, 429]


def test_sign_in_works_and_stays_limited_while_redis_is_down(staff: dict[str, User], dead_redis: None) -> None:
    assert try_to_sign_in(PASSWORD).status_code == 302
    assert [try_to_sign_in().status_code for _ in range(4)] == [200] * 4
    refused = try_to_sign_in(PASSWORD)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1


def test_a_frozen_redis_delays_no_request(staff: dict[str, User], frozen_redis: None) -> None:
    statuses = [try_to_sign_in().status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert redis_client.breaker.is_open  # after three late answers it is not asked any more


def test_every_page_works_while_redis_is_down(staff: dict[str, User], dead_redis: None) -> None:
    client = browser(staff["admin"])
    assert {
        client.get(reverse(f"admin:{name}")).status_code for name in ("index", "accounts_user_changelist", "accounts_user_add")
    } == {200}


def test_a_browser_session_ends_after_twelve_hours_however_busy(staff: dict[str, User], time_machine: Any) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    client = browser(staff["nurse"])
    statuses = []
    for _ in range(72):
        time_machine.shift(timedelta(minutes=10))
        statuses.append(client.get(reverse("admin:password_change")).status_code)  # of all pages the cheapest
    assert statuses == [200] * 71 + [302]


def test_a_browser_session_ends_after_fifteen_idle_minutes(staff: dict[str, User], time_machine: Any) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    client = browser(staff["nurse"])
    time_machine.shift(timedelta(minutes=14))
    assert client.get("/admin/").status_code == 200
    time_machine.shift(timedelta(minutes=16))
    assert client.get("/admin/").status_code == 302


# Staff


def hiring(**answers: Any) -> dict[str, Any]:
    person = {"username": "dr.new", "first_name": "Ada", "last_name": "Newman", "email": "ada@hims.test", "role": "doctor"}
    return person | {"password": NEW, "again": NEW, "specialty": "Cardiology", "languages": "en, es"} | answers


def hire_at_page(client: Client, **answers: Any) -> Any:
    return client.post(reverse("admin:accounts_user_add"), hiring(**answers))


def change(client: Client, model: str, row: Any, **answers: Any) -> Any:
    """Load the form, change what is named, send it."""
    address = reverse(f"admin:accounts_{model}_change", args=[row.pk])
    form = client.get(address).context["adminform"].form
    return client.post(address, {name: form[name].value() or "" for name in form.fields} | answers)


def test_an_administrator_hires_a_doctor(staff: dict[str, User]) -> None:
    response = hire_at_page(browser(staff["admin"]))
    assert response.status_code == 302
    doctor = Doctor.objects.get(user__username="dr.new")
    assert (doctor.specialty, doctor.languages, doctor.user.role) == ("Cardiology", ["en", "es"], "doctor")
    assert AuditEvent.objects.get(action="staff.hired", object_id=doctor.pk).user_id == staff["admin"].pk
    assert browser_signs_in("dr.new")


def browser_signs_in(username: str, password: str = NEW) -> bool:
    return try_to_sign_in(password, username).status_code == 302


def test_a_nurse_cannot_hire(staff: dict[str, User]) -> None:
    assert hire_at_page(browser(staff["nurse"])).status_code == 403
    assert not User.objects.filter(username="dr.new").exists()


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"password": "short", "again": "short"}, "password"),
        ({"again": "another"}, "again"),
        ({"username": "NURSE.WARD"}, "username"),
        ({"email": "Nurse.Ward@hims.test"}, "email"),
        ({"role": "patient"}, "role"),
        ({"npi": "1234567890"}, "npi"),
        ({"npi": NPI}, "npi"),
        ({"taxonomy": "x"}, "taxonomy"),
        ({"first_name": "\u200b"}, "first_name"),
    ],
)
def test_an_invalid_new_user_is_refused_at_the_field_and_nothing_is_lost(
    staff: dict[str, User], answers: dict[str, str], field: str
) -> None:
    response = hire_at_page(browser(staff["admin"]), **answers)
    assert response.status_code == 200
    form = response.context["adminform"].form
    assert field in form.errors
    assert form["last_name"].value() == "Newman"
    assert not User.objects.filter(username="dr.new").exists()


def test_a_new_role_ends_the_sessions_that_had_the_old_one(staff: dict[str, User]) -> None:
    nurse = api_client(staff["nurse"])
    assert change(browser(staff["admin"]), "user", staff["nurse"], role="receptionist").status_code == 302
    assert nurse.get("/auth/me").status_code == 401
    staff["nurse"].refresh_from_db()
    assert staff["nurse"].role == "receptionist"


def test_an_administrator_cannot_lock_himself_out(staff: dict[str, User]) -> None:
    client = browser(staff["admin"])
    assert "You cannot change your own role" in change(client, "user", staff["admin"], role="nurse").content.decode()
    address = reverse("admin:accounts_user_deactivate", args=[staff["admin"].pk])
    assert client.get(address).status_code == 403
    assert "You cannot deactivate yourself" in client.post(address).content.decode()


def test_status_and_username_are_not_to_be_typed(staff: dict[str, User]) -> None:
    change(
        browser(staff["admin"]),
        "user",
        staff["nurse"],
        is_active="",
        username="other",
        last_login="2001-01-01",
        first_name="Nora",
    )
    staff["nurse"].refresh_from_db()
    assert (staff["nurse"].is_active, staff["nurse"].username, staff["nurse"].first_name) == (True, "nurse.ward", "Nora")


def test_two_administrators_at_once_the_second_is_shown_both_versions(staff: dict[str, User]) -> None:
    client, address = browser(staff["admin"]), reverse("admin:accounts_user_change", args=[staff["nurse"].pk])
    form = client.get(address).context["adminform"].form
    mine = {name: form[name].value() or "" for name in form.fields} | {"last_name": "Mine"}
    other = hire("other.admin", "admin")
    services.change_staff(by=other, user_id=staff["nurse"].pk, changes={"last_name": "Theirs"})

    response = client.post(address, mine)
    page = response.content.decode()
    assert response.status_code == 200
    assert "Changed by Other.Admin Tester at" in page
    assert [(row.label, row.mine, row.theirs) for row in response.context["adminform"].form.clash.differences] == [
        ("Last name", "Mine", "Theirs")
    ]
    staff["nurse"].refresh_from_db()
    assert staff["nurse"].last_name == "Theirs"

    again = response.context["adminform"].form
    assert client.post(address, {name: again[name].value() or "" for name in again.fields}).status_code == 302
    staff["nurse"].refresh_from_db()
    assert staff["nurse"].last_name == "Mine"


def test_a_form_without_its_version_changes_nothing(staff: dict[str, User]) -> None:
    assert change(browser(staff["admin"]), "user", staff["nurse"], last_name="Blind", version="").status_code == 200
    staff["nurse"].refresh_from_db()
    assert staff["nurse"].last_name == "Tester"


def test_a_doctors_practice_is_changed_through_the_service(staff: dict[str, User]) -> None:
    client, doctor = browser(staff["admin"]), Doctor.objects.get(pk=staff["doctor"].pk)
    assert change(client, "doctor", doctor, specialty="Pediatrics", languages="en,ar").status_code == 302
    doctor.refresh_from_db()
    assert (doctor.specialty, doctor.languages) == ("Pediatrics", ["en", "ar"])
    assert AuditEvent.objects.filter(action="staff.changed", object_id=doctor.pk).exists()
    assert "check digit" in change(client, "doctor", doctor, npi="1234567890").content.decode()


def test_who_becomes_a_doctor_has_a_practice_and_who_was_one_is_listed_no_more(staff: dict[str, User]) -> None:
    services.change_staff(by=staff["admin"], user_id=staff["nurse"].pk, changes={"role": "doctor"})
    services.change_staff(by=staff["admin"], user_id=staff["doctor"].pk, changes={"role": "nurse"})
    assert list(Doctor.objects.visible_to(staff["admin"])) == [Doctor.objects.get(pk=staff["nurse"].pk)]


def test_deactivating_and_reactivating(staff: dict[str, User]) -> None:
    client, nurse = browser(staff["admin"]), staff["nurse"]
    for act, active in (("deactivate", False), ("reactivate", True)):
        assert client.get(reverse(f"admin:accounts_user_{act}", args=[nurse.pk])).status_code == 200
        assert client.post(reverse(f"admin:accounts_user_{act}", args=[nurse.pk])).status_code == 302
        nurse.refresh_from_db()
        assert nurse.is_active is active


def test_setting_a_password_ends_the_persons_sessions(staff: dict[str, User]) -> None:
    client, address = browser(staff["admin"]), reverse("admin:accounts_user_set_password", args=[staff["nurse"].pk])
    assert "too short" in client.post(address, {"password": "short", "again": "short"}).content.decode()
    nurses = browser(staff["nurse"])
    assert client.post(address, {"password": NEW, "again": NEW}).status_code == 302
    assert nurses.get("/admin/").status_code == 302
    assert browser_signs_in("nurse.ward")


def test_one_changes_ones_own_password_and_stays_signed_in(staff: dict[str, User]) -> None:
    client = browser(staff["nurse"])
    answers = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert client.post(reverse("admin:password_change"), answers | {"old_password": "wrong"}).status_code == 200
    assert client.post(reverse("admin:password_change"), answers).status_code == 302
    assert client.get("/admin/").status_code == 200
    assert browser_signs_in("nurse.ward")
    assert AuditEvent.objects.filter(action="staff.changed", user_id=staff["nurse"].pk).exists()


def test_an_administrator_ends_a_session(staff: dict[str, User]) -> None:
    nurse, client = api_client(staff["nurse"]), browser(staff["admin"])
    session = Session.objects.get(user=staff["nurse"])
    address = reverse("admin:accounts_session_end", args=[session.pk])
    assert client.post(address).status_code == 302
    assert nurse.get("/auth/me").status_code == 401
    assert AuditEvent.objects.get(action="session.ended", object_id=staff["nurse"].pk).user_id == staff["admin"].pk
    assert "already ended" in client.post(address).content.decode()


def test_a_manager_neither_sees_nor_ends_the_session_of_an_administrator(staff: dict[str, User]) -> None:
    admin, nurse, client = api_client(staff["admin"]), api_client(staff["nurse"]), browser(staff["manager"])
    session = Session.objects.get(user=staff["admin"])
    page = client.get(reverse("admin:accounts_session_changelist")).content.decode()
    assert str(session.pk) not in page
    assert str(Session.objects.get(user=staff["nurse"]).pk) in page
    assert client.post(reverse("admin:accounts_session_end", args=[session.pk])).status_code in (302, 404)
    with pytest.raises(Forbidden):
        services.end_session(by=staff["manager"], session_id=session.pk)
    assert admin.get("/auth/me").status_code == 200
    services.end_session(by=staff["manager"], session_id=Session.objects.get(user=staff["nurse"]).pk)
    assert nurse.get("/auth/me").status_code == 401
    services.end_session(by=staff["admin"], session_id=session.pk)


def test_each_session_is_in_one_of_the_lists_of_live_and_ended_ones(staff: dict[str, User]) -> None:
    sessions = {}
    for role in ("nurse", "doctor", "billing", "receptionist"):
        api_client(staff[role])
        sessions[role] = Session.objects.get(user=staff[role])
    now = timezone.now()
    Session.objects.filter(pk=sessions["doctor"].pk).update(started_at=now - timedelta(hours=12), expires_at=now)
    Session.objects.filter(pk=sessions["billing"].pk).update(last_seen_at=now - django_settings.API_SESSION_IDLE)
    services.end_session(by=staff["admin"], session_id=sessions["receptionist"].pk)
    client, address = browser(staff["admin"]), reverse("admin:accounts_session_changelist")
    lists = [{row.user_id for row in client.get(address + query).context["cl"].result_list} for query in ("", "?state=ended")]
    assert lists == [{staff["nurse"].pk}, {staff[role].pk for role in ("doctor", "billing", "receptionist")}]


def test_the_staff_list_is_searched_by_any_word(staff: dict[str, User]) -> None:
    client = browser(staff["admin"])
    page = client.get(reverse("admin:accounts_user_changelist"), {"q": "tester nurse"}).content.decode()
    assert "nurse.ward" in page
    assert "doctor.ward" not in page
    assert AuditEvent.objects.filter(action="staff.searched", detail__query={"q": "tester nurse"}).exists()


def test_changing_to_the_email_of_another_user_is_a_conflict_not_an_error(staff: dict[str, User]) -> None:
    with pytest.raises(services.UsernameTaken):
        services.change_staff(by=staff["admin"], user_id=staff["nurse"].pk, changes={"email": staff["doctor"].email.upper()})
    answer = api_client(staff["nurse"]).put("/auth/me", {"email": staff["doctor"].email})
    assert answer.status_code == 409
    assert issubclass(services.UsernameTaken, Conflict)
