"""Compares all recorded patients for duplicates, in the order of `seq`: can be stopped and continued at any time."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from apps.access.actor import Actor
from apps.common import clock
from apps.common.locks import LockName, advisory_lock
from apps.patients import services
from apps.patients.lists import sql
from apps.patients.matching.models import DuplicateCandidate, DuplicateScan
from apps.patients.models import Patient

_BATCH = 100  # patients between two records of the progress; at most so many are compared twice after a kill

ProgressCallback = Callable[[int, int], None]
"""Receives the number of compared patients and their total, also before the first."""


@dataclass(frozen=True)
class ScanResult:
    """`looked_at` patients in the whole scan, `changes` to the queue by this run, and the number of waiting pairs."""

    looked_at: int
    changes: int
    waiting: int


def scan(*, by: Actor, anew: bool = False, watch: ProgressCallback) -> ScanResult:
    """Compares all patients, from where the last run stopped; after a finished one, or `anew`, from the first.

    One short transaction per patient. Raises AlreadyRunning.
    """
    with advisory_lock(LockName.DUPLICATE_SCAN, "Another run of find_duplicates is in progress."):
        progress, changes = _progress(anew), 0
        total = sql.total()
        watch(progress.looked_at, total)
        while batch := _next(progress.seq):
            for seq, patient_id in batch:
                changes += services.refresh_duplicate_candidates(by=by, patient_id=patient_id)
                progress.seq, progress.looked_at = seq, progress.looked_at + 1
                watch(progress.looked_at, max(total, progress.looked_at))
            progress.save()
        progress.finished_at = clock.now()
        progress.save()
    return ScanResult(progress.looked_at, changes, DuplicateCandidate.objects.count())


def _progress(anew: bool) -> DuplicateScan:
    progress = DuplicateScan.objects.filter(finished_at=None).first()
    if progress is None or anew:
        start = {"seq": 0, "looked_at": 0, "started_at": clock.now(), "finished_at": None}
        progress, _ = DuplicateScan.objects.update_or_create(pk=1, defaults=start)
    return progress


def _next(seq: int) -> list[tuple[int, UUID]]:
    return list(Patient.objects.unmerged().filter(seq__gt=seq).order_by("seq").values_list("seq", "pk")[:_BATCH])
