"""Going through everybody on record for duplicates, in the order of `seq`: stopped and gone on with at will."""

from collections.abc import Callable
from dataclasses import dataclass

from apps.access.actor import Actor
from apps.common import clock
from apps.common.alone import alone
from apps.patients import services, tally
from apps.patients.models import Patient
from apps.patients.suspicion import DuplicateSweep, SuspectedPair

_LOCK = 4_110_926_512_840_551  # any number, the same in every process
_BATCH = 100  # patients between two notes of how far it got; so many at most are looked at twice after a kill

Watch = Callable[[int, int], None]
"""Told how many patients have been looked at and of how many, also before the first."""


@dataclass(frozen=True)
class Swept:
    """`looked_at` patients in the whole sweep, `changes` to the queue by this run, and how many pairs wait now."""

    looked_at: int
    changes: int
    waiting: int


def sweep(*, by: Actor, anew: bool = False, watch: Watch) -> Swept:
    """Look at everybody, from where the last run stopped; after a finished one, or `anew`, from the first.

    One short transaction a patient. Raises AlreadyRunning.
    """
    with alone(_LOCK, "Another run of find_duplicates is under way."):
        place, changes = _place(anew), 0
        total = tally.total()
        watch(place.looked_at, total)
        while batch := _next(place.seq):
            for seq, patient_id in batch:
                changes += services.look_for_duplicates(by=by, patient_id=patient_id)
                place.seq, place.looked_at = seq, place.looked_at + 1
                watch(place.looked_at, max(total, place.looked_at))
            place.save()
        place.finished_at = clock.now()
        place.save()
    return Swept(place.looked_at, changes, SuspectedPair.objects.count())


def _place(anew: bool) -> DuplicateSweep:
    place = DuplicateSweep.objects.filter(finished_at=None).first()
    if place is None or anew:
        begun = {"seq": 0, "looked_at": 0, "started_at": clock.now(), "finished_at": None}
        place, _ = DuplicateSweep.objects.update_or_create(pk=1, defaults=begun)
    return place


def _next(seq: int) -> list[tuple]:
    return list(Patient.objects.listed().filter(seq__gt=seq).order_by("seq").values_list("seq", "pk")[:_BATCH])
