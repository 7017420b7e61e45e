"""Words that pages take from code: states, choices, days and months have a word in each language."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import translation

from apps.accounts.models import User
from apps.accounts.tests.factories import browser
from apps.appointments.models.appointments import Triage
from apps.appointments.models.reschedules import RescheduledAppointment
from apps.appointments.models.waitlist import OfferStatus, WaitPriority, WaitStatus
from apps.appointments.scheduling.recurrence import Frequency, Rhythm
from apps.common import clinic_times
from apps.consultations import rules
from apps.desk.appointments import labels, rhythms
from apps.desk.consultations import labels as visit_labels
from apps.desk.notifications import inbox
from apps.notifications.models import Category, Priority, Type

AT = datetime(2026, 12, 1, 18, 15, tzinfo=UTC)  # 10:15 at the clinic
LISTS = {
    "appointments_doctorschedule": "Set a doctor’s hours",
    "appointments_timeoff": "Add days away",
    "appointments_bulkreschedule": "Move appointments",
    "appointments_room": "Add a room",
    "accounts_user": "Invite a member of staff",
    "notifications_message": "Send a message",
}


@pytest.mark.parametrize(
    ("language", "short", "aloud", "day"),
    [
        ("en", "Tue 1 Dec, 10:15", "Tuesday 1 December at 10:15", "1 Dec 2026"),
        ("es", "mar 1 dic, 10:15", "martes 1 de diciembre a las 10:15", "1 dic 2026"),
    ],
)
def test_days_and_months_are_in_the_language_of_the_page(language: str, short: str, aloud: str, day: str) -> None:
    with time_machine.travel(datetime(2026, 11, 30, 20, tzinfo=UTC), tick=False), translation.override(language):
        assert labels.short_moment(AT).casefold() == short.casefold()
        assert labels.spoken(AT) == aloud
        assert clinic_times.day(AT).casefold() == day.casefold()
        assert clinic_times.moment(AT).casefold().startswith(short[:3].casefold())


def test_the_year_is_written_if_it_is_another_one() -> None:
    with time_machine.travel(datetime(2027, 1, 4, 20, tzinfo=UTC), tick=False):
        assert labels.short_moment(AT) == "Tue 1 Dec 2026, 10:15"
        assert labels.spoken(AT) == "Tuesday 1 December 2026 at 10:15"


def test_each_state_and_choice_has_a_word() -> None:
    for word in {*WaitStatus.values, *OfferStatus.values, *RescheduledAppointment.Result.values}:
        assert labels.status(word)
    for status in rules.Status:
        assert visit_labels.status(status)
    assert set(labels.TRIAGE) == set(Triage.values)
    assert set(labels.PRIORITIES) == set(WaitPriority.values) == set(Priority.values)
    assert set(inbox.CATEGORIES) == set(Category.values)
    assert set(inbox.TYPES) == set(Type.values)


@pytest.mark.parametrize(
    ("rhythm", "english", "spanish"),
    [
        (Rhythm(count=4), "every week", "cada semana"),
        (
            Rhythm(interval=2, by_weekday=(1, 3), count=4),
            "every 2 weeks on Tuesday and Thursday",
            "cada 2 semanas: martes y jueves",
        ),
        (Rhythm(frequency=Frequency.DAILY, interval=3, until=date(2027, 1, 1)), "every 3 days", "cada 3 días"),
        (Rhythm(frequency=Frequency.MONTHLY, by_month_day=-1, count=4), "every month on the last day", "cada mes, el último día"),
        (Rhythm(frequency=Frequency.MONTHLY, by_month_day=31, count=4), "every month on day 31", "cada mes, el día 31"),
    ],
    ids=["week", "two weeks", "days", "last day", "day of the month"],
)
def test_how_often_appointments_repeat_is_in_the_language_of_the_page(rhythm: Rhythm, english: str, spanish: str) -> None:
    assert rhythms.words(rhythm) == english
    with translation.override("es"):
        assert rhythms.words(rhythm) == spanish


@pytest.mark.django_db
def test_the_button_of_a_list_says_what_it_makes_and_its_page_has_the_same_title(staff: dict[str, User]) -> None:
    client: Client = browser(staff["admin"])
    titles = {"appointments_bulkreschedule": "Move the appointments of an absent doctor"}
    for model, words in LISTS.items():
        assert f'class="addlink">{words}</a>' in client.get(reverse(f"admin:{model}_changelist")).content.decode(), model
        form = client.get(reverse(f"admin:{model}_add")).content.decode()
        title = titles.get(model, words)
        assert f"<title>{title} · " in form or "<title>Confirm your password" in form, model
