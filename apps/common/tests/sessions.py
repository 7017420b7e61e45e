"""The database sessions of other processes. PostgreSQL ends the session of a killed process a moment after the process: until
then its locks are in force, and a COMMIT that it has sent may still take effect."""

import time

from django.db import connection


def sessions() -> set[int]:
    """Returns the backends of this database that serve a client."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'")
        return {pid for (pid,) in cursor.fetchall()}


def await_end_of_others(known: set[int]) -> None:
    """Waits until no session is left but those that were known before. Raises TimeoutError after a thousand looks."""
    for _ in range(1_000):
        if sessions() <= known:
            return
        time.sleep(0.02)
    raise TimeoutError(f"The sessions {sessions() - known} are still open.")
