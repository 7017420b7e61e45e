"""Moving rows between two records of one person. The tables are those that the apps declare as links to a patient."""

from typing import Any
from uuid import UUID

from django.db import connection

from apps.common import clock
from apps.patients.merging.patient_links import PatientLink
from apps.patients.models import Merge

# One statement per key, however many rows: the ledger contains exactly the moved rows.
_MOVE = """
WITH moved AS (UPDATE {table} SET {changes} WHERE {column} = %(retired)s RETURNING {key})
INSERT INTO patients_mergedrow (merge_id, model, "column", row_id)
SELECT %(merge)s, %(model)s, %(name)s, {key}::text FROM moved
"""
_MOVE_BACK = """
UPDATE {table} SET {changes} WHERE {column} = %(survivor)s AND {key}::text IN
    (SELECT row_id FROM patients_mergedrow WHERE merge_id = %(merge)s AND model = %(model)s AND "column" = %(name)s)
"""


def move(link: PatientLink, merge_row: Merge) -> None:
    """Gives the rows of the retired record to the survivor, and logs each. Raises IntegrityError where two rows clash."""
    _run(_MOVE, link, merge_row, to=merge_row.survivor_id)


def move_back(link: PatientLink, merge_row: Merge) -> None:
    """Returns the logged rows that still belong to the survivor to the retired record."""
    _run(_MOVE_BACK, link, merge_row, to=merge_row.retired_id)


def _run(sql: str, link: PatientLink, merge_row: Merge, to: UUID) -> None:
    meta, quote = link.kind._meta, connection.ops.quote_name
    columns = {field.name: quote(str(field.column)) for field in meta.concrete_fields}
    column, key, touched = columns[link.column], columns[meta.pk.name], "updated_at" in columns
    changes = f"{column} = %(to)s" + (", updated_at = %(now)s" if touched else "")
    statement = sql.format(table=quote(meta.db_table), column=column, key=key, changes=changes)
    parameters: dict[str, Any] = {
        "merge": merge_row.pk,
        "retired": merge_row.retired_id,
        "survivor": merge_row.survivor_id,
        "to": to,
    }
    parameters |= {"model": link.model, "name": link.column, "now": clock.now()}
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


_COPY_CARE_TEAM = """
INSERT INTO patients_careteammember (patient_id, user_id, because, added_by_id, added_at)
SELECT %s, user_id, because, added_by_id, added_at FROM patients_careteammember WHERE patient_id = %s ORDER BY id
ON CONFLICT DO NOTHING RETURNING id
"""


def copy_care_team(from_id: UUID, to_id: UUID) -> list[int]:
    """Copies the care team of one record to the other. Returns the new rows."""
    with connection.cursor() as cursor:
        cursor.execute(_COPY_CARE_TEAM, [to_id, from_id])
        return [pk for (pk,) in cursor.fetchall()]
