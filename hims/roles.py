"""The database roles of this installation: grants after each migration, and which roles production refuses.

`apps.audit.database_role.grants` defines what the application role may do. Here the environment determines which role that is,
whether this process is the owner, and when the check runs.
"""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection
from django.db.backends.signals import connection_created

from apps.audit.database_role import grants
from hims import env

log = logging.getLogger(__name__)

# The PostgreSQL settings with which its log contains no value of a row. Its own defaults of the first two differ.
QUIET = {
    "log_min_error_statement": ("panic",),
    "log_error_verbosity": ("terse",),
    "log_parameter_max_length_on_error": ("0",),
    "log_statement": ("none", "ddl"),
}
_SLOW = ("log_min_duration_statement", "log_min_duration_sample", "log_parameter_max_length")
_checked = False


def grant_application() -> bool:
    """Gives the application role its rights on the migrated tables. Returns whether there is such a role."""
    name, password = env.application_role()
    if not name:
        return False
    return grants.apply(grants.ApplicationRole(name, password))


def faults() -> list[str]:
    """Returns why the connected role and server must not serve a clinic; empty if they may."""
    problems = [f"{one} Connect with the application role (docs/audit.md)." for one in grants.excessive_privileges()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", [[*QUIET, *_SLOW]])
        settings_found = dict(cursor.fetchall())
    for name, allowed in QUIET.items():
        if settings_found.get(name) not in allowed:
            problems.append(
                f"PostgreSQL's {name} is {settings_found.get(name)}: the log would show patient data. Set it to {allowed[0]}."
            )
    logs_slow = any(int(settings_found.get(name) or -1) >= 0 for name in _SLOW[:2])
    if logs_slow and settings_found.get("log_parameter_max_length") != "0":
        problems.append("PostgreSQL logs slow statements with their parameters. Set log_parameter_max_length to 0.")
    return problems


def check() -> None:
    """Refuses a role that may rewrite the audit log, and a server that logs parameters. Raises ImproperlyConfigured."""
    global _checked
    problems = faults()
    if problems:
        raise ImproperlyConfigured(" ".join(problems))
    _checked = True


def check_at_boot() -> None:
    """Runs `check` for a process that starts to serve. While the database is unavailable it starts, and its first connection is
    checked."""
    if not _required() or _checked:
        return
    try:
        connection.ensure_connection()
        if not _checked:
            check()
    except Error:
        log.warning("the database does not answer: its roles and log settings are checked at the first connection")
    finally:
        connection.close()


def _required() -> bool:
    return settings.HIMS_ENV in ("production", "staging") and not env.is_owner()


def _on_connection(**_: Any) -> None:
    if _required() and not _checked:
        try:
            check()
        except ImproperlyConfigured:
            connection.close()  # otherwise the next request would find it open and unchecked
            raise


def watch_connections() -> None:
    """Checks the first connection of every process that must not be the owner."""
    connection_created.connect(_on_connection, dispatch_uid="hims.roles")
