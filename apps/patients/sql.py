"""The sequence of medical record numbers."""

from django.db import connection


def next_mrn_number() -> int:
    """Returns the next number of our own MRNs. A rollback does not return it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('patient_mrn_seq')")
        return int(cursor.fetchone()[0])
