"""An absent doctor's visits: the plan, the move, what was taken meanwhile, and the way back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction

from apps.access.actor import SYSTEM
from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, api_key_client, create_api_key, create_staff, hire
from apps.appointments import services
from apps.appointments.models import Appointment, BulkReschedule, RescheduledAppointment
from apps.appointments.scheduling import reschedule_plan
from apps.appointments.scheduling.reschedule_plan import UnplacedReason
from apps.appointments.scheduling.services import reschedule
from apps.appointments.scheduling.services.reschedule import BulkRescheduleResult, ReschedulePlan
from apps.appointments.services import AlreadyUndone, DoctorAbsence, NoPlaceFound, NothingToMove, SlotTaken, TooLateToUndo
from apps.appointments.tests.factories import at, book, monday, publish, room
from apps.audit.models import AuditEvent
from apps.common import clock
from apps.common.errors import Forbidden, HimsError, Invalid, NotFound
from apps.common.tests.concurrency import run_concurrently
from apps.events.models import OutboxEvent
from apps.patients.tests.factories import register_patient, restrict

TUESDAY = timedelta(days=1)


@pytest.fixture
def ill(staff: dict[str, User]) -> User:
    publish(staff["doctor"])
    return staff["doctor"]


@pytest.fixture
def other(staff: dict[str, User]) -> User:
    doctor = hire("dr.other", "doctor", specialty="Cardiology")
    publish(doctor)
    return doctor


def absence(ill: User, to: User | None = None, days: int = 1) -> DoctorAbsence:
    """All of next Monday, or some days from it on."""
    return DoctorAbsence(
        doctor_id=ill.pk, starts_at=at("00:00"), ends_at=at("00:00", monday() + timedelta(days=days)), to_doctor_id=to and to.pk
    )


def move(ill: User, to: User | None = None, **more: Any) -> BulkRescheduleResult:
    return services.bulk_reschedule(by=SYSTEM, absence=absence(ill, to), reason="Ill", **more)


def went(plan: ReschedulePlan) -> dict[UUID, datetime | str]:
    """Where each visit goes, or why it does not."""
    return {one.appointment.pk: one.after.scheduled_time if one.after else str(one.because) for one in plan.proposals}


def plan(ill: User, to: User | None = None, days: int = 1) -> dict[UUID, datetime | str]:
    return went(services.plan_bulk_reschedule(by=SYSTEM, absence=absence(ill, to, days)))


# The plan


def test_a_visit_keeps_its_time_where_the_other_doctor_is_free(ill: User, other: User) -> None:
    first, second = book(register_patient("A"), ill, at("09:00")), book(register_patient("B"), ill, at("11:20"))
    assert plan(ill, other) == {first.pk: at("09:00"), second.pk: at("11:20")}
    assert set(Appointment.objects.values_list("doctor", flat=True)) == {ill.pk}
    assert not BulkReschedule.objects.exists()


def test_where_the_other_doctor_is_taken_it_is_the_next_free_time(ill: User, other: User) -> None:
    visit = book(register_patient("A"), ill, at("10:00"))
    book(register_patient("B"), other, at("10:00"), duration_minutes=30)
    assert plan(ill, other) == {visit.pk: at("10:30")}


def test_no_appointment_loses_its_time_to_one_that_has_to_move_anyway(ill: User, other: User) -> None:
    early, late = book(register_patient("A"), ill, at("10:00")), book(register_patient("B"), ill, at("10:15"))
    book(register_patient("C"), other, at("10:00"))
    assert plan(ill, other) == {early.pk: at("10:30"), late.pk: at("10:15")}


def test_a_time_at_which_the_patient_is_elsewhere_is_no_free_time(ill: User, other: User) -> None:
    patient, third = register_patient("A"), hire("dr.third", "doctor", specialty="Dermatology")
    visit = book(patient, ill, at("10:00"))
    book(register_patient("B"), other, at("10:00"))
    book(patient, third, at("10:15"), duration_minutes=30)
    assert plan(ill, other) == {visit.pk: at("10:45")}


def test_two_visits_of_one_patient_do_not_go_to_the_same_time(ill: User, other: User) -> None:
    patient = register_patient("A")
    visits = [book(patient, ill, at("16:30")), book(patient, ill, at("16:45"))]
    book(register_patient("B"), other, at("16:30"), duration_minutes=30)
    tuesday = monday() + TUESDAY
    assert plan(ill, other) == {visits[0].pk: at("09:00", tuesday), visits[1].pk: at("09:15", tuesday)}


def test_time_off_and_hours_of_the_other_doctor_are_heeded(ill: User, other: User) -> None:
    visit = book(register_patient("A"), ill, at("16:45"), duration_minutes=30)  # until a quarter past five
    tuesday = monday() + TUESDAY
    services.add_time_off(by=SYSTEM, doctor_id=other.pk, starts_at=at("08:00", tuesday), ends_at=at("12:00", tuesday))
    assert plan(ill, other) == {visit.pk: at("12:00", tuesday)}


def test_without_another_doctor_the_visits_go_to_the_first_free_times_after_the_absence(ill: User) -> None:
    visits = [book(register_patient("A"), ill, at("09:30")), book(register_patient("B"), ill, at("14:00"))]
    tuesday = monday() + TUESDAY
    book(register_patient("C"), ill, at("09:00", tuesday))
    assert plan(ill) == {visits[0].pk: at("09:15", tuesday), visits[1].pk: at("09:30", tuesday)}
    services.add_time_off(by=SYSTEM, doctor_id=ill.pk, starts_at=at("00:00"), ends_at=at("00:00", monday() + timedelta(days=3)))
    thursday = monday() + timedelta(days=3)
    assert plan(ill) == {visits[0].pk: at("09:00", thursday), visits[1].pk: at("09:15", thursday)}


def test_a_doctor_without_hours_or_without_a_free_time_leaves_visits_unplaced_and_says_why(ill: User) -> None:
    free = hire("dr.third", "doctor", specialty="Dermatology")
    visit = book(register_patient("A"), ill)
    assert plan(ill, free) == {visit.pk: "doctor_has_no_hours"}
    publish(free)
    services.add_time_off(by=SYSTEM, doctor_id=free.pk, starts_at=at("00:00"), ends_at=at() + timedelta(days=90))
    assert plan(ill, free) == {visit.pk: "no_free_time_within_60_days"}


def test_only_visits_that_may_still_be_moved_are_meant(ill: User, other: User) -> None:
    asked = book(register_patient("A"), ill, at("09:00"), status="requested")
    agreed = book(register_patient("B"), ill, at("10:00"))
    services.confirm(by=SYSTEM, appointment_id=agreed.pk)
    here, gone = book(register_patient("C"), ill, at("11:00")), book(register_patient("D"), ill, at("12:00"))
    services.check_in(by=SYSTEM, appointment_id=here.pk, early=True)
    services.cancel(by=SYSTEM, appointment_id=gone.pk)
    book(register_patient("E"), ill, at("10:00", monday() + TUESDAY))
    book(register_patient("F"), other, at("15:00"))
    book(register_patient("G"), ill, clock.now() - timedelta(hours=3))
    assert set(plan(ill, other)) == {asked.pk, agreed.pk}
    week = DoctorAbsence(doctor_id=ill.pk, starts_at=clock.now() - timedelta(days=2), ends_at=at("00:00", monday() + TUESDAY))
    assert set(went(services.plan_bulk_reschedule(by=SYSTEM, absence=week))) == {asked.pk, agreed.pk}


def test_a_room_that_is_taken_at_the_new_time_is_given_up(ill: User, other: User) -> None:
    mine, theirs = room("Room 1"), room("Room 2")
    third = hire("dr.third", "doctor", specialty="Dermatology")
    kept = book(register_patient("A"), ill, at("09:00"), room_id=mine.pk)
    lost = book(register_patient("B"), ill, at("10:00"), room_id=theirs.pk)
    book(register_patient("C"), other, at("10:00"))
    book(register_patient("D"), third, at("10:15"), room_id=theirs.pk)
    done = move(ill, other)
    assert {one.appointment.pk: one.after and one.after.room_id for one in done.plan.proposals} == {
        kept.pk: mine.pk,
        lost.pk: None,
    }
    lost.refresh_from_db()
    assert (lost.scheduled_time, lost.room_id) == (at("10:15"), None)


# The act


def test_the_visits_move_with_history_facts_and_a_row_each(ill: User, other: User) -> None:
    visits = [book(register_patient(name), ill, at(time)) for name, time in (("A", "09:00"), ("B", "10:00"))]
    done = move(ill, other, notify_patient=False)
    for row in visits:
        before = row.scheduled_time
        row.refresh_from_db()
        assert (row.doctor_id, row.scheduled_time) == (other.pk, before)
    rows = RescheduledAppointment.objects.filter(move=done.move)
    assert {(row.from_doctor_id, row.to_doctor_id, row.result) for row in rows} == {(ill.pk, other.pk, "moved")}
    events = OutboxEvent.objects.filter(name="appointment.updated")
    assert [(fact.payload["changes"], fact.payload["notify_patient"]) for fact in events] == [(["doctor_id"], False)] * 2
    fact = OutboxEvent.objects.get(name="schedule.visits_moved").payload
    assert (fact["visits"], fact["to_doctor_id"], fact["move_id"]) == (2, str(other.pk), str(done.move.pk))
    assert AuditEvent.objects.filter(action="schedule.visits_moved", object_id=done.move.pk).exists()


def test_what_is_unplaced_stays_and_the_others_move(ill: User, other: User) -> None:
    visits = [book(register_patient(name), ill, at(time)) for name, time in (("A", "09:00"), ("B", "10:00"))]
    services.add_time_off(by=SYSTEM, doctor_id=other.pk, starts_at=at("09:30"), ends_at=at() + timedelta(days=90))
    done = move(ill, other)
    assert went(done.plan) == {visits[0].pk: at("09:00"), visits[1].pk: UnplacedReason.NO_FREE_TIME.value}
    assert RescheduledAppointment.objects.count() == 1
    visits[1].refresh_from_db()
    assert visits[1].doctor_id == ill.pk


def test_a_place_that_was_taken_meanwhile_leaves_that_visit_unplaced(
    ill: User, other: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits = [book(register_patient(name), ill, at(time)) for name, time in (("A", "09:00"), ("B", "10:00"))]
    planned = reschedule_plan.proposals

    def then_a_booking_takes_it(*args: Any, **kwargs: Any) -> Any:
        result = planned(*args, **kwargs)
        book(register_patient("C"), other, at("10:00"))  # after the plan was made, before it is carried out
        return result

    monkeypatch.setattr(reschedule_plan, "proposals", then_a_booking_takes_it)
    done = move(ill, other)
    assert went(done.plan) == {visits[0].pk: at("09:00"), visits[1].pk: "taken_meanwhile"}
    visits[1].refresh_from_db()
    assert (visits[1].doctor_id, visits[1].scheduled_time) == (ill.pk, at("10:00"))


def test_a_move_without_a_visit_or_without_a_place_is_refused_and_leaves_nothing(ill: User, other: User) -> None:
    with pytest.raises(NothingToMove):
        move(ill, other)
    visit = book(register_patient("A"), ill)
    with pytest.raises(NoPlaceFound) as refused:
        move(ill, hire("dr.third", "doctor", specialty="Dermatology"))
    assert refused.value.details["unplaced"] == [{"appointment_id": visit.pk, "because": "doctor_has_no_hours"}]
    assert not BulkReschedule.objects.exists()


def test_an_overbooked_visit_gets_a_time_of_its_own_and_its_seat_back(ill: User, other: User, staff: dict[str, User]) -> None:
    book(register_patient("A"), ill, at("10:00"))
    squeezed = book(register_patient("B"), ill, at("10:00"), overbook_reason="Chest pain")
    done = move(ill, other)
    squeezed.refresh_from_db()
    assert (squeezed.overbook_seat, squeezed.scheduled_time) == (None, at("10:15"))
    services.undo_bulk_reschedule(by=staff["receptionist"], move_id=done.move.pk)
    squeezed.refresh_from_db()
    assert (squeezed.overbook_seat, squeezed.overbook_reason, squeezed.scheduled_time) == (1, "Chest pain", at("10:00"))


def test_the_visits_of_a_doctor_who_left_can_still_be_moved(ill: User, other: User) -> None:
    visit = book(register_patient("A"), ill)
    accounts.deactivate(by=SYSTEM, user_id=ill.pk)
    with pytest.raises(Invalid) as refused:
        plan(ill)
    assert refused.value.details["field"] == "to_doctor_id"
    assert plan(ill, other) == {visit.pk: at()}


def test_who_is_meant_and_when_is_checked(ill: User, other: User, staff: dict[str, User]) -> None:
    with pytest.raises(NotFound):
        services.plan_bulk_reschedule(by=SYSTEM, absence=DoctorAbsence(doctor_id=uuid4(), starts_at=at(), ends_at=at("11:00")))
    for wrong, field in (
        ({"to_doctor_id": ill.pk}, "to_doctor_id"),
        ({"to_doctor_id": staff["nurse"].pk}, "to_doctor_id"),
        ({"ends_at": at("00:00")}, "date_to"),
        ({"ends_at": at() + timedelta(days=400)}, "date_to"),
    ):
        asked = {"doctor_id": ill.pk, "starts_at": at("00:00"), "ends_at": at("23:00"), **wrong}
        with pytest.raises(Invalid) as refused:
            services.plan_bulk_reschedule(by=SYSTEM, absence=DoctorAbsence(**asked))  # type: ignore[arg-type]
        assert refused.value.details["field"] == field


def test_more_visits_than_one_move_takes_are_refused(ill: User, other: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reschedule, "MAX_APPOINTMENTS", 1)
    book(register_patient("A"), ill, at("09:00"))
    book(register_patient("B"), ill, at("10:00"))
    for act in (lambda: plan(ill, other), lambda: move(ill, other)):
        with pytest.raises(Invalid):
            act()


# The way back


def test_an_undo_puts_every_visit_back(ill: User, other: User) -> None:
    visits = [book(register_patient(name), ill, at(time)) for name, time in (("A", "09:00"), ("B", "10:00"))]
    book(register_patient("C"), other, at("10:00"))
    done = move(ill, other)
    undone = services.undo_bulk_reschedule(by=SYSTEM, move_id=done.move.pk)
    assert undone.undone_at is not None
    for row in visits:
        before = row.scheduled_time
        row.refresh_from_db()
        assert (row.doctor_id, row.scheduled_time) == (ill.pk, before)
    assert set(RescheduledAppointment.objects.values_list("result", flat=True)) == {"put_back"}
    assert OutboxEvent.objects.get(name="schedule.visits_put_back").payload["visits"] == 2
    with pytest.raises(AlreadyUndone):
        services.undo_bulk_reschedule(by=SYSTEM, move_id=done.move.pk)


def test_an_undo_keeps_what_was_changed_since_and_what_lost_its_place(ill: User, other: User) -> None:
    changed, lost, back, gone = (
        book(register_patient(name), ill, at(time))
        for name, time in (("A", "09:00"), ("B", "10:00"), ("C", "11:00"), ("D", "12:00"))
    )
    done = move(ill, other)
    services.change(by=SYSTEM, appointment_id=changed.pk, changes={"notes": "Brings the letter"})
    book(register_patient("E"), ill, at("10:00"))
    services.cancel(by=SYSTEM, appointment_id=gone.pk)
    services.undo_bulk_reschedule(by=SYSTEM, move_id=done.move.pk)
    results = {row.appointment_id: (row.result, row.because) for row in RescheduledAppointment.objects.all()}
    assert results == {
        changed.pk: ("kept", "changed_since"),
        lost.pk: ("kept", "old_place_taken"),
        back.pk: ("put_back", ""),
        gone.pk: ("kept", "changed_since"),
    }
    assert dict(Appointment.objects.filter(pk__in=[lost.pk, back.pk]).values_list("pk", "doctor")) == {
        lost.pk: other.pk,
        back.pk: ill.pk,
    }


def test_a_doctor_who_left_gets_nothing_back(ill: User, other: User) -> None:
    book(register_patient("A"), ill)
    done = move(ill, other)
    accounts.deactivate(by=SYSTEM, user_id=ill.pk)
    services.undo_bulk_reschedule(by=SYSTEM, move_id=done.move.pk)
    assert RescheduledAppointment.objects.get().because == "old_place_closed"


def test_after_ten_minutes_it_is_too_late(ill: User, other: User, settings: Any) -> None:
    book(register_patient("A"), ill)
    done = move(ill, other)
    assert reschedule.undo_until(done.move) - done.move.moved_at == timedelta(minutes=10)
    settings.HIMS_MOVE_UNDO = timedelta(0)
    with pytest.raises(TooLateToUndo):
        services.undo_bulk_reschedule(by=SYSTEM, move_id=done.move.pk)
    assert not RescheduledAppointment.objects.exclude(result="moved").exists()


def test_a_doctor_moves_and_puts_back_his_own_visits_alone(ill: User, other: User) -> None:
    book(register_patient("A"), ill)
    with pytest.raises(Forbidden):
        services.plan_bulk_reschedule(by=other, absence=absence(ill, other))
    done = services.bulk_reschedule(by=ill, absence=absence(ill, other), reason="Ill")
    with pytest.raises(NotFound):
        services.undo_bulk_reschedule(by=other, move_id=done.move.pk)
    services.undo_bulk_reschedule(by=ill, move_id=done.move.pk)
    assert Appointment.objects.get().doctor_id == ill.pk


# The rows


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"reason": " "}, "bulk_reschedule_has_reason"),
        ({"ends_at": at("00:00")}, "bulk_reschedule_ends_later"),
        ({"undone_at": clock.now() - timedelta(days=1)}, "bulk_reschedule_undone_later"),
    ],
)
def test_a_move_round_the_service_is_kept_whole_by_the_database(staff: dict[str, User], wrong: Any, name: str) -> None:
    right = {"doctor": staff["doctor"], "starts_at": at("00:00"), "ends_at": at("12:00"), "reason": "Ill"}
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        BulkReschedule.objects.create(**(right | wrong))
    with pytest.raises(IntegrityError, match="bulk_reschedule_to_another"), transaction.atomic():
        BulkReschedule.objects.create(**right, to_doctor=staff["doctor"])


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"result": "lost"}, "rescheduled_result_known"),
        ({"result": "kept"}, "rescheduled_kept_why"),
        ({"because": "changed_since"}, "rescheduled_kept_why"),
    ],
)
def test_a_rescheduled_round_the_service_says_what_became_of_it(ill: User, other: User, wrong: Any, name: str) -> None:
    book(register_patient("A"), ill)
    move(ill, other)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        RescheduledAppointment.objects.update(**wrong)
    row = RescheduledAppointment.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError, match="rescheduled_once"), transaction.atomic():
        row.save(force_insert=True)


# Over the API


def asked(to: User | None = None, **more: Any) -> dict[str, Any]:
    named = {"to_doctor_id": str(to.pk)} if to else {}
    return {"date_from": monday().isoformat(), "date_to": monday().isoformat(), "reason": "Ill", **named, **more}


def test_plan_move_and_undo_over_the_api(ill: User, other: User, staff: dict[str, User]) -> None:
    patient = register_patient("A")
    visit = book(patient, ill, at("16:45"))
    receptionist_api, address = api_client(staff["receptionist"]), f"/doctors/{ill.pk}/move-appointments"
    seen = receptionist_api.post(address, asked(other)).json()["data"]["move"]
    assert (seen["id"], seen["dry_run"], seen["visits"][0]["result"]) == (None, True, "planned")
    assert not BulkReschedule.objects.exists()
    reply = receptionist_api.post(address, asked(other, dry_run=False))
    assert reply.status_code == 200, reply.content
    move = reply.json()["data"]["move"]
    (row,) = move["visits"]
    assert (row["appointment_id"], row["patient_id"], row["result"]) == (str(visit.pk), str(patient.pk), "moved")
    assert row["after"] == seen["visits"][0]["after"]
    assert (row["before"]["doctor_id"], row["after"]["doctor_id"]) == (str(ill.pk), str(other.pk))
    again = receptionist_api.get(f"/appointments/moves/{move['id']}").json()["data"]["move"]
    assert again["visits"] == move["visits"]
    back = receptionist_api.post(f"/appointments/moves/{move['id']}/undo").json()["data"]["move"]
    assert (back["visits"][0]["result"], back["undo_until"], back["undone_by"]) == (
        "put_back",
        None,
        str(staff["receptionist"].pk),
    )
    assert receptionist_api.post(f"/appointments/moves/{move['id']}/undo").status_code == 409
    shown = [(one["dry_run"], "plan" in one, one.get("not_shown")) for one in (seen, move, again, back)]
    assert shown == [(True, True, 0), (False, False, 0), (False, False, None), (False, False, None)]


def test_who_moves_visits(ill: User, other: User, staff: dict[str, User]) -> None:
    book(register_patient("A"), ill)
    address = f"/doctors/{ill.pk}/move-appointments"
    statuses = {role: api_client(user).post(address, asked(other)).status_code for role, user in staff.items()}
    assert {role for role, status in statuses.items() if status == 200} == {"admin", "doctor", "manager", "receptionist"}
    assert set(statuses.values()) == {200, 403}
    assert api_client(other).post(address, asked(other)).status_code == 403
    done = api_client(ill).post(address, asked(other, dry_run=False)).json()["data"]["move"]
    assert api_client(other).get(f"/appointments/moves/{done['id']}").status_code == 404
    assert api_client(staff["nurse"]).get(f"/appointments/moves/{done['id']}").status_code == 403
    assert api_key_client(create_api_key(ill, "appointments:read").text).post(address, asked(other)).status_code == 403
    assert api_key_client(create_api_key(ill, "appointments:write").text).post(address, asked(other)).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"date_from": "next week"}, "date_from"),
        ({"date_to": "2020-01-01"}, "date_to"),
        ({"reason": " "}, "reason"),
        ({"to_doctor_id": "nobody"}, "to_doctor_id"),
        ({"dry_run": "perhaps"}, "dry_run"),
        ({"plan": "the first"}, "plan"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_of_a_move_is_named(ill: User, staff: dict[str, User], wrong: dict[str, Any], field: str) -> None:
    reply = api_client(staff["admin"]).post(f"/doctors/{ill.pk}/move-appointments", asked() | wrong)
    assert (reply.status_code, reply.json()["error"]["details"]["field"]) == (400, field)


def test_the_api_carries_out_no_plan_but_the_one_agreed_to(ill: User, other: User, staff: dict[str, User]) -> None:
    visit = book(register_patient("A"), ill, at("10:00"))
    receptionist_api, address = api_client(staff["receptionist"]), f"/doctors/{ill.pk}/move-appointments"
    seen = receptionist_api.post(address, asked(other)).json()["data"]["move"]["plan"]
    book(register_patient("B"), ill, at("11:00"))
    refused = receptionist_api.post(address, asked(other, dry_run=False, plan=seen))
    assert (refused.status_code, BulkReschedule.objects.count()) == (409, 0)
    assert Appointment.objects.get(pk=visit.pk).doctor_id == ill.pk
    seen = receptionist_api.post(address, asked(other)).json()["data"]["move"]["plan"]
    assert receptionist_api.post(address, asked(other, dry_run=False, plan=seen)).status_code == 200
    assert Appointment.objects.get(pk=visit.pk).doctor_id == other.pk


def test_visits_of_closed_charts_stay_and_are_neither_shown_nor_counted(ill: User, other: User, staff: dict[str, User]) -> None:
    closed = register_patient("Dora")
    hidden, shown = book(closed, ill, at("09:00")), book(register_patient("A"), ill, at("10:00"))
    restrict(closed)
    receptionist_api = api_client(staff["receptionist"])
    reply = receptionist_api.post(f"/doctors/{ill.pk}/move-appointments", asked(other, dry_run=False))
    move = reply.json()["data"]["move"]
    assert ([row["appointment_id"] for row in move["visits"]], move["not_shown"]) == ([str(shown.pk)], 0)
    assert str(hidden.pk) not in reply.content.decode()
    assert Appointment.objects.get(pk=hidden.pk).doctor_id == ill.pk
    restrict(shown.patient)
    assert receptionist_api.get(f"/appointments/moves/{move['id']}").json()["data"]["move"]["visits"] == []
    assert api_client(ill).post(f"/doctors/{ill.pk}/move-appointments", asked(other)).json()["data"]["move"]["not_shown"] == 0


def test_a_plan_for_a_full_day_takes_few_statements(
    ill: User, other: User, staff: dict[str, User], django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        book(register_patient("Many", str(number)), ill, at("09:00") + timedelta(minutes=15 * number))
    receptionist_api = api_client(staff["receptionist"])
    with django_assert_max_num_queries(10):
        assert (
            len(receptionist_api.post(f"/doctors/{ill.pk}/move-appointments", asked(other)).json()["data"]["move"]["visits"])
            == 12
        )


# Many at once


def refused(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except HimsError as refusal:
        return refusal


@pytest.mark.django_db(transaction=True)
def test_moves_both_ways_bookings_and_undos_at_once_never_wait_in_a_circle() -> None:
    one, two = create_staff()["doctor"], hire("dr.other", "doctor", specialty="Cardiology")
    for doctor in (one, two):
        publish(doctor)
    people = [register_patient("Crowd", str(number)) for number in range(6)]
    for _ in range(10):
        rows = [book(people[n], (one, two)[n % 2], at("09:00") + timedelta(minutes=15 * n)) for n in range(6)]
        actions: list[Callable[[], Any]] = [
            lambda: move(one, two),
            lambda: move(two, one),
            lambda: book(people[0], two, at("09:00", monday() + TUESDAY)),
            lambda: book(people[1], one, at("09:00")),
            lambda: services.change(by=SYSTEM, appointment_id=rows[2].pk, changes={"doctor_id": two.pk}),  # noqa: B023
            lambda: services.undo_bulk_reschedule(
                by=SYSTEM, move_id=BulkReschedule.objects.filter(undone_at=None).latest("moved_at").pk
            ),
        ]
        for refusal in run_concurrently(6, lambda n: refused(actions[n]) if n < 5 else _undone(actions[n])):  # noqa: B023
            assert getattr(refusal, "code", "") != "SERVICE_UNAVAILABLE", refusal
            assert not isinstance(refusal, Exception) or isinstance(refusal, SlotTaken | HimsError)
        Appointment.objects.exclude(status="cancelled").update(status="cancelled", cancelled_at=at())


def _undone(act: Callable[[], Any]) -> Any:
    try:
        return refused(act)
    except BulkReschedule.DoesNotExist:
        return None
