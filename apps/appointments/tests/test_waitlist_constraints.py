"""What the tables of the waitlist refuse, even by raw SQL."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.models import User
from apps.appointments.models import WaitlistEntry, WaitlistOffer
from apps.appointments.tests.factories import at, book, monday
from apps.common import clock
from apps.common.ids import new_id
from apps.patients.tests.factories import register_patient

pytestmark = pytest.mark.django_db


def by_now(details: dict[str, Any]) -> dict[str, Any]:
    """Days and times that were named before midnight are worked out when the test runs."""
    return {name: value() if callable(value) else value for name, value in details.items()}


def waits(**details: Any) -> WaitlistEntry:
    return WaitlistEntry.objects.create(**{"patient": register_patient(), "date_from": monday(), "date_to": monday(2)} | details)


def offer(entry: WaitlistEntry, doctor: User, **details: Any) -> WaitlistOffer:
    known: dict[str, Any] = {"entry": entry, "doctor": doctor, "opening": new_id(), "scheduled_time": at(), "rank": 1}
    known |= {"duration_minutes": 15, "free_minutes": 30, "expires_at": at() - timedelta(hours=1)}
    return WaitlistOffer.objects.create(**known | details)


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"status": "lost"}, "waitlist_status_known"),
        ({"priority": "huge"}, "waitlist_priority_known"),
        ({"appointment_type": "tea"}, "waitlist_type_known"),
        ({"date_to": lambda: monday() - timedelta(days=1)}, "waitlist_days_in_order"),
        ({"time_from": "09:00"}, "waitlist_times_in_order"),
        ({"time_from": "10:00", "time_to": "09:00"}, "waitlist_times_in_order"),
        ({"duration_minutes": 1}, "waitlist_duration_sensible"),
        ({"status": "booked"}, "waitlist_booked_whole"),
    ],
)
def test_an_entry_that_says_nonsense_is_refused(wrong: dict[str, Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        waits(**by_now(wrong))


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"status": "held", "settled_at": clock.now()}, "offer_status_known"),
        ({"expires_at": lambda: at() + timedelta(minutes=1)}, "offer_ends_before_the_visit"),
        ({"duration_minutes": 31}, "offer_fits"),
        ({"status": "accepted", "settled_at": clock.now()}, "offer_accepted_whole"),
        ({"status": "expired"}, "offer_settled_whole"),
    ],
)
def test_an_offer_that_says_nonsense_is_refused(staff: dict[str, User], wrong: dict[str, Any], constraint: str) -> None:
    entry = waits()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        offer(entry, staff["doctor"], **by_now(wrong))


def test_an_entry_has_one_open_offer_and_one_an_opening(staff: dict[str, User]) -> None:
    entry, opening = waits(), new_id()
    offer(entry, staff["doctor"], opening=opening, status="expired", settled_at=clock.now())
    with pytest.raises(IntegrityError, match="offer_once_an_opening"), transaction.atomic():
        offer(entry, staff["doctor"], opening=opening)
    offer(entry, staff["doctor"])
    with pytest.raises(IntegrityError, match="offer_one_open_an_entry"), transaction.atomic():
        offer(entry, staff["doctor"])


def test_an_open_offer_does_not_prevent_a_booking_of_the_time(staff: dict[str, User]) -> None:
    offer(waits(), staff["doctor"])
    assert book(register_patient("Ann", "Roe"), staff["doctor"], at()).status == "scheduled"


def test_the_most_urgent_comes_first_and_then_who_waits_longest(staff: dict[str, User]) -> None:
    first, second, urgent = waits(), waits(), waits(priority="urgent")
    low = waits(priority="low")
    assert list(WaitlistEntry.objects.ranked()) == [urgent, first, second, low]
