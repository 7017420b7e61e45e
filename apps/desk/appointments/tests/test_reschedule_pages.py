"""The pages that move an absent doctor's visits: the plan, what is agreed to, the move's own page, the way back."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import browser, hire
from apps.appointments import services
from apps.appointments.models import Appointment, BulkReschedule, RescheduledAppointment
from apps.appointments.scheduling.reschedule_plan import UnplacedReason
from apps.appointments.services import DoctorAbsence, PlanChanged
from apps.appointments.tests.factories import at, book, monday, publish, room
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.desk.appointments.reschedule_forms import WHY
from apps.events.models import OutboxEvent
from apps.patients import services as patients
from apps.patients.tests.factories import register_patient, restrict

pytestmark = pytest.mark.django_db

LIST = "/admin/appointments/bulkreschedule/"
ADD = f"{LIST}add/"


@pytest.fixture
def ill(staff: dict[str, User]) -> User:
    publish(staff["doctor"])
    return staff["doctor"]


@pytest.fixture
def other(staff: dict[str, User]) -> User:
    doctor = hire("dr.other", "doctor", specialty="Cardiology", last_name="Other")
    publish(doctor)
    return doctor


@pytest.fixture
def receptionist_api(staff: dict[str, User]) -> Client:
    return browser(staff["receptionist"])


def asked(ill: User, to: User | None = None, **more: Any) -> dict[str, Any]:
    """The form as it is sent: all of next Monday."""
    values = {
        "doctor_id": str(ill.pk),
        "date_from_0": str(monday()),
        "date_from_1": "00:00",
        "date_to_0": str(monday() + timedelta(days=1)),
        "date_to_1": "00:00",
        "to_doctor_id": str(to.pk) if to else "",
        "reason": "Ill",
        "notify_patient": "on",
    }
    return values | more


def look(receptionist_api: Client, values: dict[str, Any]) -> Any:
    return receptionist_api.post(ADD, values | {"look": "1"})


def agree(receptionist_api: Client, values: dict[str, Any], shown: Any, **more: Any) -> Any:
    """Press the button below the plan that was shown."""
    return receptionist_api.post(ADD, values | {"seen": seen(shown), "_save": "1"} | more, follow=True)


def seen(shown: Any) -> list[str]:
    """What the page's hidden boxes hold."""
    return [unescape(value) for value in re.findall(r'name="seen" value="([^"]+)"', shown.content.decode())]


def text_of(response: Any) -> str:
    return response.content.decode()


def moved(ill: User, other: User | None = None) -> BulkReschedule:
    until = at("00:00", monday() + timedelta(days=1))
    absence = DoctorAbsence(doctor_id=ill.pk, starts_at=at("00:00"), ends_at=until, to_doctor_id=other and other.pk)
    return services.bulk_reschedule(by=SYSTEM, absence=absence, reason="Ill").move


# The plan, and what is done


def test_what_the_plan_shows_is_what_is_then_done(
    staff: dict[str, User], receptionist_api: Client, ill: User, other: User
) -> None:
    place = room()
    first = book(register_patient("Ann", "Roe"), ill, at("09:00"), room_id=place.pk)
    second = book(register_patient("Bea", "Moss"), ill, at("10:00"))
    book(register_patient("Cora", "Lee"), other, at("10:00"))
    shown = look(receptionist_api, asked(ill, other))
    plan = {row["who"]: (row["before"], row["after"]) for row in shown.context["plan"]}
    when = f"{at():%a} {at().day} {at():%b %Y}"
    assert plan == {
        "ROE, Ann": (f"{when}, 09:00, Dr Tester, Room 1", f"{when}, 09:00, Dr Other, Room 1"),
        "MOSS, Bea": (f"{when}, 10:00, Dr Tester", f"{when}, 10:15, Dr Other"),
    }
    assert "errornote" not in text_of(shown)
    assert not BulkReschedule.objects.exists()
    assert (
        AuditEvent.objects.filter(action="schedule.move_planned", object_id=ill.pk, user_id=staff["receptionist"].pk).count() == 1
    )
    done = agree(receptionist_api, asked(ill, other), shown)
    move = BulkReschedule.objects.get()
    assert done.redirect_chain == [(f"{LIST}{move.pk}/change/", 302)]
    assert (move.reason, move.notify_patient, move.moved_by) == ("Ill", True, staff["receptionist"])
    assert {row["who"]: (row["before"], row["after"]) for row in done.context["moved"]} == plan
    assert "Appointments moved: 2." in text_of(done)
    rows = {row.pk: (row.doctor, row.scheduled_time) for row in Appointment.objects.filter(pk__in=[first.pk, second.pk])}
    assert rows == {first.pk: (other, at("09:00")), second.pk: (other, at("10:15"))}
    assert OutboxEvent.objects.filter(name="schedule.visits_moved").count() == 1


def test_without_another_doctor_the_visits_go_later_and_what_finds_no_place_stays(receptionist_api: Client, ill: User) -> None:
    day = timedelta(days=1)
    for number in range(1, 61):  # away for good, but for one quarter of an hour
        off = monday() + number * day
        if off.weekday() < 5 and number > 1:
            services.add_time_off(by=SYSTEM, doctor_id=ill.pk, starts_at=at("00:00", off), ends_at=at("23:59", off))
    services.add_time_off(by=SYSTEM, doctor_id=ill.pk, starts_at=at("09:15", monday() + day), ends_at=at("17:00", monday() + day))
    goes, stays = book(register_patient("Ann", "Roe"), ill, at("09:00")), book(register_patient("Bea", "Moss"), ill, at("10:00"))
    shown = look(receptionist_api, asked(ill))
    assert [(row["who"], bool(row["after"]), row["why"]) for row in shown.context["plan"]] == [
        ("ROE, Ann", True, ""),
        ("MOSS, Bea", False, "nothing is free within sixty days"),
    ]
    text = text_of(agree(receptionist_api, asked(ill), shown))
    assert "Appointments that were not moved. Nothing is free within sixty days: 1." in text
    assert "Still with the absent doctor in that time: 1" in text
    assert f"/admin/appointments/appointment/{stays.pk}/change/" in text
    goes.refresh_from_db()
    assert goes.scheduled_time == at("09:00", monday() + day)


def test_every_reason_why_an_appointment_stays_has_words() -> None:
    assert set(WHY) == set(UnplacedReason)


def test_the_appointment_of_a_patient_who_died_stays_and_the_page_says_why(
    receptionist_api: Client, ill: User, other: User
) -> None:
    died = register_patient("Bea", "Moss")
    stays = book(died, ill, at("10:00"))
    goes = book(register_patient("Ann", "Roe"), ill, at("09:00"))
    patients.amend(by=SYSTEM, patient_id=died.pk, changes={"deceased_at": clock.now() - timedelta(hours=1)})
    shown = look(receptionist_api, asked(ill, other))
    why = "the patient has died or is no longer active"
    assert {row["who"]: row["why"] for row in shown.context["plan"]} == {"ROE, Ann": "", "MOSS, Bea": why}
    text = text_of(agree(receptionist_api, asked(ill, other), shown))
    assert "Appointments that were not moved. The patient has died or is no longer active: 1." in text
    assert [Appointment.objects.get(pk=row.pk).doctor for row in (goes, stays)] == [other, ill]


def test_a_plan_that_no_longer_holds_is_not_carried_out_and_the_new_one_says_what_changed(
    receptionist_api: Client, ill: User, other: User
) -> None:
    book(register_patient("Ann", "Roe"), ill, at("09:00"))
    book(register_patient("Bea", "Moss"), ill, at("10:00"))
    leaves = book(register_patient("Dora", "Hale"), ill, at("11:00"))
    shown = look(receptionist_api, asked(ill, other))
    book(register_patient("Cora", "Lee"), other, at("10:00"))
    services.cancel(by=SYSTEM, appointment_id=leaves.pk)
    refused = agree(receptionist_api, asked(ill, other), shown)
    text = text_of(refused)
    assert "The plan is out of date" in text
    assert not BulkReschedule.objects.exists()
    assert [(row["who"], row["is_other"]) for row in refused.context["plan"]] == [("ROE, Ann", False), ("MOSS, Bea", True)]
    assert "No longer in the plan: 1" in text
    assert text.count("</svg>changed</span>") == 1
    assert 'value="Ill"' in text
    assert "Appointments moved: 2." in text_of(agree(receptionist_api, asked(ill, other), refused))


def test_another_span_than_the_one_that_was_looked_at_is_looked_at_first(
    receptionist_api: Client, ill: User, other: User
) -> None:
    book(register_patient("Ann", "Roe"), ill, at("09:00"))
    book(register_patient("Bea", "Moss"), ill, at("09:00", monday() + timedelta(days=1)))
    shown = look(receptionist_api, asked(ill, other))
    longer = asked(ill, other, date_to_0=str(monday() + timedelta(days=2)))
    refused = agree(receptionist_api, longer, shown)
    assert "The plan is out of date" in text_of(refused)
    assert [row["is_other"] for row in refused.context["plan"]] == [False, True]
    assert not BulkReschedule.objects.exists()


def test_nothing_moves_before_a_plan_was_seen(receptionist_api: Client, ill: User, other: User) -> None:
    book(register_patient("Ann", "Roe"), ill, at("09:00"))
    response = receptionist_api.post(ADD, asked(ill, other, _save="1"))
    assert len(response.context["plan"]) == 1
    assert not BulkReschedule.objects.exists()


def test_the_service_carries_out_no_plan_but_the_one_agreed_to(ill: User, other: User) -> None:
    book(register_patient("Ann", "Roe"), ill, at("09:00"))
    absence = DoctorAbsence(doctor_id=ill.pk, starts_at=at("00:00"), ends_at=at("23:00"), to_doctor_id=other.pk)
    with pytest.raises(PlanChanged):
        services.bulk_reschedule(by=SYSTEM, absence=absence, reason="Ill", agreed="something else")
    assert not BulkReschedule.objects.exists()


# Refusals


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"date_to_0": "2020-01-01"}, "date_to"),
        ({"date_to_0": "2199-01-01"}, "date_to"),
        ({"date_from_1": ""}, "date_from"),
        ({"doctor_id": ""}, "doctor_id"),
    ],
)
def test_a_wrong_field_of_a_move_is_refused_at_it(
    receptionist_api: Client, ill: User, other: User, wrong: dict[str, str], field: str
) -> None:
    book(register_patient("Ann", "Roe"), ill, at("09:00"))
    shown = look(receptionist_api, asked(ill, other))
    response = receptionist_api.post(ADD, asked(ill, other) | {"seen": seen(shown)} | wrong)
    assert field in response.context["adminform"].form.errors
    assert response.context["errors"]
    assert not BulkReschedule.objects.exists()


def test_the_absent_doctor_takes_no_visits_over(receptionist_api: Client, ill: User) -> None:
    response = look(receptionist_api, asked(ill, ill))
    assert "Choose another doctor" in str(response.context["adminform"].form.errors["to_doctor_id"])


def test_without_a_visit_in_that_time_there_is_nothing_to_agree_to(receptionist_api: Client, ill: User, other: User) -> None:
    text = text_of(look(receptionist_api, asked(ill, other)))
    assert "There is no appointment in that time that can still be moved." in text
    assert "Show new times" in text
    visit = book(register_patient("Ann", "Roe"), ill, at("09:00"))
    shown = look(receptionist_api, asked(ill, other))
    services.cancel(by=SYSTEM, appointment_id=visit.pk)
    assert "The doctor has no appointment in that time" in text_of(agree(receptionist_api, asked(ill, other), shown))


# Roles


def test_who_moves_visits_and_looks_at_moves(staff: dict[str, User], ill: User, other: User) -> None:
    book(register_patient("Ann", "Roe"), ill, at("09:00"))
    move = moved(ill, other)
    planners = {"admin", "doctor", "manager", "receptionist"}
    for role, user in staff.items():
        person = browser(user)
        for address in (LIST, ADD, f"{LIST}{move.pk}/change/", f"{LIST}{move.pk}/undo/"):
            assert (person.get(address).status_code == 200) == (role in planners), (role, address)
        if role not in planners:
            assert person.post(ADD, asked(ill, other)).status_code == 403, role
            assert person.post(f"{LIST}{move.pk}/undo/").status_code in (403, 404), role
    assert BulkReschedule.objects.get().undone_at is None


def test_a_doctor_moves_the_own_visits_alone(staff: dict[str, User], ill: User, other: User) -> None:
    book(register_patient("Ann", "Roe"), ill, at("09:00"))
    smith, colleague = browser(ill), browser(other)
    assert "doctor_id" in look(colleague, asked(ill, other)).context["adminform"].form.errors
    assert text_of(smith.get(ADD)).count(str(ill.pk)) == 2  # who is absent, and who may take over
    agree(smith, asked(ill, other), look(smith, asked(ill, other)))
    move = BulkReschedule.objects.get()
    assert move.moved_by == ill
    assert colleague.get(f"{LIST}{move.pk}/change/").status_code == 404
    assert colleague.post(f"{LIST}{move.pk}/undo/").status_code == 404
    assert str(move.pk) not in text_of(colleague.get(LIST))


def test_visits_of_closed_charts_are_neither_counted_nor_shown(receptionist_api: Client, ill: User, other: User) -> None:
    closed = register_patient("Dora", "Hale")
    book(register_patient("Ann", "Roe"), ill, at("09:00"))
    book(closed, ill, at("10:00"))
    move = moved(ill, other)
    restrict(closed)
    page = text_of(receptionist_api.get(f"{LIST}{move.pk}/change/"))
    shown = text_of(look(receptionist_api, asked(other, ill)))
    for text in (page, shown):
        assert "HALE" not in text
        assert "closed to you" not in text
    (row,) = receptionist_api.get(LIST).context["cl"].result_list
    assert row.visits_moved == 1


# Undo


def test_an_undo_puts_back_what_it_can_and_says_what_it_could_not(
    staff: dict[str, User], receptionist_api: Client, ill: User, other: User
) -> None:
    back, taken = book(register_patient("Ann", "Roe"), ill, at("09:00")), book(register_patient("Bea", "Moss"), ill, at("10:00"))
    shown = look(receptionist_api, asked(ill, other))
    agree(receptionist_api, asked(ill, other), shown)
    move = BulkReschedule.objects.get()
    book(register_patient("Cora", "Lee"), ill, at("10:00"))
    undo = reverse("admin:appointments_bulkreschedule_undo", args=[move.pk])
    assert undo in text_of(receptionist_api.get(f"{LIST}{move.pk}/change/"))
    assert "if that is still free" in text_of(receptionist_api.get(undo))
    done = receptionist_api.post(undo, follow=True)
    text = text_of(done)
    assert "Appointments moved back: 1." in text
    assert "Appointments that were not moved back: 1." in text
    assert {row["who"]: (row["result"], row["why"]) for row in done.context["moved"]} == {
        "ROE, Ann": ("put back", ""),
        "MOSS, Bea": ("kept", "its previous time is taken"),
    }
    back.refresh_from_db()
    taken.refresh_from_db()
    assert (back.doctor, taken.doctor) == (ill, other)
    move.refresh_from_db()
    assert move.undone_by == staff["receptionist"]
    assert undo not in text
    assert "already undone" in text_of(receptionist_api.post(undo))
    assert RescheduledAppointment.objects.filter(result="put_back").count() == 1


def test_after_ten_minutes_no_undo_is_offered_and_none_is_done(
    receptionist_api: Client, ill: User, other: User, settings: Any
) -> None:
    book(register_patient("Ann", "Roe"), ill, at("09:00"))
    move = moved(ill, other)
    undo = f"{LIST}{move.pk}/undo/"
    settings.HIMS_MOVE_UNDO = timedelta(0)
    assert undo not in text_of(receptionist_api.get(f"{LIST}{move.pk}/change/"))
    assert receptionist_api.get(undo).status_code == 403
    assert "The time limit for undoing the rescheduling has passed." in text_of(receptionist_api.post(undo))
    move.refresh_from_db()
    assert move.undone_at is None


# Ways there, and what it costs


def test_time_off_and_the_schedule_lead_to_the_move_of_that_doctor_and_time(
    staff: dict[str, User], receptionist_api: Client, ill: User, other: User
) -> None:
    off = services.add_time_off(by=SYSTEM, doctor_id=ill.pk, starts_at=at("09:00"), ends_at=at("12:00"))
    page = reverse("admin:appointments_timeoff_change", args=[off.pk])
    (panel,) = receptionist_api.get(page).context["panels"]
    form = text_of(receptionist_api.get(panel.row_links[0][1]))
    assert f'<option value="{ill.pk}" selected>' in form
    assert [f'value="{value}"' in form for value in (monday(), "09:00", "12:00")] == [True] * 3
    assert "Move this doctor" not in text_of(browser(staff["nurse"]).get(page)) + text_of(browser(other).get(page))
    schedule_page = receptionist_api.get(f"{reverse('admin:schedule')}?view=week&doctor={ill.pk}&date={monday()}")
    form = text_of(receptionist_api.get(schedule_page.context["cover"]))
    assert f'<option value="{ill.pk}" selected>' in form
    assert f'value="{monday() + timedelta(days=7)}"' in form
    assert browser(staff["nurse"]).get(reverse("admin:schedule")).context["cover"] == ""


@pytest.mark.parametrize("address", [f"{ADD}?doctor=x&from=y&until=z", f"{ADD}?from=2030-01-01", f"{LIST}?doctor=x"])
def test_a_nonsense_address_breaks_no_page(receptionist_api: Client, ill: User, address: str) -> None:
    assert receptionist_api.get(address).status_code == 200


def test_plan_page_and_list_take_as_many_statements_for_one_visit_as_for_ten(
    receptionist_api: Client, ill: User, other: User
) -> None:
    first = book(register_patient("Ann", "Roe"), ill, at("09:00"), room_id=room("Room 0").pk)
    with CaptureQueriesContext(connection) as plan_of_one:
        look(receptionist_api, asked(ill, other))
    services.cancel(by=SYSTEM, appointment_id=first.pk)
    book(register_patient("Ann", "Moss"), ill, at("09:00"), room_id=room("Room 1").pk)
    small = moved(ill, other)
    with CaptureQueriesContext(connection) as page_of_one:
        receptionist_api.get(f"{LIST}{small.pk}/change/")
    with CaptureQueriesContext(connection) as list_of_one:
        receptionist_api.get(LIST)
    for number in range(10):
        place = room(f"Room {number + 2}")
        book(register_patient("Ann", f"Roe {number}"), ill, at(f"{10 + number // 4}:{number % 4 * 15:02}"), room_id=place.pk)
    with CaptureQueriesContext(connection) as plan_of_ten:
        assert len(look(receptionist_api, asked(ill, other)).context["plan"]) == 10
    big = moved(ill, other)
    with CaptureQueriesContext(connection) as page_of_ten:
        assert len(receptionist_api.get(f"{LIST}{big.pk}/change/").context["moved"]) == 10
    with CaptureQueriesContext(connection) as list_of_two:
        receptionist_api.get(LIST)
    assert (len(plan_of_ten), len(page_of_ten), len(list_of_two)) == (len(plan_of_one), len(page_of_one), len(list_of_one))


def test_days_away_and_moves_are_two_tabs_of_one_page(staff: dict[str, User], receptionist_api: Client) -> None:
    away, moves = reverse("admin:appointments_timeoff_changelist"), reverse("admin:appointments_bulkreschedule_changelist")
    for address in (away, moves):
        tabs = receptionist_api.get(address).context["tabs"]
        assert [(tab["url"], tab["is_current"]) for tab in tabs] == [(away, address == away), (moves, address == moves)]
    assert browser(staff["nurse"]).get(away).context["tabs"] == []  # a nurse moves no other appointments
