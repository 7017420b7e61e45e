"""The waitlist of the toy hospital."""

from datetime import date
from uuid import UUID

import pytest

from apps.access.actor import SYSTEM
from apps.appointments.models import WaitlistEntry
from apps.sandbox.samples import waitlist
from apps.sandbox.samples.appointments import PatientPool
from apps.sandbox.samples.staff import ID_OF
from apps.sandbox.services import SeedResult

PEOPLE = PatientPool(*([UUID(int=1000 * group + number) for number in range(60)] for group in (1, 2)))
DAY = date(2028, 2, 29)


def test_the_same_day_gives_the_same_waitlist_and_another_another() -> None:
    assert list(waitlist.sample_waits(DAY, PEOPLE)) == list(waitlist.sample_waits(DAY, PEOPLE))
    assert list(waitlist.sample_waits(date(2028, 3, 1), PEOPLE)) != list(waitlist.sample_waits(DAY, PEOPLE))


def test_everybody_waits_for_one_thing_and_children_for_the_pediatrician() -> None:
    samples = list(waitlist.sample_waits(DAY, PEOPLE))
    assert len({one.patient_id for one in samples}) == len(waitlist.SAMPLE_WAITS)
    assert all((one.patient_id in PEOPLE.children) == (one.doctor_id == ID_OF["dr.lee"]) for one in samples)


@pytest.mark.django_db
def test_the_waitlist_is_laid_out_once_with_the_sample_data(hospital: SeedResult) -> None:
    count = WaitlistEntry.objects.count()
    assert count >= len(waitlist.SAMPLE_WAITS) - 1  # a short ward may have no child
    assert set(WaitlistEntry.objects.values_list("status", flat=True)) == {"waiting"}
    assert waitlist.create_samples(SYSTEM) == 0
    assert WaitlistEntry.objects.count() == count
