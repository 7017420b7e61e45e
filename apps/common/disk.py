"""Whether writes are stopped because the disk of the embedded database is almost full.

`make run` keeps a reserve file in HIMS_DATA_DIR. When the disk fills up, the launcher renames the file to FULL and empties it
(`hims.launch.disk_guard`): PostgreSQL then has room for the audit rows of reads, and the web server refuses writes until there
is space again. Where no launcher runs, the file never exists and PostgreSQL alone says that its disk is full.
"""

from django.conf import settings

FULL = "disk-full"


def is_full() -> bool:
    """Return True while the launcher has stopped writes. One `stat` call."""
    return bool((settings.HIMS_DATA_DIR / FULL).exists())
