"""What becomes of a time that came free: offered in rank, accepted once, passed on, lost, expired. Through API and worker."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.accounts.tests.factories import api_client, hire
from apps.appointments import services, tasks
from apps.appointments.listeners import offer_freed_time
from apps.appointments.models import Appointment, FreedSlotOffer, WaitlistEntry, WaitlistOffer
from apps.appointments.services import DoctorAbsence
from apps.appointments.tests.factories import at, book, local, monday, publish, room
from apps.appointments.tests.test_waitlist_constraints import by_now, waits
from apps.appointments.waitlist import freed_slots
from apps.appointments.waitlist.services import offers
from apps.audit.models import AuditEvent
from apps.events import relay
from apps.events.models import OutboxEvent
from apps.patients import services as patients
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def doctor(staff: dict[str, User]) -> User:
    publish(staff["doctor"], visit_lengths={"procedure": 45})
    return staff["doctor"]


@pytest.fixture
def receptionist_api(staff: dict[str, User]) -> Any:
    return api_client(staff["receptionist"])


@pytest.fixture
def visit(doctor: User) -> Appointment:
    """Half an hour, next Monday at ten."""
    return book(register_patient("Bea", "Booked"), doctor, duration_minutes=30)


def work() -> None:
    """What workers do: call the listeners until no fact waits."""
    while turns := relay.claim_waiting():
        for turn in turns:
            assert relay.deliver(turn.delivery_id, turn.attempt)


def freed(visit: Appointment) -> None:
    """The visit is cancelled, and workers have heard of it."""
    services.cancel(by=SYSTEM, appointment_id=visit.pk)
    work()


def statuses(*entries: WaitlistEntry) -> list[list[str]]:
    """What each was offered, the first first."""
    return [
        list(WaitlistOffer.objects.filter(entry=entry).order_by("created_at").values_list("status", flat=True))
        for entry in entries
    ]


def queue(count: int, **details: Any) -> list[WaitlistEntry]:
    """So many who wait, the first the longest."""
    return [waits(**details) for _ in range(count)]


def details_of(reply: Any) -> dict[str, Any]:
    return reply.json()["error"]["details"]


# From the cancelled visit to the new one


def test_a_cancelled_visit_is_offered_accepted_and_booked(receptionist_api: Any, doctor: User, staff: dict[str, User]) -> None:
    where = room()
    old = book(register_patient("Bea", "Booked"), doctor, duration_minutes=30, room_id=where.pk)
    sent = {"date_from": str(monday()), "date_to": str(monday()), "note": "Knee", "doctor_id": str(doctor.pk)}
    entry = receptionist_api.post("/waitlist", sent | {"patient_id": str(register_patient().pk)}).json()["data"]["waitlist_entry"]
    assert receptionist_api.call("DELETE", f"/appointments/{old.pk}").status_code == 200
    work()
    [offer] = receptionist_api.get(f"/waitlist/{entry['id']}").json()["data"]["waitlist_entry"]["offers"]
    assert (offer["status"], offer["rank"], offer["duration_minutes"], offer["room_id"]) == ("open", 1, 15, str(where.pk))
    [fact] = OutboxEvent.objects.filter(name="waitlist.offered")
    assert set(fact.payload) == {"entry_id", "offer_id", "patient_id", "doctor_id", "scheduled_time", "expires_at"}
    done = receptionist_api.post(f"/waitlist/{entry['id']}/accept", {"offer_id": offer["id"]})
    assert done.status_code == 200
    made, left = done.json()["data"]["appointment"], done.json()["data"]["waitlist_entry"]
    assert (made["patient_id"], made["doctor_id"], made["status"]) == (entry["patient_id"], str(doctor.pk), "scheduled")
    assert datetime.fromisoformat(made["scheduled_time"]) == old.scheduled_time
    assert (made["notes"], made["room_id"]) == ("Knee", str(where.pk))
    assert (left["status"], left["appointment_id"], left["offers"][0]["status"]) == ("booked", made["id"], "accepted")
    names = ["waitlist.added", "appointment.created", "waitlist.offered", "waitlist.offer_settled"]
    for name in names:
        assert AuditEvent.objects.filter(action=name, patient_id=entry["patient_id"]).count() == 1, name


def test_the_first_in_rank_are_asked_and_when_one_accepts_the_others_lose(receptionist_api: Any, visit: Appointment) -> None:
    late, first, second, third = waits(priority="low"), *queue(3)
    freed(visit)
    assert statuses(first, second, third, late) == [["open"], ["open"], ["open"], []]
    ranks = WaitlistOffer.objects.order_by("rank").values_list("entry_id", "rank")
    assert list(ranks) == [(first.pk, 1), (second.pk, 2), (third.pk, 3)]
    assert receptionist_api.post(f"/waitlist/{second.pk}/accept").status_code == 200
    work()
    assert statuses(first, second, third, late) == [["lost"], ["accepted"], ["lost"], []]
    late_one = receptionist_api.post(f"/waitlist/{first.pk}/accept")
    assert (late_one.status_code, details_of(late_one)["issue"]) == (409, "offer_lost")
    again = receptionist_api.post(f"/waitlist/{second.pk}/accept")
    assert (again.status_code, details_of(again)["from"], details_of(again)["allowed"]) == (409, "booked", [])
    assert Appointment.objects.live().count() == 1


def test_how_many_are_asked_and_for_how_long_is_a_setting(visit: Appointment, settings: Any) -> None:
    settings.HIMS_WAITLIST_OFFERS, settings.HIMS_WAITLIST_OFFER = 1, timedelta(minutes=5)
    entries = queue(2)
    freed(visit)
    assert statuses(*entries) == [["open"], []]
    offer = WaitlistOffer.objects.get()
    assert offer.expires_at - offer.offered_at == timedelta(minutes=5)


def test_a_fact_heard_twice_makes_no_second_offers(visit: Appointment) -> None:
    entries = queue(4)
    services.cancel(by=SYSTEM, appointment_id=visit.pk)
    work()
    fact = relay.deserialize(OutboxEvent.objects.get(name="appointment.updated"))
    for _ in range(2):
        offer_freed_time(fact)  # type: ignore[arg-type]
    assert statuses(*entries) == [["open"], ["open"], ["open"], []]


# Who fits


@pytest.mark.parametrize(
    ("wish", "asked"),
    [
        ({}, True),
        ({"time_from": time(10), "time_to": time(10, 15)}, True),  # both ends included
        ({"time_from": time(10), "time_to": time(10, 14)}, False),
        ({"time_from": time(10, 5), "time_to": time(12)}, False),
        ({"time_from": time(13), "time_to": time(17)}, False),
        ({"date_to": monday}, True),
        ({"date_from": lambda: monday() + timedelta(days=1)}, False),
        ({"duration_minutes": 30}, True),
        ({"duration_minutes": 35}, False),
        ({"appointment_type": "procedure"}, False),  # the doctor takes 45 minutes for it
        ({"appointment_type": "procedure", "duration_minutes": 30}, True),
    ],
)
def test_whose_days_times_and_length_fit_is_asked(visit: Appointment, wish: dict[str, Any], asked: bool) -> None:
    entry = waits(**by_now(wish))
    freed(visit)
    assert statuses(entry) == [["open"] if asked else []]


def test_days_and_times_are_the_clinics(doctor: User, settings: Any) -> None:
    """Half past eleven at night in Honolulu is the next day in UTC."""
    settings.CLINIC_TIME_ZONE = "Pacific/Honolulu"
    publish(doctor, starts=time(8), ends=time(23, 59))
    fits = waits(date_from=monday(), date_to=monday(), time_from=time(23), time_to=time(23, 50))
    tomorrow = waits(date_from=monday() + timedelta(days=1), date_to=monday(2))
    freed(book(register_patient("Bea", "Booked"), doctor, local(monday(), time(23, 30))))
    assert statuses(fits, tomorrow) == [["open"], []]


def test_patients_who_want_another_doctor_are_busy_or_inactive_get_no_offer(
    staff: dict[str, User], doctor: User, visit: Appointment
) -> None:
    other = hire("dr.other", "doctor", specialty="Any")
    elsewhere, own, taken, inactive, gone = waits(doctor=other), waits(doctor=doctor), *queue(3)
    book(taken.patient, other, at("10:10"))
    patients.deactivate(by=staff["admin"], patient_id=inactive.patient_id)
    services.withdraw_from_waitlist(by=SYSTEM, entry_id=gone.pk)
    himself = waits(patient=visit.patient)
    freed(visit)
    assert statuses(elsewhere, own, taken, inactive, gone, himself) == [[], ["open"], [], [], [], []]


def test_a_patient_with_two_entries_is_offered_a_time_once(doctor: User, visit: Appointment) -> None:
    first = waits()
    second = waits(patient=first.patient, doctor=doctor)
    freed(visit)
    assert statuses(first, second) == [["open"], []]


def test_who_has_an_offer_open_gets_no_second_one(doctor: User, visit: Appointment) -> None:
    later = book(register_patient("Cara", "Booked"), doctor, at("15:00"))
    entry = waits()
    freed(visit)
    freed(later)
    assert statuses(entry) == [["open"]]


# What comes free


def test_a_visit_that_is_moved_leaves_its_time(receptionist_api: Any, visit: Appointment) -> None:
    entry = waits()
    assert receptionist_api.put(f"/appointments/{visit.pk}", {"scheduled_time": at("14:00").isoformat()}).status_code == 200
    work()
    assert WaitlistOffer.objects.get(entry=entry).scheduled_time == at("10:00")


def test_a_visit_given_to_another_doctor_leaves_the_first_ones_time(
    receptionist_api: Any, doctor: User, visit: Appointment
) -> None:
    other = hire("dr.other", "doctor", specialty="Any")
    entry = waits(doctor=doctor)
    assert receptionist_api.put(f"/appointments/{visit.pk}", {"doctor_id": str(other.pk)}).status_code == 200
    work()
    assert WaitlistOffer.objects.get(entry=entry).doctor_id == doctor.pk


def test_of_a_visit_that_moved_by_a_little_only_the_rest_is_offered(receptionist_api: Any, visit: Appointment) -> None:
    long, short = waits(duration_minutes=30), waits(duration_minutes=15)
    receptionist_api.put(f"/appointments/{visit.pk}", {"scheduled_time": at("10:15").isoformat()})
    work()
    assert statuses(long, short) == [[], ["open"]]
    offer = WaitlistOffer.objects.get()
    assert (offer.scheduled_time, offer.free_minutes) == (at("10:00"), 15)


def test_what_changes_no_time_frees_none(receptionist_api: Any, visit: Appointment) -> None:
    entry = waits()
    receptionist_api.put(f"/appointments/{visit.pk}", {"notes": "Other", "room_id": str(room().pk)})
    receptionist_api.post(f"/appointments/{visit.pk}/confirm")
    work()
    assert statuses(entry) == [[]]


def test_a_visit_that_was_only_asked_for_or_overbooked_frees_nothing(doctor: User, visit: Appointment) -> None:
    entry = waits()
    freed(book(register_patient("Cara", "Asks"), doctor, at("11:00"), status="requested"))
    freed(book(register_patient("Dora", "Over"), doctor, at("10:00"), overbook_reason="Worried"))
    assert statuses(entry) == [[]]
    freed(visit)
    assert statuses(entry) == [["open"]]


def test_of_a_visit_that_was_missed_the_time_left_is_offered(doctor: User) -> None:
    missed = book(register_patient("Bea", "Late"), doctor, duration_minutes=60)
    here, rest = waits(), at("10:30")
    with time_machine.travel(at("10:17"), tick=False):
        services.no_show(by=SYSTEM, appointment_id=missed.pk)
        work()
        offer = WaitlistOffer.objects.get(entry=here)
        assert (offer.scheduled_time, offer.free_minutes, offer.expires_at) == (rest, 30, rest)


def test_a_time_that_has_passed_or_begins_at_once_is_not_offered(doctor: User) -> None:
    past, near = book(register_patient("Bea", "Past"), doctor), book(register_patient("Cara", "Near"), doctor, at("11:00"))
    entry = waits()
    with time_machine.travel(at("10:52"), tick=False):
        services.no_show(by=SYSTEM, appointment_id=past.pk)
        services.cancel(by=SYSTEM, appointment_id=near.pk)
        work()
    assert statuses(entry) == [[]]


def test_an_offer_ends_where_the_visit_begins(doctor: User, visit: Appointment) -> None:
    entry = waits()
    with time_machine.travel(at("09:45"), tick=False):
        freed(visit)
        assert WaitlistOffer.objects.get(entry=entry).expires_at == visit.scheduled_time


def test_the_time_of_a_doctor_who_is_away_is_not_offered(staff: dict[str, User], doctor: User, visit: Appointment) -> None:
    entry = waits()
    services.add_time_off(by=staff["admin"], doctor_id=doctor.pk, starts_at=at("08:00"), ends_at=at("12:00"))
    freed(visit)
    assert statuses(entry) == [[]]


def test_visits_that_were_all_moved_away_leave_nothing(staff: dict[str, User], doctor: User, visit: Appointment) -> None:
    other = hire("dr.other", "doctor", specialty="Any")
    publish(other)
    entry = waits()
    absence = DoctorAbsence(doctor_id=doctor.pk, starts_at=at("08:00"), ends_at=at("18:00"), to_doctor_id=other.pk)
    services.bulk_reschedule(by=staff["admin"], absence=absence, reason="Ill")
    work()
    assert statuses(entry) == [[]]


def test_a_doctor_who_was_moved_away_and_is_booked_again_is_back(
    staff: dict[str, User], doctor: User, visit: Appointment
) -> None:
    other = hire("dr.other", "doctor", specialty="Any")
    publish(other)
    absence = DoctorAbsence(doctor_id=doctor.pk, starts_at=at("08:00"), ends_at=at("18:00"), to_doctor_id=other.pk)
    services.bulk_reschedule(by=staff["admin"], absence=absence, reason="Ill")
    entry = waits(doctor=doctor)
    freed(book(register_patient("Ann", "Back"), doctor, at("11:00")))
    assert statuses(entry) == [["open"]]


# Passing on


def test_a_declined_offer_goes_to_the_next(receptionist_api: Any, visit: Appointment) -> None:
    first, second, third, fourth, fifth = queue(5)
    freed(visit)
    declined = receptionist_api.post(f"/waitlist/{first.pk}/decline")
    assert (declined.status_code, declined.json()["data"]["waitlist_entry"]["status"]) == (200, "waiting")
    work()
    assert statuses(first, second, third, fourth, fifth) == [["declined"], ["open"], ["open"], ["open"], []]
    assert WaitlistOffer.objects.get(entry=fourth).rank == 4
    again = receptionist_api.post(f"/waitlist/{first.pk}/decline")
    assert (again.status_code, details_of(again)["issue"]) == (409, "offer_declined")


@pytest.mark.parametrize("answer", ["declined", "expired"])
def test_who_did_not_take_a_time_is_not_offered_it_again_when_it_is_freed_again(
    receptionist_api: Any, doctor: User, visit: Appointment, answer: str
) -> None:
    entry = waits()
    freed(visit)
    if answer == "declined":
        assert receptionist_api.post(f"/waitlist/{entry.pk}/decline").status_code == 200
    else:
        WaitlistOffer.objects.update(status="expired", settled_at=visit.scheduled_time)
    freed(book(register_patient("Cara", "Booked"), doctor, duration_minutes=30))
    tasks.keep_waitlist()
    assert statuses(entry) == [[answer]]
    next_one = waits()
    tasks.keep_waitlist()
    assert statuses(next_one) == [["open"]]


def test_a_time_that_was_freed_twice_is_open_once(doctor: User, visit: Appointment) -> None:
    next_time = FreedSlotOffer.objects.create(pk=uuid4(), doctor=doctor, starts_at=at("10:30"), ends_at=at("11:00"))
    freed(visit)
    freed(book(register_patient("Cara", "Booked"), doctor, duration_minutes=30))
    last = FreedSlotOffer.objects.exclude(pk=next_time.pk).latest("pk")
    assert set(FreedSlotOffer.objects.filter(is_open=True)) == {next_time, last}


def test_an_expired_offer_goes_to_the_next_and_can_no_longer_be_accepted(receptionist_api: Any, visit: Appointment) -> None:
    first, second, third, fourth = queue(4)
    freed(visit)
    with time_machine.travel(WaitlistOffer.objects.get(entry=first).expires_at, tick=False):
        assert tasks.keep_waitlist() == 3
        work()
        assert statuses(first, second, third, fourth) == [["expired"], ["expired"], ["expired"], ["open"]]
        again = services.offer_to_next(by=SYSTEM, opening=WaitlistOffer.objects.get(entry=fourth).opening)
        assert (again, tasks.keep_waitlist()) == ([], 0)
        settled = OutboxEvent.objects.filter(name="waitlist.offer_settled")
        assert {fact.payload["status"] for fact in settled} == {"expired"}
    late = api_client(hire("desk.late", "receptionist")).post(f"/waitlist/{first.pk}/accept")
    assert (late.status_code, details_of(late)["issue"]) == (409, "offer_expired")


def test_who_accepts_after_the_time_is_refused_at_once_and_the_offer_is_closed_all_the_same(
    staff: dict[str, User], visit: Appointment
) -> None:
    first, *_, fourth = queue(4)
    freed(visit)
    with time_machine.travel(WaitlistOffer.objects.get(entry=first).expires_at, tick=False):
        reply = api_client(staff["receptionist"]).post(f"/waitlist/{first.pk}/accept", HTTP_IDEMPOTENCY_KEY="one")
        assert (reply.status_code, details_of(reply)["issue"]) == (409, "offer_expired")
        assert statuses(first) == [["expired"]]  # no worker did it
        work()
        assert statuses(fourth) == [["open"]]
    assert not Appointment.objects.live().exists()


def test_a_time_that_was_booked_meanwhile_is_refused_with_others_and_its_offers_close(
    receptionist_api: Any, doctor: User, visit: Appointment
) -> None:
    first, second = queue(2)
    freed(visit)
    book(register_patient("Cara", "Fast"), doctor)
    reply = receptionist_api.post(f"/waitlist/{first.pk}/accept")
    assert (reply.status_code, details_of(reply)["issue"], details_of(reply)["taken"]) == (409, "offer_lost", ["doctor"])
    assert len(details_of(reply)["alternatives"]) == 3
    assert statuses(first) == [["lost"]]
    work()
    assert statuses(second) == [["lost"]]
    first.refresh_from_db()
    assert first.status == "waiting"


def test_offers_of_a_time_that_was_booked_are_closed_by_the_worker(doctor: User, visit: Appointment) -> None:
    entries = queue(2)
    freed(visit)
    book(register_patient("Cara", "Fast"), doctor, at("10:05"))
    assert tasks.keep_waitlist() == 2
    work()
    assert statuses(*entries) == [["lost"], ["lost"]]


def test_where_only_the_patient_is_taken_the_next_gets_the_time(doctor: User, visit: Appointment, receptionist_api: Any) -> None:
    first, *_, fourth = queue(4)
    freed(visit)
    book(first.patient, hire("dr.other", "doctor", specialty="Any"))
    reply = receptionist_api.post(f"/waitlist/{first.pk}/accept")
    assert (reply.status_code, details_of(reply)["taken"]) == (409, ["patient"])
    work()
    assert statuses(first, fourth) == [["lost"], ["open"]]


def test_who_is_taken_off_leaves_the_offer_to_the_next(receptionist_api: Any, visit: Appointment) -> None:
    first, *_, fourth = queue(4)
    freed(visit)
    assert receptionist_api.call("DELETE", f"/waitlist/{first.pk}").status_code == 200
    work()
    assert statuses(first, fourth) == [["withdrawn"], ["open"]]
    refused = receptionist_api.post(f"/waitlist/{first.pk}/accept")
    assert (refused.status_code, details_of(refused)["from"]) == (409, "withdrawn")


def test_a_doctor_who_left_meanwhile_is_not_booked(
    receptionist_api: Any, staff: dict[str, User], doctor: User, visit: Appointment
) -> None:
    entry = waits()
    freed(visit)
    services.add_time_off(by=staff["admin"], doctor_id=doctor.pk, starts_at=at("08:00"), ends_at=at("12:00"))
    reply = receptionist_api.post(f"/waitlist/{entry.pk}/accept")
    assert (reply.status_code, details_of(reply)["issue"]) == (409, "offer_lost")
    assert statuses(entry) == [["lost"]]


def test_a_doctor_whose_visits_were_moved_away_meanwhile_is_not_booked(
    receptionist_api: Any, staff: dict[str, User], doctor: User, visit: Appointment
) -> None:
    entry, other = waits(), hire("dr.other", "doctor", specialty="Any")
    publish(other)
    book(register_patient("Cara", "Moved"), doctor, at("14:00"))
    freed(visit)
    absence = DoctorAbsence(doctor_id=doctor.pk, starts_at=at("08:00"), ends_at=at("18:00"), to_doctor_id=other.pk)
    services.bulk_reschedule(by=staff["admin"], absence=absence, reason="Ill")
    reply = receptionist_api.post(f"/waitlist/{entry.pk}/accept")
    assert (reply.status_code, details_of(reply)["issue"]) == (409, "offer_lost")
    assert statuses(entry) == [["lost"]]


def test_a_room_that_was_taken_meanwhile_is_left_out(receptionist_api: Any, doctor: User) -> None:
    where = room()
    old = book(register_patient("Bea", "Booked"), doctor, room_id=where.pk)
    entry = waits()
    freed(old)
    book(register_patient("Cara", "Other"), hire("dr.other", "doctor", specialty="Any"), room_id=where.pk)
    reply = receptionist_api.post(f"/waitlist/{entry.pk}/accept")
    assert (reply.status_code, reply.json()["data"]["appointment"]["room_id"]) == (200, None)


def test_without_an_offer_there_is_nothing_to_accept(receptionist_api: Any) -> None:
    entry = waits()
    assert receptionist_api.post(f"/waitlist/{entry.pk}/accept").status_code == 409
    assert receptionist_api.post(f"/waitlist/{entry.pk}/decline").status_code == 409
    wrong = receptionist_api.post(f"/waitlist/{entry.pk}/accept", {"offer_id": str(entry.pk)})
    assert (wrong.status_code, details_of(wrong)["field"]) == (400, "offer_id")


def test_an_inactive_patient_does_not_accept_and_the_next_is_asked(
    receptionist_api: Any, staff: dict[str, User], visit: Appointment
) -> None:
    first, *_, fourth = queue(4)
    freed(visit)
    patients.deactivate(by=staff["admin"], patient_id=first.patient_id)
    assert receptionist_api.post(f"/waitlist/{first.pk}/accept").status_code == 409
    work()
    assert statuses(first, fourth) == [["lost"], ["open"]]


def test_an_offer_stands_when_a_later_part_of_the_freed_time_is_booked(receptionist_api: Any, visit: Appointment) -> None:
    declines, stays, *rest = queue(4, duration_minutes=15)
    freed(visit)
    book(register_patient("Nick", "Next"), visit.doctor, visit.scheduled_time + timedelta(minutes=15), duration_minutes=15)
    assert receptionist_api.post(f"/waitlist/{declines.pk}/decline").status_code == 200
    work()
    assert statuses(declines, stays, *rest) == [["declined"], ["open"], ["open"], ["open"]]
    assert receptionist_api.post(f"/waitlist/{stays.pk}/accept").status_code == 200


def test_a_visit_that_was_over_sooner_offers_nothing(staff: dict[str, User], doctor: User) -> None:
    long = book(register_patient("Lena", "Long"), doctor, duration_minutes=120)
    entry = waits(duration_minutes=15)
    with time_machine.travel(long.scheduled_time + timedelta(minutes=10), tick=False):
        services.start(by=SYSTEM, appointment_id=long.pk, early=True)
        services.complete(by=SYSTEM, appointment_id=long.pk)
        work()
    assert statuses(entry) == [[]]


def test_a_second_freed_time_is_offered_once_those_who_were_asked_about_the_first_have_answered(
    receptionist_api: Any, doctor: User, visit: Appointment
) -> None:
    second = book(register_patient("Sue", "Second"), doctor, at("14:00"), duration_minutes=30)
    one, two = queue(2)
    freed(visit)
    freed(second)
    assert statuses(one, two) == [["open"], ["open"]]
    assert receptionist_api.post(f"/waitlist/{one.pk}/accept").status_code == 200
    tasks.keep_waitlist()
    assert statuses(one, two) == [["accepted"], ["lost", "open"]]
    assert WaitlistOffer.objects.get(entry=two, status="open").scheduled_time == at("14:00")


def test_every_freed_time_is_offered_however_many_there_are(doctor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "BATCH_SIZE", 2)
    span = {"doctor": doctor, "starts_at": at("10:00"), "ends_at": at("10:30")}
    same_time = [FreedSlotOffer.objects.create(pk=uuid4(), **span) for _ in range(5)]
    fits_later, fits_no_time = waits(time_from=time(14), time_to=time(16)), waits(time_from=time(7), time_to=time(8))
    last = FreedSlotOffer.objects.create(pk=uuid4(), doctor=doctor, starts_at=at("14:00"), ends_at=at("14:30"))
    tasks.keep_waitlist()
    assert statuses(fits_later, fits_no_time) == [["open"], []]
    assert WaitlistOffer.objects.get().opening == last.pk
    assert FreedSlotOffer.objects.filter(is_open=True, pk__in=[row.pk for row in same_time]).count() == 5


def test_only_freed_times_that_a_waiting_patient_asked_for_are_looked_at(doctor: User) -> None:
    def freed_time(of: User, hour: str) -> FreedSlotOffer:
        return FreedSlotOffer.objects.create(pk=uuid4(), doctor=of, starts_at=at(hour), ends_at=at(hour) + timedelta(minutes=30))

    def looked_at() -> set[FreedSlotOffer]:
        return set(freed_slots.to_look_at(FreedSlotOffer.objects.all()))

    own, others = freed_time(doctor, "10:00"), freed_time(hire("dr.other", "doctor", specialty="Any"), "11:00")
    assert looked_at() == set()  # no patient waits
    tomorrow = monday() + timedelta(days=1)
    waits(doctor=doctor)
    waits(date_from=tomorrow, date_to=tomorrow)
    assert looked_at() == {own}
    waits()
    assert looked_at() == {own, others}
    tasks.keep_waitlist()
    assert WaitlistOffer.objects.filter(status="open").count() == 2
    freed_time(doctor, "14:00")
    offered = set(WaitlistOffer.objects.values_list("opening", flat=True))
    assert {row.pk for row in looked_at()} == offered  # who waits for that day has an offer now


def test_offers_of_a_doctor_who_is_away_meanwhile_are_closed_by_the_worker(
    staff: dict[str, User], doctor: User, visit: Appointment
) -> None:
    entry = waits()
    freed(visit)
    services.add_time_off(by=staff["admin"], doctor_id=doctor.pk, starts_at=at("08:00"), ends_at=at("12:00"))
    tasks.keep_waitlist()
    assert statuses(entry) == [["lost"]]


def test_of_a_visit_that_ran_past_the_hours_the_part_within_is_offered(doctor: User) -> None:
    entry, late = waits(duration_minutes=15), book(register_patient("Lou", "Late"), doctor, at("16:30"), duration_minutes=60)
    freed(late)
    offer = WaitlistOffer.objects.get(entry=entry)
    assert (offer.scheduled_time, offer.free_minutes) == (at("16:30"), 30)
