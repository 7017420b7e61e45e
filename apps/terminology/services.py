"""Imports a release of ICD-10-CM."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.db import connection, transaction

from apps.common import clock, locks
from apps.common.errors import Conflict
from apps.common.ids import new_id
from apps.common.locks import LockName
from apps.terminology import rules
from apps.terminology.icd10 import everyday_terms
from apps.terminology.icd10.release_files import CodeEntry, Release
from apps.terminology.models import IcdRelease, IcdWord

ProgressCallback = Callable[[int, int], None]
"""Receives the number of loaded codes and their total."""

_REPORT_EVERY = 2_000
_TIMEOUTS = "SET LOCAL statement_timeout = '10min'; SET LOCAL lock_timeout = '5min'"
# The index of words takes all rows in one go, which is twice as fast as one by one.
_BATCH_WORD_INDEX = "SET LOCAL gin_pending_list_limit = '64MB'"
_INDEX_WORDS = """
    SELECT gin_clean_pending_list(oid) FROM pg_class
    WHERE relname = 'icd_code_words' AND pg_table_is_visible(oid) AND pg_has_role(relowner, 'USAGE')
"""
_INCOMING = """
    DROP TABLE IF EXISTS icd_incoming;
    CREATE TEMPORARY TABLE icd_incoming ON COMMIT DROP AS
    SELECT id, code, display, billable, parent, block, chapter, words FROM terminology_icdcode LIMIT 0
"""
_COPY = "COPY icd_incoming (id, code, display, billable, parent, block, chapter, words) FROM STDIN"
_END_CHANGED_CODES = """
    UPDATE terminology_icdcode AS old SET effective_to = %(first_day)s::date - 1, updated_at = %(now)s
    WHERE old.effective_to IS NULL AND NOT EXISTS (
        SELECT FROM icd_incoming AS new
        WHERE (new.code, new.display, new.billable, new.parent, new.block, new.chapter)
            = (old.code, old.display, old.billable, old.parent, old.block, old.chapter)
    )
"""
_INSERT_NEW_CODES = """
    INSERT INTO terminology_icdcode
        (id, code, display, billable, parent, block, chapter, words, release_id, effective_from, created_at, updated_at)
    SELECT id, code, display, billable, parent, block, chapter, words, %(release)s, %(first_day)s, %(now)s, %(now)s
    FROM icd_incoming AS new
    WHERE NOT EXISTS (SELECT FROM terminology_icdcode AS old WHERE old.code = new.code AND old.effective_to IS NULL)
    ORDER BY code
"""


_REFRESH_WORDS = """
    UPDATE terminology_icdcode AS code SET words = new.words FROM icd_incoming AS new
    WHERE new.code = code.code AND code.effective_to IS NULL
"""


class NewerReleaseLoaded(Conflict):
    message = "A newer release is loaded already. Releases are loaded in the order in which they came into force."


@transaction.atomic
def load(*, release: Release, entries: Sequence[CodeEntry], watch: ProgressCallback | None = None) -> IcdRelease | None:
    """Take over a release, all or nothing: what it says otherwise than the one before ends the day before it begins.

    Returns None where the release is there already; codes that were loaded without their search words get them then. Raises
    NewerReleaseLoaded.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TIMEOUTS)
        locks.lock(LockName.ICD_RELEASE)  # of two simultaneous loads, the second waits and finds the release loaded
        if IcdRelease.objects.filter(name=release.name).exists():
            if not IcdWord.objects.exists():
                _copy(cursor, entries, watch)
                cursor.execute(_REFRESH_WORDS)
                _index_words(cursor, entries)
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
        values: dict[str, Any] = {"release": loaded.pk, "first_day": release.effective_from, "now": clock.now()}
        _copy(cursor, entries, watch)
        cursor.execute(_BATCH_WORD_INDEX)
        cursor.execute(_END_CHANGED_CODES, values)
        cursor.execute(_INSERT_NEW_CODES, values)
        _index_words(cursor, entries)
    return loaded


def _copy(cursor: Any, entries: Sequence[CodeEntry], watch: ProgressCallback | None) -> None:
    cursor.execute(_INCOMING)
    with cursor.copy(_COPY) as copy:
        for row in _reporting(map(_row, entries), len(entries), watch):
            copy.write_row(row)
    cursor.execute("ANALYZE icd_incoming")


def _index_words(cursor: Any, entries: Sequence[CodeEntry]) -> None:
    """Bring the index of words up to date, and add the release's words to those that a search may mean."""
    cursor.execute(_INDEX_WORDS)
    cursor.execute("ANALYZE terminology_icdcode")
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
