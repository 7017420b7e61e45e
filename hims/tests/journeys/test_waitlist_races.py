"""Many accept one freed time at once, through several web processes: one is booked, and no offer stays open."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from apps.access.actor import SYSTEM
from apps.accounts.models import User
from apps.appointments import services as appointments
from apps.appointments.models import Appointment, WaitlistEntry, WaitlistOffer
from apps.appointments.services import NewWaitlistEntry
from apps.audit.models import AuditEvent
from apps.events import relay
from apps.events.models import OutboxEvent
from hims.tests import factories
from hims.tests.live import Reply

pytestmark = pytest.mark.django_db(transaction=True)

HOLDERS = 16


@pytest.fixture
def doctor() -> User:
    one = factories.hire("dr.one", "doctor", specialty="Any")
    factories.publish(one)
    return one


@pytest.fixture
def holders(doctor: User, settings: Any) -> list[WaitlistEntry]:
    """Patients who were offered one freed time, which is still free."""
    settings.HIMS_WAITLIST_OFFERS = HOLDERS
    day = factories.at().date()
    people = [factories.register_patient("Ann", f"Roe {number}") for number in range(HOLDERS)]
    waiting = [
        appointments.add_to_waitlist(by=SYSTEM, new=NewWaitlistEntry(patient_id=one.pk, date_from=day, date_to=day))
        for one in people
    ]
    free_again(factories.book(factories.register_patient("Bea", "Booked"), doctor))
    assert WaitlistOffer.objects.filter(status="open").count() == HOLDERS
    return waiting


def free_again(visit: Appointment) -> None:
    appointments.cancel(by=SYSTEM, appointment_id=visit.pk)
    work()


def work() -> None:
    while turns := relay.claim_waiting():
        for turn in turns:
            assert relay.deliver(turn.delivery_id, turn.attempt)


def accept(entry: WaitlistEntry) -> tuple[str, str, Any]:
    return "POST", f"/waitlist/{entry.pk}/accept", {}


def statuses(replies: list[Reply]) -> Counter[int]:
    return Counter(reply.status for reply in replies)


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_of_all_who_accept_one_time_at_once_one_is_booked(send: Any, holders: list[WaitlistEntry]) -> None:
    before = deadlocks()
    replies = send(*(accept(entry) for entry in holders))
    assert statuses(replies) == {200: 1, 409: HOLDERS - 1}
    refused = {reply.json["error"]["details"]["issue"] for reply in replies if reply.status == 409}
    assert refused == {"offer_lost"}
    assert Appointment.objects.live().count() == 1
    assert Counter(WaitlistOffer.objects.values_list("status", flat=True)) == {"accepted": 1, "lost": HOLDERS - 1}
    assert Counter(WaitlistEntry.objects.values_list("status", flat=True)) == {"booked": 1, "waiting": HOLDERS - 1}
    assert OutboxEvent.objects.filter(name="waitlist.offer_settled").count() == HOLDERS
    assert AuditEvent.objects.filter(action="waitlist.offer_settled").count() == HOLDERS
    assert deadlocks() == before


def test_one_holder_who_accepts_many_times_is_booked_once(send: Any, holders: list[WaitlistEntry]) -> None:
    replies = send(*(accept(holders[0]) for _ in range(12)))
    assert statuses(replies) == {200: 1, 409: 11}
    assert Appointment.objects.live().count() == 1


def test_of_holders_and_those_who_book_as_ever_one_gets_the_time(send: Any, holders: list[WaitlistEntry], doctor: User) -> None:
    before = deadlocks()
    strangers = [factories.register_patient("Cara", f"Fast {number}") for number in range(HOLDERS)]
    known = {"doctor_id": str(doctor.pk), "scheduled_time": factories.at().isoformat()}
    calls = [call for entry, one in zip(holders, strangers, strict=True) for call in (accept(entry), booking(one, known))]
    replies = send(*calls)
    assert statuses(replies)[409] == 2 * HOLDERS - 1
    assert Appointment.objects.live().filter(scheduled_time=factories.at()).count() == 1
    work()
    assert not WaitlistOffer.objects.filter(status="open").exists()
    booked = WaitlistEntry.objects.filter(status="booked").count()
    assert booked == WaitlistOffer.objects.filter(status="accepted").count() <= 1
    assert deadlocks() == before


def booking(patient: Any, known: dict[str, str]) -> tuple[str, str, Any]:
    return "POST", "/appointments", {**known, "patient_id": str(patient.pk), "duration_minutes": 15}


def test_holders_who_accept_decline_and_are_taken_off_at_once_leave_no_offer_behind(
    send: Any, holders: list[WaitlistEntry]
) -> None:
    before = deadlocks()
    first, second, third = holders[:5], holders[5:10], holders[10:]
    declines = [("POST", f"/waitlist/{entry.pk}/decline", {}) for entry in second]
    calls = [*(accept(entry) for entry in first), *declines, *(("DELETE", f"/waitlist/{entry.pk}", None) for entry in third)]
    replies = send(*calls)
    assert set(statuses(replies)) <= {200, 409}
    assert statuses(replies[:5]) == {200: 1, 409: 4}
    assert statuses(replies[10:]) == {200: len(third)}
    work()
    assert not WaitlistOffer.objects.filter(status="open").exists()
    assert Appointment.objects.live().count() == 1
    assert deadlocks() == before


def test_workers_who_pass_one_time_on_at_once_offer_it_once(holders: list[WaitlistEntry], settings: Any) -> None:
    opening = WaitlistOffer.objects.values_list("opening", flat=True)[0]
    settings.HIMS_WAITLIST_OFFERS = HOLDERS + 2
    day = factories.at().date()
    for number in range(6):
        one = factories.register_patient("Dora", f"Late {number}")
        appointments.add_to_waitlist(
            by=SYSTEM, new=NewWaitlistEntry(patient_id=one.pk, date_from=day, date_to=day + timedelta(days=1))
        )

    def worker(_: int) -> int:
        try:
            return len(appointments.offer_to_next(by=SYSTEM, opening=opening))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(worker, range(8))) == 2
    assert WaitlistOffer.objects.filter(status="open").count() == HOLDERS + 2
