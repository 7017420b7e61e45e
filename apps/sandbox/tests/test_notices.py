"""The notifications of the sandbox staff."""

from datetime import datetime

import pytest
import time_machine

from apps.common import clinic_times
from apps.notifications.models import Message, Notification
from apps.sandbox.samples import notices
from apps.sandbox.samples.office_hours import within_office_hours


@pytest.mark.parametrize(
    ("at", "moved"),
    [
        ("2026-11-23T16:00:00Z", "Mon 23 Nov 2026, 08:00"),
        ("2026-11-23T15:59:00Z", "Sun 22 Nov 2026, 17:59"),
        ("2026-11-24T01:58:00Z", "Mon 23 Nov 2026, 17:58"),
        ("2026-11-24T02:00:00Z", "Mon 23 Nov 2026, 17:59"),
        ("2026-11-23T12:37:00Z", "Sun 22 Nov 2026, 17:59"),
    ],
)
def test_a_time_out_of_office_hours_becomes_the_end_of_the_working_day_before(at: str, moved: str) -> None:
    assert clinic_times.moment(within_office_hours(datetime.fromisoformat(at))) == moved


@pytest.mark.django_db
def test_no_sample_notification_is_sent_at_night(hospital: object) -> None:
    Notification.objects.all().delete()
    Message.objects.all().delete()
    with time_machine.travel("2026-11-23T12:37:00Z", tick=False):  # 4:37 at the clinic
        notices.send_samples()
    sent = [row.message.created_at for row in Notification.objects.select_related("message")]
    assert sent
    assert all(8 <= clinic_times.local(at).hour < 18 for at in sent)
