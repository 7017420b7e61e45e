"""COPY of a release of ICD-10-CM into a temporary table, and the statements that compare it with the loaded one."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import connection

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


def copy_in(rows: Iterable[tuple[Any, ...]]) -> None:
    """Copies the codes into the temporary table, which the end of the transaction removes."""
    with connection.cursor() as cursor:
        cursor.execute(_INCOMING)
        with cursor.copy(_COPY) as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute("ANALYZE icd_incoming")


def refresh_words() -> None:
    """Gives the loaded codes the search words of the copied ones."""
    with connection.cursor() as cursor:
        cursor.execute(_REFRESH_WORDS)


def replace_codes(*, release_id: Any, first_day: date, now: datetime) -> None:
    """Ends the codes that the copied release states otherwise, the day before it begins, and inserts its new ones."""
    values: dict[str, Any] = {"release": release_id, "first_day": first_day, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_END_CHANGED_CODES, values)
        cursor.execute(_INSERT_NEW_CODES, values)


def finish_index() -> None:
    """Moves the pending rows into the index of words, and updates the planner's statistics."""
    with connection.cursor() as cursor:
        cursor.execute(_INDEX_WORDS)
        cursor.execute("ANALYZE terminology_icdcode")
