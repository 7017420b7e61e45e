"""Imports a release of ICD-10-CM."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db import transaction

from apps.common import clock, locks
from apps.common.errors import Conflict
from apps.common.ids import new_id
from apps.common.locks import LockName
from apps.common.sql import set_local
from apps.terminology import rules, sql
from apps.terminology.icd10 import everyday_terms
from apps.terminology.icd10.release_files import CodeEntry, Release
from apps.terminology.models import IcdRelease, IcdWord

ProgressCallback = Callable[[int, int], None]
"""Receives the number of loaded codes and their total."""

_REPORT_EVERY = 2_000


class NewerReleaseLoaded(Conflict):
    message = "A newer release is loaded already. Releases are loaded in the order in which they came into force."


@transaction.atomic
def load(*, release: Release, entries: Sequence[CodeEntry], watch: ProgressCallback | None = None) -> IcdRelease | None:
    """Take over a release, all or nothing: what it says otherwise than the one before ends the day before it begins.

    Returns None where the release is there already; codes that were loaded without their search words get them then. Raises
    NewerReleaseLoaded.
    """
    set_local("statement_timeout", "10min")
    set_local("lock_timeout", "5min")
    locks.lock(LockName.ICD_RELEASE)  # of two simultaneous loads, the second waits and finds the release loaded
    if IcdRelease.objects.filter(name=release.name).exists():
        if not IcdWord.objects.exists():
            _copy(entries, watch)
            sql.refresh_words()
            _index_words(entries)
        return None
    if IcdRelease.objects.filter(effective_from__gte=release.effective_from).exists():
        raise NewerReleaseLoaded(release=release.name)
    loaded = IcdRelease.objects.create(
        name=release.name,
        effective_from=release.effective_from,
        source=release.source,
        codes=len(entries),
        billable=sum(entry.billable for entry in entries),
    )
    _copy(entries, watch)
    set_local("gin_pending_list_limit", "64MB")  # the index of words takes all rows in one go, twice as fast as one by one
    sql.replace_codes(release_id=loaded.pk, first_day=release.effective_from, now=clock.now())
    _index_words(entries)
    return loaded


def _copy(entries: Sequence[CodeEntry], watch: ProgressCallback | None) -> None:
    sql.copy_in(_reporting(map(_row, entries), len(entries), watch))


def _index_words(entries: Sequence[CodeEntry]) -> None:
    """Bring the index of words up to date, and add the release's words to those that a search may mean."""
    sql.finish_index()
    known = everyday_terms.vocabulary().union(*(_own_words(entry) | _included_words(entry) for entry in entries))
    IcdWord.objects.bulk_create([IcdWord(word=word) for word in sorted(known)], ignore_conflicts=True, batch_size=5_000)


def _row(entry: CodeEntry) -> tuple[Any, ...]:
    own = _own_words(entry)
    lexemes = [f"'{word}':1A" for word in sorted(own)] + [f"'{word}':2" for word in sorted(_included_words(entry) - own)]
    vector = " ".join(lexemes)
    return (str(new_id()), entry.code, entry.display, entry.billable, entry.parent, entry.block, entry.chapter, vector)


def _own_words(entry: CodeEntry) -> set[str]:
    return {*rules.words(entry.display), entry.code.replace(".", "").lower()}


def _included_words(entry: CodeEntry) -> set[str]:
    return {word for term in entry.terms for word in rules.words(term)}


def _reporting(rows: Iterable[tuple[Any, ...]], total: int, watch: ProgressCallback | None) -> Iterator[tuple[Any, ...]]:
    for done, row in enumerate(rows, start=1):
        yield row
        if watch and (done % _REPORT_EVERY == 0 or done == total):
            watch(done, total)
